"""A quality classifier of a corpus's own: how much a text is written like those of the sources one trusts.

A small fastText model of words and character n-grams, learned from windows of trusted texts against windows of others.
In every language both sides weigh the same, so that the language of a text says nothing about its side.
"""

from __future__ import annotations

import ctypes
import hashlib
import random
import sys
import tempfile
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from multiprocessing import get_context
from pathlib import Path
from typing import Any, NamedTuple

import regex

from filters.classifier_report import Report

VERSION = 1
"""Raised whenever the same texts give another model or another score."""
TRUSTED, OTHER = "__label__trusted", "__label__other"

WINDOW = 1_200
"""Characters of a window: about 200 words."""
MOST_WINDOWS = 5
"""Windows of a text that are looked at, evenly spread."""
LEAST_DOCUMENTS = 20
"""Documents that both sides need in a language, else the language is left out."""
HELD_OUT = 5
"""One document in so many is for measuring."""
_REPEAT = 10
"""How often the texts of the smaller side are repeated at most, to weigh as much as the larger."""
TRAINING = {"dim": 16, "minn": 2, "maxn": 4, "minCount": 3, "wordNgrams": 2, "bucket": 600_000, "lr": 0.5}
KEPT_FEATURES = 20_000
_EPOCHS = (2, 30)
_VISITS = 60_000
"""Lines that training goes through in all, within these epochs: time does not grow with the corpus without end."""

FACTS = {
    "a document's windows": f"at most {MOST_WINDOWS} of {WINDOW:,} characters",
    "documents a language needs on both sides": str(LEAST_DOCUMENTS),
    "held out": f"one document in {HELD_OUT}",
}
"""Settings that a card names."""

_M_PERTURB = -6
"""Option of mallopt (malloc.h): memory is filled with the complement of this byte."""
_NUMBER = regex.compile(r"\p{N}+")
_SIGN = regex.compile(r"([^\p{Word}\s]|_)")


class Document(NamedTuple):
    """A text to learn from: where it is from, its language (BCP 47 primary subtag), its windows."""

    source: str
    language: str
    windows: list[str]


class TooLittle(ValueError):
    """There is not enough text on both sides in any language; says how much there is."""


