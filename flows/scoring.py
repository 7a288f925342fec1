"""Scores of the quality classifier: learned from the corpus's own shards, a file for each, and one of them all.

Documents in a language that the classifier did not learn get none. The model of a recipe's settings is trained once and
kept: an archive that is added is scored with it, and no other shard is read again. Who deletes
`models/quality-settings-*.json` has the next build learn anew, from all shards that there are then.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from importlib.metadata import version
from multiprocessing import get_context
from pathlib import Path
from typing import Any, NamedTuple

from catalog import store
from catalog.errors import RetryableError
from catalog.files import Corpus, digest, publish, read_json, sha256, write_json
from catalog.shards import Table, describe
from catalog.snapshots import derive
from catalog.views import parquet, quote, rows
from extractors.processes import die_with_parent
from filters import classifier, classifier_report

LEAST_WORDS = 50
SHOWN = 10
"""Languages without scores that are named."""
Manifest = dict[str, Any]
Progress = Callable[[str], None]


class Sample(NamedTuple):
    """A document to learn from, by where its text is."""

    id: str
    source: str
    language: str
    file: str
    text_digest: str


def score(
    corpus: Corpus, shards: list[Manifest], trusted: list[str], against: list[str], documents: int = 20_000,
    workers: int = 1, progress: Progress = lambda _: None, warn: Progress | None = None,
) -> dict[str, Any] | None:  # fmt: skip
    """The description of the `scores` file of these shards; what is not there yet is made.

    Args:
        shards: manifests of the shards of the snapshot to be.
        trusted: names of sources whose texts are as they should be.
        against: names of sources to tell them from.
        documents: most documents of each side to learn from; those with the smallest ids, which are hashes.
        workers: processes that score.
        progress: is told in words what goes on.
        warn: is told what the user should read: that there is no classifier, and why; of a new one, what languages it
            learnt, and which get no scores. Without it `progress` is told.

    Returns:
        None when there is too little text to learn from.

    Raises:
        RetryableError: a process that trains or scores died.
    """
    warn = warn or progress
    try:
        model = _model(corpus, shards, trusted, against, documents, progress, warn)
    except classifier.TooLittle as problem:
        warn(f"no quality classifier: {problem}")
        return None
    folder, names = corpus.dataset("scores") / "shards", _names(shards, model)
    parts = {shard: folder / f"{name}.parquet" for shard, name in names.items()}
    tasks = [(corpus.root, shard, model, part) for shard, part in parts.items() if not part.is_file()]
    for number, _ in enumerate(_each(tasks, min(workers, len(tasks))), start=1):
        progress(f"quality classifier: {number} of {len(tasks)} shards scored")
    return derive(corpus, "scores", digest(list(names.values())), lambda _: f"({rows('scores', list(parts.values()))})")


def _names(shards: list[Manifest], model: Path) -> dict[str, str]:
    """The name of each shard's file of scores, with a digest of all that they are made from."""
    code, found = _code(), {}
    for shard in sorted(shards, key=lambda shard: str(shard["shard"])):
        made_from = sorted(f["sha256"] for f in shard["files"] if f["dataset"] in ("documents", "signals"))
        found[shard["shard"]] = f"{shard['shard']}-{digest([model.stem, code, made_from])}"
    return found


def _code() -> str:
    return digest([sha256(Path(file)) for file in (classifier.__file__, __file__)] + [version("fasttext")])


def _each(tasks: list[tuple[Path, str, Path, Path]], workers: int) -> Iterator[None]:
    if workers <= 1:
        yield from map(_score_shard, tasks)
        return
    # A fork would copy the locks of the threads that Prefect runs here.
    with ProcessPoolExecutor(workers, get_context("spawn"), initializer=die_with_parent) as pool:
        try:
            yield from pool.map(_score_shard, tasks)
        except BrokenProcessPool as error:
            raise RetryableError("a process that scores was killed (out of memory?)") from error


def _score_shard(task: tuple[Path, str, Path, Path]) -> None:
    """Write one shard's scores: a row for every document with words in a language that the model learned."""
    root, shard, model, final = task
    corpus = Corpus(root)
    staged = corpus.staging / f"scores-{os.getpid()}" / final.name
    loaded = classifier.Classifier.load(model)
    table = Table("scores", staged)
    signals = parquet([corpus.dataset("signals") / f"{shard}.parquet"])
    texts = f"""
        SELECT id, text FROM {_documents(corpus, shard)} d JOIN {signals} s USING (id)
        WHERE text IS NOT NULL AND list_contains($languages, language)
    """
    languages = read_json(model.with_suffix(".json"))["languages"]
    with store.computing(corpus) as connection:
        for batch in connection.sql(texts, params={"languages": languages}).to_arrow_reader(500):
            for id, text in zip(batch["id"].to_pylist(), batch["text"].to_pylist(), strict=True):
                found = loaded.score(text)
                if found is not None:
                    table.add({"id": id, "trusted": found})
    table.close()
    describe("scores", staged)
    publish(staged, final)


def _documents(corpus: Corpus, shard: str) -> str:
    return parquet([corpus.dataset("documents") / f"{shard}.parquet"])


