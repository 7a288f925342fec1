"""Which language a text and each of its lines are in, and in which script."""

from __future__ import annotations

import tomllib
from collections import Counter
from collections.abc import Iterator, Sequence
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import regex

from filters.language_text import preparation, script
from filters.model_files import SHIPPED, ModelError, check, digest, find

if TYPE_CHECKING:
    from filters.language_vectors import Classifier, Sums
    from filters.language_weights import Floats

UNKNOWN, NO_LANGUAGE = "und", "zxx"
PIECE_CHARS = 1 << 18
"""Characters of a text that are in hand at once, or one line if that is longer."""
SEGMENTS = 10_000
LINE_LETTERS = 20
"""Letters that a line needs to have a language; one of China, Japan or Korea counts for three."""
LINE_SCORE = 0.5
"""Probability that a line's best language needs."""
MIXED = 0.2
"""Share of the letters at which a second language makes a text mixed."""
BATCH = 4_096
"""Texts whose probabilities are computed at once."""

# Members of one macro-language (ISO 639-3), which models and declarations name by one code or the other.
_MACRO = {"nb": "no", "nn": "no", "hr": "sh", "bs": "sh", "sr": "sh", "cnr": "sh", "id": "ms"}
# Further near languages that the model takes for each other in one line.
_NEAR = {"da": "no", "xh": "zu"}
_WITHDRAWN = {"iw": "he", "in": "ms", "ji": "yi", "jw": "jv", "mo": "ro", "no": "no", "sh": "sh"}


@cache
def _labels() -> dict[str, str]:
    lines = (Path(__file__).parent / "models" / "labels.tsv").read_text("utf-8").splitlines()
    return dict(line.split("\t") for line in lines if line and not line.startswith("#"))


def normalise_label(label: str) -> str:
    """BCP 47 primary subtag of a model's label: `__label__fr`, `__label__fra_Latn`, `fra` give `fr`."""
    name = label.removeprefix("__label__")
    code = regex.split("[-_]", name)[0]
    return _labels().get(name) or _labels().get(code, code)


class LanguageModel:
    """A fastText language classifier. Load one per process with `load`; not to be shared by threads."""

    def __init__(self, name: str, classifier: Classifier, labels: Sequence[str]) -> None:
        import numpy as np

        self.name = name
        self.classifier = classifier
        named = [normalise_label(label) for label in labels]
        self.languages = list(dict.fromkeys(named))
        """The languages that the model knows, as BCP 47 primary subtags."""
        self._merge = np.zeros((len(named), len(self.languages)), np.float32)
        for number, language in enumerate(named):
            self._merge[number, self.languages.index(language)] = 1

    @classmethod
    def load(cls, name_or_path: str = SHIPPED, sha256: str | None = None) -> LanguageModel:
        """A model known by name (`models.toml`; fetched into the cache on first use) or a fastText file.

        `sha256` (64 hex digits) is verified when given. A file that is not known by name is taken to want
        prepared text when its vocabulary is lower-case. Raises `ModelError`.
        """
        from filters.language_vectors import Classifier

        name, path, prepared = find(name_or_path, sha256)
        layout = check(path)
        if layout.word_ngrams > 1:
            raise ModelError(f"language model {path}: it has word n-grams, which no known language model has")
        lower = _lower_case(layout.words) if prepared is None else prepared
        classifier = Classifier(path, layout, preparation(lower))
        return cls(name, classifier, [label for label, _ in layout.labels])

    @staticmethod
    def digest(name_or_path: str = SHIPPED, sha256: str | None = None) -> str:
        """SHA-256 of the model's file (64 hex digits), fetched if need be: call once before workers load it."""
        return digest(find(name_or_path, sha256)[1])

    def scores(self, sums: Sums) -> Floats:
        """Probabilities of `languages`, n x languages; labels that mean one language are added up."""
        found = self.classifier.probabilities(sums)
        return found if found.shape[1] == len(self.languages) else found @ self._merge

    def ranking(self, text: str) -> list[tuple[str, float]]:
        """All languages with their probabilities (0 to 1), best first; `[("und", 0.0)]` when there are no letters."""
        return self.ranked(self.classifier.sums([text]), len(self.languages))[0]

    def predict(self, text: str) -> list[tuple[str, float]]:
        """The three most probable languages, best first, as (BCP 47 primary subtag, probability 0 to 1)."""
        return self.ranked(self.classifier.sums([text]), 3)[0]

    def ranked(self, sums: Sums, places: int) -> list[list[tuple[str, float]]]:
        """The best `places` languages of each of n sums, as `ranking` gives them."""
        import numpy as np

        scores = self.scores(sums)
        if places > 3:
            order = np.argsort(-scores, axis=1, kind="stable")[:, :places]
        else:
            left = scores.copy()
            order = np.empty((len(scores), places), np.int64)
            for place in range(places):
                order[:, place] = left.argmax(axis=1)
                left[np.arange(len(left)), order[:, place]] = -1
        best = np.minimum(1, np.take_along_axis(scores, order, 1)).astype(np.float64).round(4).tolist()
        return [
            [(self.languages[column], score) for column, score in zip(columns, row, strict=True)]
            if letters
            else [(UNKNOWN, 0.0)]
            for columns, row, letters in zip(order.tolist(), best, sums.letters.tolist(), strict=True)
        ]