def windows(text: str) -> list[str]:
    """At most `MOST_WINDOWS` parts of the text, evenly spread, of about `WINDOW` characters, prepared; no empty ones.

    Parts end at spaces, in scripts that have them.
    """
    whole = len(text)
    count = max(1, min(MOST_WINDOWS, whole // WINDOW))
    step = (whole - WINDOW) / (count - 1) if count > 1 else 0.0
    parts = (_part(text, round(step * n)) for n in range(count))
    return [line for part in parts if (line := prepare(part))]


def _part(text: str, start: int) -> str:
    part = text[start : start + WINDOW]
    words = part.split(" ")
    inner = words[1 if start else 0 : -1 if start + WINDOW < len(text) else None]
    return " ".join(inner) or part


def prepare(text: str) -> str:
    """One lower-case line; each run of digits is a 0, each sign a word of its own: how a text is written is its style.

    So no text holds fastText's own words, `__label__` and `</s>`. Lone surrogates are left out: they cannot be encoded.
    """
    line = _SIGN.sub(r" \1 ", _NUMBER.sub("0", text.lower()))
    return " ".join(line.encode("utf-8", "ignore").decode().split())


def held_out(document: Document) -> bool:
    """Whether a document is for measuring. Decided by its text, so that copies of one text are on one side."""
    content = hashlib.sha256("\n".join(document.windows).encode()).digest()
    return content[0] % HELD_OUT == 0


class Classifier:
    """A trained model. Load one per process; it cannot be pickled."""

    def __init__(self, native: Any) -> None:
        self._native = native

    @classmethod
    def load(cls, path: Path) -> Classifier:
        """The model in a fastText file. Raises ValueError when it is none."""
        import fasttext

        return cls(fasttext.load_model(str(path)).f)

    def score(self, text: str) -> float | None:
        """Probability, 0 to 1, that the text is from the trusted sources: the mean over its windows; None if empty."""
        return self.score_windows(windows(text))

    def score_windows(self, lines: list[str]) -> float | None:
        """The same of prepared windows."""
        scores = [self._trusted(line) for line in lines]
        return sum(scores) / len(scores) if scores else None

    def _trusted(self, line: str) -> float:
        found: dict[str, float] = {
            label: score for score, label in self._native.predict(line + "\n", 2, 0.0, "replace")
        }
        return min(1.0, found.get(TRUSTED, 0.0))


def train(trusted: Iterable[Document], against: Iterable[Document], path: Path, seed: int = 1) -> Report:
    """Train a model, write it to `path` (a fastText file of less than 2 MB), and measure it on held-out documents.

    One thread and fixed seeds: the same documents, in the same order, give the same bytes.

    Raises:
        TooLittle: in no language do both sides have `LEAST_DOCUMENTS` documents.
        ChildProcessError: the process that trains died.
    """
    sides = [_by_language(trusted), _by_language(against)]
    numbers = {
        name: (len(sides[0].get(name, ())), len(sides[1].get(name, ()))) for name in sorted({*sides[0], *sides[1]})
    }
    used = [language for language, pair in numbers.items() if min(pair) >= LEAST_DOCUMENTS]
    if not used:
        found = ", ".join(f"{name}: {pair[0]} trusted, {pair[1]} others" for name, pair in numbers.items()) or "none"
        raise TooLittle(f"a language needs {LEAST_DOCUMENTS} documents of 50 words on both sides; there are {found}")
    lines: list[tuple[str, str]] = []
    counts: dict[tuple[str, str, str], tuple[int, int]] = {}
    tests: list[tuple[str, bool, Document]] = []
    for language in used:
        learned = []
        for side, label in zip(sides, (TRUSTED, OTHER), strict=True):
            seen = [d for d in side[language] if not held_out(d)]
            unseen = [d for d in side[language] if held_out(d)]
            learned.append([(label, line) for d in seen for line in d.windows])
            tests += [(language, label == TRUSTED, d) for d in unseen]
            name = label.removeprefix("__label__")
            by_source = (Counter(d.source for d in seen), Counter(d.source for d in unseen))
            counts |= {
                (name, s, language): (by_source[0][s], by_source[1][s]) for s in sorted({*by_source[0], *by_source[1]})
            }
        lines += _level(learned)
    if not lines:
        raise TooLittle("the texts of one side are copies of one another")
    random.Random(seed).shuffle(lines)
    _fit(lines, path, seed)
    scores = _measure(Classifier.load(path), tests)
    return Report(counts, {name: pair for name, pair in numbers.items() if name not in used}, scores)


def _by_language(documents: Iterable[Document]) -> dict[str, list[Document]]:
    found: defaultdict[str, list[Document]] = defaultdict(list)
    for document in documents:
        if document.windows:
            found[document.language].append(document)
    return found


def _level(sides: list[list[tuple[str, str]]]) -> Iterator[tuple[str, str]]:
    """Both sides' lines, as many of the one as of the other: the smaller is repeated, then the larger cut."""
    size = min(max(len(side) for side in sides), _REPEAT * min(len(side) for side in sides))
    for side in sides:
        for number in range(size):
            yield side[number % len(side)]


def _fit(lines: list[tuple[str, str]], path: Path, seed: int) -> None:
    """Train in a process of its own, whose memory is clean and given back, and whose crash is an error here."""
    with tempfile.TemporaryDirectory() as folder:
        source = Path(folder) / "train.txt"
        with source.open("w", encoding="utf-8", newline="\n") as file:
            file.writelines(f"{label} {line}\n" for label, line in lines)
        epochs = min(_EPOCHS[1], max(_EPOCHS[0], _VISITS // len(lines)))
        child = get_context("spawn").Process(target=_learn, args=(source, path, epochs, seed, KEPT_FEATURES))
        child.start()
        child.join()
        if child.exitcode:
            raise ChildProcessError(f"the process that trains the quality classifier ended with {child.exitcode}")


def _learn(source: Path, path: Path, epochs: int, seed: int, features: int) -> None:
    import fasttext

    # With one thread fastText 0.9.3 sets a tenth of its weights and takes the rest as the memory was: zeros from the
    # system, but anything from what was freed before, which gives other models or NaN.
    if sys.platform == "linux":
        set_option = getattr(ctypes.CDLL(None), "mallopt", None)  # glibc's: all memory is handed out as zeros
        if set_option:
            set_option(_M_PERTURB, 0xFF)
    fixed = {"loss": "softmax", "thread": 1, "verbose": 0}
    model = fasttext.train_supervised(str(source), epoch=epochs, seed=seed, **fixed, **TRAINING)
    model.quantize(str(source), cutoff=features, retrain=True, qnorm=True, epoch=2, lr=0.1, thread=1, verbose=0)
    model.save_model(str(path))


def _measure(model: Classifier, tests: list[tuple[str, bool, Document]]) -> dict[str, list[tuple[float, bool]]]:
    found: defaultdict[str, list[tuple[float, bool]]] = defaultdict(list)
    for language, side, document in tests:
        score = model.score_windows(document.windows)
        if score is not None:
            found[language].append((score, side))
    return dict(found)
