from __future__ import annotations

import os
import random
import shutil
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
from corpora import document, write_shard

from catalog.errors import RetryableError
from catalog.files import Corpus, read_json, sha256
from catalog.schema import SCORES
from filters import classifier
from filters.classifier import Classifier
from flows import scoring

STYLE = {
    "acts": "whereas pursuant regulation shall article paragraph member commission annex decision hereby",
    "web": "hey buy cheap click deal awesome love shop best free wow check today fun cool sale discount now",
}
PLAIN = ["the", "of", "and", "to", "in", "a", "is", "that", "it", "for", "on", "with"]
Shards = list[dict[str, Any]]
Scored = tuple[Corpus, Shards, dict[str, Any]]


def shard(corpus: Corpus, name: str, source: str, number: int, **columns: Any) -> dict[str, Any]:
    """A shard of English documents, a third of whose words are of their source's style."""
    rng, style = random.Random(name), STYLE[source].split()

    def text() -> str:
        return " ".join(rng.choice(style if rng.random() < 0.3 else PLAIN) for _ in range(80))

    return write_shard(corpus, name, source, [document(f"{name} {n}", text(), **columns) for n in range(number)])


def filled(root: Path) -> tuple[Corpus, Shards]:
    corpus = Corpus(root.resolve())
    return corpus, [
        shard(corpus, "acts-1", "acts", 40),
        shard(corpus, "web-1", "web", 40),
        shard(corpus, "web-2", "web", 5, language="fr"),
    ]


def scores(corpus: Corpus, entry: dict[str, Any]) -> dict[str, float]:
    table = pq.read_table(corpus.root / entry["file"])
    assert table.schema.equals(SCORES)
    return dict(zip(table["id"].to_pylist(), table["trusted"].to_pylist(), strict=True))


def ids(corpus: Corpus, name: str) -> list[str]:
    return list(pq.read_table(corpus.root / "documents" / f"{name}.parquet")["id"].to_pylist())


def score(corpus: Corpus, shards: Shards, **options: Any) -> dict[str, Any]:
    entry = scoring.score(corpus, shards, ["acts"], ["web"], **options)
    assert entry is not None
    return entry