def batch(texts: Sequence[str], model: LanguageModel) -> list[list[tuple[str, float]]]:
    """`model.predict` of many texts, in their order, at less cost each."""
    found = []
    for start in range(0, len(texts), BATCH):
        found += model.ranked(model.classifier.sums(texts[start : start + BATCH]), 3)
    return found


def signals(
    text: str, model: LanguageModel, others: Sequence[LanguageModel] = (), declared: str | None = None
) -> dict[str, Any]:
    """The language columns of `catalog.schema.SIGNALS` for one text; a place without a language is None.

    The whole text is read. `others` are asked too, and agree when all best answers are of one macro-language, or no
    model finds any. `declared` is the language that the document states (BCP 47), or None.
    """
    lines = _Lines(model)
    for piece in _pieces(text):
        lines.add(piece)
    ranked = model.ranked(lines.sums(), 3)[0]
    columns: dict[str, Any] = {}
    for suffix, (language, score) in zip(("", "_2", "_3"), [*ranked, (None, None), (None, None)], strict=False):
        columns[f"language{suffix}"], columns[f"language{suffix}_score"] = language, score
    best = ranked[0][0]
    answers = [(other.name, *other.predict(text)[0]) for other in others]
    columns["language_others"] = [dict(zip(("model", "language", "score"), a, strict=True)) for a in answers] or None
    columns["language_agree"] = all(same(best, language) for _, language, _ in answers) if answers else None
    stated = _stated(declared)
    columns["language_as_declared"] = same(best, stated) if stated else None
    columns["segment_languages"] = lines.languages[:SEGMENTS]
    columns["language_share"], columns["language_mixed"] = lines.shares(best)
    return columns | {"script": script(text), "language_model": model.name}


def thresholds() -> dict[str, float]:
    """The least `language_score` at which a text passes for its language, for the shipped model.

    By FineWeb2's formula from data that the model was not trained on: see `benchmarks/language_thresholds.py`.
    """
    text = (Path(__file__).parent / "language_thresholds.toml").read_text("utf-8")
    found: dict[str, float] = tomllib.loads(text)["language_score"]
    return found


def same(one: str, other: str) -> bool:
    """Whether two languages are one, or of one macro-language (ISO 639-3): nb and nn, hr and bs, id and ms."""
    return _MACRO.get(one, one) == _MACRO.get(other, other)


def _stated(declared: str | None) -> str | None:
    """Primary subtag of a declared language; None where the declaration names no language."""
    code = regex.split("[-_]", (declared or "").strip().lower())[0]
    if not regex.fullmatch("[a-z]{2,3}", code) or code in {UNKNOWN, NO_LANGUAGE, "mul", "mis"}:
        return None
    return _WITHDRAWN.get(code) or normalise_label(code)


class _Lines:
    """The languages of a text's lines, and the sums of all of it."""

    def __init__(self, model: LanguageModel) -> None:
        self.model = model
        self.languages: list[str] = []
        """Of each line that is not blank, `SEGMENTS` of them or a few more."""
        self._letters: Counter[str] = Counter()
        self._sums: list[Sums] = []

    def add(self, piece: str) -> None:
        """Whole lines."""
        import numpy as np

        lines = [line for line in piece.split("\n") if line and not line.isspace()]
        sums = self.model.classifier.sums(lines)
        self._sums.append(sums.total())
        names = np.full(len(lines), UNKNOWN, object)
        long = np.flatnonzero(sums.letters >= LINE_LETTERS)
        if len(long):
            scores = self.model.scores(sums.take(long))
            best = scores.argmax(axis=1)
            sure = scores[np.arange(len(long)), best] >= LINE_SCORE
            names[long[sure]] = np.array(self.model.languages, object)[best[sure]]
            letters = np.bincount(best[sure], sums.letters[long[sure]], len(self.model.languages))
            self._letters.update({self.model.languages[at]: int(letters[at]) for at in np.flatnonzero(letters)})
        if len(self.languages) < SEGMENTS:
            self.languages += names.tolist()

    def sums(self) -> Sums:
        """Of the whole text."""
        from filters.language_vectors import join

        return join(self._sums).total()

    def shares(self, language: str) -> tuple[float | None, bool | None]:
        """`language_share` and `language_mixed`; None where no line has a known language."""
        groups: Counter[str] = Counter()
        for other, letters in self._letters.items():
            if other not in {UNKNOWN, NO_LANGUAGE}:
                groups[_near(other)] += letters
        total = groups.total()
        if not total:
            return None, None
        own = groups.pop(_near(language), 0)
        return round(own / total, 4), max(groups.values(), default=0) >= MIXED * total


def _near(language: str) -> str:
    """One name for the languages that a line is not enough to tell apart."""
    return _NEAR.get(language) or _MACRO.get(language, language)


def _pieces(text: str) -> Iterator[str]:
    """`text` in pieces of whole lines, each as few as reach `PIECE_CHARS` characters."""
    at = 0
    while len(text) - at > PIECE_CHARS:
        end = text.find("\n", at + PIECE_CHARS) + 1 or len(text)
        yield text[at:end]
        at = end
    yield text[at:] if at else text


def _lower_case(words: list[bytes]) -> bool:
    """Whether a model's vocabulary says that it was trained on lower-cased text, hence on prepared text."""
    known = [word.decode("utf-8", "replace") for word in words]
    return sum(word != word.lower() for word in known) <= len(known) // 100
