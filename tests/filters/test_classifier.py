from __future__ import annotations

import ctypes
import random
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from filters import classifier
from filters.classifier import Classifier, Document, TooLittle, held_out, prepare, train, windows
from filters.classifier_report import Report, accuracy, auc, card

FORMAL = "whereas pursuant regulation shall article paragraph member commission annex decision hereby"
CASUAL = "hey buy cheap click deal awesome love shop best free wow check today fun cool sale discount now"
WORDS = {
    "en": "the of and to in a is that it for on with",
    "fr": "le de et la les des en un du une que",
    "de": "der die das und in zu den ist von mit dem",
}


def sentence(rng: random.Random, style: str, language: str) -> str:
    """150 words, a third of them of the style."""
    marked, plain = style.split(), WORDS[language].split()
    return " ".join(rng.choice(marked if rng.random() < 0.3 else plain) for _ in range(150))


def documents(seed: int, source: str, style: str, counts: dict[str, int]) -> list[Document]:
    rng = random.Random(seed)
    return [
        Document(source, name, windows(sentence(rng, style, name))) for name, number in counts.items()
        for _ in range(number)
    ]  # fmt: skip


@pytest.fixture(scope="module", autouse=True)
def small() -> Iterator[None]:
    """A model of fewer features is quantised sooner."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(classifier, "KEPT_FEATURES", 2_000)
        yield


COUNTS = {"en": 120, "fr": 100}
SIDES = documents(1, "acts", FORMAL, {**COUNTS, "de": 20}), documents(2, "web", CASUAL, {**COUNTS, "de": 19})
Trained = tuple[Path, Report]


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Trained:
    path = tmp_path_factory.mktemp("model") / "quality.ftz"
    return path, train(*SIDES, path)


def test_it_tells_the_styles_apart_in_documents_it_never_saw(trained: Trained) -> None:
    report = trained[1]
    for language in report.languages:
        assert len(report.scores[language]) > 20
        assert auc(report.scores[language]) > 0.98
        assert accuracy(report.scores[language]) > 0.9
    seen = sum(seen for seen, _ in report.counts.values())
    assert seen + sum(unseen for _, unseen in report.counts.values()) == 440
    assert sum(len(scores) for scores in report.scores.values()) == 440 - seen


def test_a_language_that_one_side_has_little_of_is_left_out(trained: Trained) -> None:
    report = trained[1]
    assert (report.languages, report.left_out) == (["en", "fr"], {"de": (20, 19)})
    assert "de (20, 19)" in card(report, {"seed": "1"})
    assert "| trusted | acts | en |" in card(report, {"seed": "1"})


def test_the_same_documents_give_the_same_small_file(trained: Trained, tmp_path: Path) -> None:
    leave_used_memory()
    train(*SIDES, tmp_path / "again.ftz")
    assert (tmp_path / "again.ftz").read_bytes() == trained[0].read_bytes()
    assert trained[0].stat().st_size < 2_000_000


def leave_used_memory() -> None:
    """60 MB of the heap are free and not zero, and glibc hands them out again: training took its weights from there."""
    libc = ctypes.CDLL(None)
    libc.malloc.restype, libc.malloc.argtypes = ctypes.c_void_p, [ctypes.c_size_t]
    libc.free.argtypes = [ctypes.c_void_p]
    libc.free(libc.malloc(32_000_000))  # from now on glibc keeps as much before it gives any back
    parts = [libc.malloc(100_000) for _ in range(600)]
    for part in parts:
        ctypes.memset(part, 0xFF, 100_000)
    for part in parts:
        libc.free(part)


def test_training_that_dies_is_an_error_here(tmp_path: Path) -> None:
    with pytest.raises(ChildProcessError, match="ended with 1"):
        train(*SIDES, tmp_path / "absent" / "m.ftz")


def test_a_language_that_one_side_has_more_of_says_nothing(tmp_path: Path) -> None:
    style = f"{FORMAL} {CASUAL}"
    trusted = documents(3, "acts", style, {"en": 240, "fr": 60})
    others = documents(4, "web", style, {"en": 60, "fr": 240})
    report = train(trusted, others, tmp_path / "m.ftz")
    means = {name: sum(s for s, _ in scores) / len(scores) for name, scores in report.scores.items()}
    assert abs(means["en"] - means["fr"]) < 0.15


def test_too_little_text_is_said_with_its_numbers(tmp_path: Path) -> None:
    with pytest.raises(TooLittle, match="en: 19 trusted, 120 others"):
        train(SIDES[0][:19], SIDES[1][:120], tmp_path / "m.ftz")
    with pytest.raises(TooLittle, match="there are none"):
        train([], [], tmp_path / "m.ftz")
    with pytest.raises(TooLittle):
        train([Document("acts", "en", [])] * 50, SIDES[1], tmp_path / "m.ftz")
    copied = next(d for d in SIDES[0] if held_out(d) and d.language == "en")
    with pytest.raises(TooLittle, match="copies"):
        train([copied] * 50, SIDES[1], tmp_path / "m.ftz")


def test_copies_of_a_text_are_on_one_side_of_the_split() -> None:
    texts = [f"Text number {n} of {'many ' * n}" for n in range(200)]
    first = [held_out(Document("a", "en", windows(text))) for text in texts]
    assert first == [held_out(Document("b", "fr", windows(text))) for text in texts]
    assert 20 < sum(first) < 65


@given(st.text(max_size=200), st.integers(1, 60))
def test_any_text_gives_few_prepared_windows(piece: str, times: int) -> None:
    found = windows(piece * times)
    assert len(found) <= classifier.MOST_WINDOWS
    for line in found:
        assert line.strip() and "\n" not in line
        line.encode()


def test_windows_are_spread_and_end_at_spaces() -> None:
    text = " ".join(f"word{chr(97 + n % 26)}" for n in range(4_000))
    found = windows(text)
    assert len(found) == classifier.MOST_WINDOWS
    assert found[0].startswith("worda")
    assert all(len(word) == 5 for line in found for word in line.split())
    assert len(windows("文" * 50_000)) == classifier.MOST_WINDOWS
    assert windows("") == windows(" \n\t ") == []


def test_preparation() -> None:
    assert prepare("Article 12(3), of\n2023!") == "article 0 ( 0 ) , of 0 !"
    assert prepare("a\ud800b </s> __label__c") == "a b < / s > _ _ label _ _ c"


@pytest.mark.parametrize(
    "text",
    ["", " ", "\ud800", "\u200b\u202e", "</s>", "__label__trusted", "1" * 10_000, "word " * 300_000, "a" * 20_000_000,
     "!" * 5_000, "\x00\x01", "文" * 9_000, "הכל בסדר " * 99],
    ids=range(13),
)  # fmt: skip
def test_any_text_has_a_probability_or_none(trained: Trained, text: str) -> None:
    score = Classifier.load(trained[0]).score(text)
    assert score is None or 0 <= score <= 1
    assert (score is None) == (not windows(text))


def test_a_label_in_a_text_does_not_decide(trained: Trained) -> None:
    loaded = Classifier.load(trained[0])
    casual = "hey buy cheap click deal awesome love shop " * 20
    assert (loaded.score("__label__trusted " + casual) or 1) < 0.5 < (loaded.score(f"{FORMAL} " * 9) or 0)


def test_no_model_is_said(tmp_path: Path) -> None:
    (tmp_path / "no.ftz").write_text("no model")
    with pytest.raises(ValueError, match="wrong file format"):
        Classifier.load(tmp_path / "no.ftz")