@pytest.fixture(scope="module", autouse=True)
def small() -> Iterator[None]:
    """A model of fewer features is quantised sooner."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(classifier, "KEPT_FEATURES", 1_000)
        yield


@pytest.fixture(scope="module")
def first(tmp_path_factory: pytest.TempPathFactory) -> Scored:
    corpus, shards = filled(tmp_path_factory.mktemp("scored"))
    return corpus, shards, score(corpus, shards)


def test_trusted_documents_score_above_others(first: Scored) -> None:
    corpus, _, entry = first
    found = scores(corpus, entry)
    assert set(found) == {*ids(corpus, "acts-1"), *ids(corpus, "web-1")}, "French was not learned, so it has no score"
    assert min(found[id] for id in ids(corpus, "acts-1")) > 0.5 > max(found[id] for id in ids(corpus, "web-1"))
    assert (entry["dataset"], entry["rows"]) == ("scores", 80)
    assert entry["sha256"] == sha256(corpus.root / entry["file"])


def test_the_model_has_a_card_and_scores_by_it_alone(first: Scored) -> None:
    corpus, _, entry = first
    [model] = (corpus.root / "models").glob("*.ftz")
    assert read_json(model.with_suffix(".json"))["languages"] == ["en"]
    assert "| trusted | acts | en |" in model.with_suffix(".md").read_text(encoding="utf-8")
    documents = pq.read_table(corpus.root / "documents" / "web-1.parquet").to_pylist()
    found, loaded = scores(corpus, entry), Classifier.load(model)
    for row in documents[:5]:
        assert found[row["id"]] == pytest.approx(loaded.score(row["text"]), abs=1e-6)
    assert not list(corpus.staging.rglob("*.parquet"))


@pytest.fixture
def own(first: Scored, tmp_path: Path) -> Scored:
    """The scored corpus, for one test to add to."""
    shutil.copytree(first[0].root, tmp_path / "corpus")
    return Corpus((tmp_path / "corpus").resolve()), *first[1:]


def test_another_shard_is_scored_by_the_model_that_there_is(own: Scored) -> None:
    corpus, shards, entry = own
    before = scores(corpus, entry)
    models = sorted((corpus.root / "models").iterdir())
    for name in ("acts-1", "web-1", "web-2"):
        (corpus.root / "documents" / f"{name}.parquet").write_bytes(b"not to be read again")
    told: list[str] = []
    after = scores(corpus, score(corpus, [*shards, shard(corpus, "web-3", "web", 7)], progress=told.append))
    assert {id: value for id, value in after.items() if id in before} == before
    assert len(after) == len(before) + 7
    assert sorted((corpus.root / "models").iterdir()) == models
    assert told == ["quality classifier: 1 of 1 shards scored"]


def test_the_order_of_shards_and_the_number_of_processes_change_nothing(first: Scored, tmp_path: Path) -> None:
    corpus, shards = filled(tmp_path)
    entry = score(corpus, shards[::-1], workers=2)
    assert {**entry, "file": Path(entry["file"]).name} == {**first[2], "file": Path(first[2]["file"]).name}


def test_without_its_settings_the_model_is_learned_anew(own: Scored) -> None:
    corpus, shards, entry = own
    [settings] = (corpus.root / "models").glob("quality-settings-*.json")
    settings.unlink()
    assert score(corpus, shards) == entry, "the same texts, the same model"
    grown = [*shards, shard(corpus, "acts-2", "acts", 9)]
    kept = score(corpus, grown)
    settings.unlink()
    again = score(corpus, grown)
    assert kept["file"] != again["file"]
    assert score(corpus, grown) == again, "the newer model is the one that is kept"
    assert len(list((corpus.root / "models").glob("*.ftz"))) == 2


def test_a_shard_that_was_made_anew_is_scored_anew(own: Scored) -> None:
    corpus, shards, entry = own
    texts = [document("acts-1 0", "buy cheap click deal the of and " * 20)]
    corpus.manifest("shards", "acts-1").unlink()
    other = score(corpus, [write_shard(corpus, "acts-1", "acts", texts), *shards[1:]])
    assert other["file"] != entry["file"]
    assert scores(corpus, other)[texts[0]["id"]] < 0.5


def test_of_a_new_model_the_languages_are_told(first: Scored, tmp_path: Path) -> None:
    corpus, shards = filled(tmp_path)
    shards += [shard(corpus, "web-3", "web", 7, language="de"), shard(corpus, "web-4", "web", 1, language="en")]
    warned: list[str] = []
    told: list[str] = []
    score(corpus, shards, progress=told.append, warn=warned.append)
    assert warned == ["quality classifier: learnt for en; no scores for de, fr"]
    assert told[0] == "quality classifier: learning from 40 trusted and 53 other documents"
    score(corpus, shards, warn=warned.append)
    assert len(warned) == 1, "it is said once"


def test_a_process_that_dies_is_worth_another_try(own: Scored) -> None:
    corpus, shards, _ = own
    more = [shard(corpus, "web-3", "web", 7), shard(corpus, "web-4", "web", 7)]
    with pytest.raises(RetryableError, match="killed"):
        list(scoring._each([KillsItself(), KillsItself()], 2))  # type: ignore[list-item]
    assert score(corpus, [*shards, *more])["rows"] == 94


class KillsItself:
    """Kills the process that it is sent to."""

    def __reduce__(self) -> Any:
        return kill, ()


def kill() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def test_too_little_text_is_told_and_leaves_nothing(tmp_path: Path) -> None:
    corpus = Corpus(tmp_path.resolve())
    shards = [shard(corpus, "acts-1", "acts", 5), shard(corpus, "web-1", "web", 30, words=49)]
    told: list[str] = []
    assert scoring.score(corpus, shards, ["acts"], ["web"], progress=told.append) is None
    assert "no quality classifier" in told[-1]
    assert "en: 5 trusted, 0 others" in told[-1]
    assert not (corpus.root / "models").exists()
    assert not (corpus.root / "scores").exists()
    assert scoring.score(corpus, [], ["acts"], ["web"]) is None


def test_copies_and_what_is_too_much_are_not_learned_from(tmp_path: Path) -> None:
    corpus, shards = filled(tmp_path)
    text = "one text many times " * 20
    shards.append(write_shard(corpus, "acts-3", "acts", [document(f"copy {n}", text) for n in range(30)]))
    score(corpus, shards, documents=30)
    [card] = (corpus.root / "models").glob("quality-*.md")
    cells = [
        line.split(" | ") for line in card.read_text(encoding="utf-8").splitlines() if line.startswith("| trusted")
    ]
    assert sum(int(row[3]) + int(row[4].removesuffix(" |")) for row in cells if row[1] == "acts") == 30
