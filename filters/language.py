"""Which language a text is in, and in which script: a fastText classifier and Unicode's script property."""

from __future__ import annotations

from collections import Counter
from functools import cache
from pathlib import Path
from typing import Any

import regex

from filters.model_files import SHIPPED, ModelError, check, digest, find

UNKNOWN = "und"
SAMPLE_CHARS = 5_000
"""Characters of a text that are looked at. More do not change the answer, and cost grows with each."""
SAMPLE_WINDOWS = 10

_NO_WORD = regex.compile(r"[^\p{Word}\p{Zs}]|\d")
_SPACE = regex.compile(r"\s+")
_LETTER = regex.compile(r"\p{L}")
_SCRIPTS = {
    code: regex.compile(rf"\p{{Script={code}}}")
    for line in (
        "Latn Cyrl Grek Arab Hani Hira Kana Hang Hebr Deva Thai Beng Taml Telu Guru Gujr Geor Armn",
        "Ethi Khmr Laoo Mymr Knda Mlym Orya Sinh Tibt Mong Thaa Syrc Bopo Cher Cans Tfng Nkoo Yiii",
    )
    for code in line.split()
}
_KANA_SHARE = 0.05  # below, kana in Chinese text is a quotation or a brand name


def prepare(text: str) -> str:
    """One lower-case line of words, without digits and punctuation.

    The preparation of OpenLID as HPLT 3.0 applies it (arXiv 2511.01066): strip, lower-case, squeeze white space,
    delete `[^\\p{Word}\\p{Zs}]|\\d`. One difference: there a single tab is deleted and joins two words, here
    all white space becomes a space.
    """
    line = _SPACE.sub(" ", text.strip().lower())
    return str(_NO_WORD.sub("", line))


def sample(text: str) -> str:
    """The text itself up to `SAMPLE_CHARS` characters; of a longer one, evenly spread windows of that total.

    Spread, because a document's start is often not in its language: menus, letterheads, lists of languages.
    """
    if len(text) <= SAMPLE_CHARS:
        return text
    width = SAMPLE_CHARS // SAMPLE_WINDOWS
    step = (len(text) - width) / (SAMPLE_WINDOWS - 1)
    starts = (round(step * window) for window in range(SAMPLE_WINDOWS))
    return " ".join(text[start : start + width] for start in starts)


def script(text: str) -> str:
    """Dominant script of the letters (ISO 15924), seen in a `sample` of the text.

    `Jpan` is Chinese characters with kana, `Kore` is Hangul, `Hani` Chinese characters alone (simplified or
    traditional), `Zyyy` a text without letters, `Zzzz` a script that is not looked for.
    """
    counts = Counter(sample(text))
    letters = "".join(_LETTER.findall("".join(counts)))
    if not letters:
        return "Zyyy"
    totals: Counter[str] = Counter()
    for code, pattern in _SCRIPTS.items():
        totals[code] = sum(counts[letter] for letter in pattern.findall(letters))
        letters = pattern.sub("", letters)
        if not letters:
            break
    totals["Zzzz"] = sum(counts[letter] for letter in letters)
    kana = totals.pop("Hira", 0) + totals.pop("Kana", 0)
    if kana > _KANA_SHARE * (kana + totals["Hani"]):
        totals["Jpan"] = kana + totals.pop("Hani")
    dominant = totals.most_common(1)[0][0]
    return "Kore" if dominant == "Hang" else dominant


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
    """A fastText language classifier. Load one per process with `load`; it cannot be pickled."""

    def __init__(self, name: str, native: Any, prepared: bool) -> None:
        self.name = name
        self._native = native
        self._line = prepare if prepared else _one_line

    @classmethod
    def load(cls, name_or_path: str = SHIPPED, sha256: str | None = None) -> LanguageModel:
        """A model known by name (`models.toml`; fetched into the cache on first use) or a fastText file.

        `sha256` (64 hex digits) is verified when given. A file that is not known by name is taken to want
        prepared text when its vocabulary is lower-case. Raises `ModelError`.
        """
        name, path, prepared = find(name_or_path, sha256)
        check(path)
        native = _read(path)
        return cls(name, native, _lower_case(native) if prepared is None else prepared)

    @staticmethod
    def digest(name_or_path: str = SHIPPED, sha256: str | None = None) -> str:
        """SHA-256 of the model's file (64 hex digits), fetched if need be: call once before workers load it."""
        return digest(find(name_or_path, sha256)[1])

    def labels(self) -> set[str]:
        """The languages that the model knows, as BCP 47 primary subtags."""
        return {normalise_label(label) for label in self._native.getLabels("replace")[0]}

    def ranking(self, text: str, labels: int = -1) -> list[tuple[str, float]]:
        """Languages with their probabilities (0 to 1), best first, among the model's best `labels` (-1: all).

        Labels that mean one language are added up. `[("und", 0.0)]` when the text has no letters.
        """
        part = sample(text)
        if not _LETTER.search(part):
            return [(UNKNOWN, 0.0)]
        # Lone surrogates cannot be encoded, and fastText stops reading at its own end-of-line token.
        line = self._line(part).encode("utf-8", "ignore").decode().replace("</s>", " ")
        scores: Counter[str] = Counter()
        for score, label in self._native.predict(line + "\n", labels, 0.0, "replace"):
            scores[normalise_label(label)] += score
        ranked = [(language, min(1.0, round(score, 4))) for language, score in scores.most_common()]
        return ranked or [(UNKNOWN, 0.0)]

    def predict(self, text: str) -> list[tuple[str, float]]:
        """The three most probable languages, best first, as (BCP 47 primary subtag, probability 0 to 1)."""
        return self.ranking(text, labels=5)[:3]


def signals(text: str, model: LanguageModel) -> dict[str, str | float | None]:
    """The language columns of `catalog.schema.SIGNALS` for one text; a place without a language is None."""
    ranked: list[tuple[str | None, float | None]] = [*model.predict(text)]
    ranked += [(None, None)] * (3 - len(ranked))
    columns: dict[str, str | float | None] = {}
    for suffix, (language, score) in zip(("", "_2", "_3"), ranked, strict=True):
        columns[f"language{suffix}"] = language
        columns[f"language{suffix}_score"] = score
    return columns | {"script": script(text), "language_model": model.name}


def _one_line(text: str) -> str:
    return " ".join(text.split())


def _lower_case(native: Any) -> bool:
    """Whether a model's vocabulary says that it was trained on lower-cased text, hence on prepared text."""
    words = native.getVocab("replace")[0]
    return bool(sum(word != word.lower() for word in words) <= len(words) // 100)


def _read(path: Path) -> Any:
    """fastText's native classifier: its Python wrapper fails under numpy 2 and is slower."""
    import fasttext

    try:
        return fasttext.load_model(str(path)).f
    except (ValueError, RuntimeError, MemoryError) as problem:
        raise ModelError(f"language model {path}: fastText cannot read it: {problem}") from problem