def _model(
    corpus: Corpus, shards: list[Manifest], trusted: list[str], against: list[str], documents: int,
    progress: Progress, warn: Progress,
) -> Path:  # fmt: skip
    """The model of these settings: the one that there is, else a new one with its card.

    `models/quality-settings-....json` says which model the settings have; the model's name is a digest of the
    settings, the code and the texts it was trained from. Beside it stand its card and the languages that it learned.
    """
    settings = {
        "version": classifier.VERSION, "trusted": sorted(trusted), "against": sorted(against), "documents": documents,
    }  # fmt: skip
    folder = corpus.root / "models"
    current = folder / f"quality-settings-{digest(settings)}.json"
    if current.is_file():
        known = folder / str(read_json(current)["model"])
        if known.is_file():
            return known
    sides = [_samples(corpus, shards, names, documents) for names in (trusted, against)]
    learned_from = [[(s.id, s.text_digest) for s in side] for side in sides]
    model = folder / f"quality-{digest([settings, _code(), learned_from])}.ftz"
    if not model.is_file():
        progress(f"quality classifier: learning from {len(sides[0]):,} trusted and {len(sides[1]):,} other documents")
        _train(corpus, sides, model, settings)
    warn(_learnt(corpus, shards, read_json(model.with_suffix(".json"))["languages"]))
    write_json(current, {**settings, "model": model.name})
    return model


def _train(corpus: Corpus, sides: list[list[Sample]], model: Path, settings: dict[str, Any]) -> None:
    staged = corpus.staging / f"models-{os.getpid()}" / model.name
    staged.parent.mkdir(parents=True, exist_ok=True)
    try:
        report = classifier.train(_texts(corpus, sides[0]), _texts(corpus, sides[1]), staged)
    except ChildProcessError as error:
        raise RetryableError(f"{error} (out of memory?)") from error
    facts = {name: ", ".join(v) if isinstance(v, list) else f"{v:,}" for name, v in settings.items()}
    card = classifier_report.card(
        report, {"model": model.stem, **facts, **classifier.FACTS, "bytes": f"{staged.stat().st_size:,}"}
    )
    model.parent.mkdir(exist_ok=True)
    model.with_suffix(".md").write_text(card, encoding="utf-8")
    write_json(model.with_suffix(".json"), {**settings, "languages": report.languages})
    publish(staged, model)


def _learnt(corpus: Corpus, shards: list[Manifest], languages: list[str]) -> str:
    """What languages were learnt, and in which others there are documents, those with the most first."""
    signals = parquet([corpus.dataset("signals") / f"{s['shard']}.parquet" for s in shards])
    with store.computing(corpus) as connection:
        found = connection.sql(
            f"SELECT language FROM {signals} WHERE NOT list_contains($learnt, language) GROUP BY 1 "
            "ORDER BY count(*) DESC, 1",
            params={"learnt": languages},
        ).fetchall()
    others = [str(language) for (language,) in found]
    named = ", ".join(others[:SHOWN]) + (f" and {len(others) - SHOWN} more" if len(others) > SHOWN else "")
    return f"quality classifier: learnt for {', '.join(languages)}" + (f"; no scores for {named}" if named else "")


def _samples(corpus: Corpus, shards: list[Manifest], sources: list[str], most: int) -> list[Sample]:
    """At most so many documents of these sources, each text once: those with the smallest ids, in their order."""
    chosen = [s for s in shards if s["source"] in sources]
    if not chosen:
        return []
    files = ", ".join(quote(str(corpus.dataset("signals") / f"{s['shard']}.parquet")) for s in chosen)
    with store.computing(corpus) as connection:
        found = connection.execute(
            "SELECT min(id) AS id, arg_min(language, id), arg_min(filename, id), text_digest "
            f"FROM read_parquet([{files}], filename = true, union_by_name = true) WHERE words >= ? "
            "GROUP BY text_digest ORDER BY 1 LIMIT ?",
            [LEAST_WORDS, most],
        ).fetchall()
    owner = {s["shard"]: s["source"] for s in chosen}
    return [
        Sample(id, owner[Path(file).stem], language, Path(file).stem, str(text)) for id, language, file, text in found
    ]


def _texts(corpus: Corpus, samples: list[Sample]) -> list[classifier.Document]:
    """The windows of these documents, by id, read shard by shard."""
    by_shard: dict[str, dict[str, Sample]] = {}
    for sample in samples:
        by_shard.setdefault(sample.file, {})[sample.id] = sample
    found: dict[str, classifier.Document] = {}
    with store.computing(corpus) as connection:
        for shard, wanted in by_shard.items():
            query = f"SELECT id, text FROM {_documents(corpus, shard)} WHERE list_contains($ids, id)"
            for batch in connection.sql(query, params={"ids": sorted(wanted)}).to_arrow_reader(500):
                for id, text in zip(batch["id"].to_pylist(), batch["text"].to_pylist(), strict=True):
                    sample = wanted[id]
                    found[id] = classifier.Document(sample.source, sample.language, classifier.windows(text or ""))
    return [found[sample.id] for sample in samples]
