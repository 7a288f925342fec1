"""Train the shipped language model from labelled sentences, and measure it on sentences that it never saw.

    python -m benchmarks.train_language SENTENCES --extra mt=FILE --out filters/models/florilege-lid.ftz
    python -m benchmarks.train_language SENTENCES --extra mt=FILE --measure MODEL [MODEL ...]

SENTENCES is a folder of `xx.txt`, a sentence a line. One thread and fixed seeds: the same input and the same
fastText build give the same bytes. `benchmarks/language.py` makes the tables of `filters/models/README.md`.
"""

from __future__ import annotations

import argparse
import hashlib
import random
import sys
import tempfile
import time
import unicodedata
from collections.abc import Iterator
from pathlib import Path

import regex

from benchmarks.language_noise import code, misread, non_text, other_script, random_letters
from filters.language import LanguageModel
from filters.language_text import prepare

EU = [
    "bg", "cs", "da", "de", "el", "en", "es", "et", "fi", "fr", "ga", "hr",
    "hu", "it", "lt", "lv", "mt", "nl", "pl", "pt", "ro", "sk", "sl", "sv",
]  # fmt: skip
NO_TEXT, NO_LANGUAGE = "zxx", "und"
PER_LANGUAGE = 800
"""Sentences a language is brought up to by repetition, so that small ones are not outvoted."""
TRAINING = {"dim": 24, "minn": 1, "maxn": 5, "minCount": 5, "bucket": 1_000_000, "epoch": 15, "lr": 0.2}
KEPT_FEATURES = 89_000
"""Words and character n-grams that survive quantisation; sets the size of the file."""

Sentences = dict[str, list[str]]

# Serbian is written in two alphabets, and each Cyrillic letter has its Latin one.
SERBIAN = str.maketrans(
    dict(zip("абвгдђежзијклмнопрстћуфхцчш", "abvgdđežzijklmnoprstćufhcčš", strict=True))
    | {"љ": "lj", "њ": "nj", "џ": "dž"}
)


def read(folder: Path, extra: list[str]) -> Sentences:
    """Distinct sentences per language, sorted. `extra` has items `xx=FILE`; a file may hold paragraphs."""
    found: dict[str, set[str]] = {}
    files = [(path.stem, path) for path in sorted(folder.glob("*.txt"))]
    files += [(item.partition("=")[0], Path(item.partition("=")[2])) for item in extra]
    for language, path in files:
        lines = path.read_text("utf-8").splitlines()
        found.setdefault(language, set()).update(line.strip() for line in lines if prepare(line))
    return {language: sorted(lines) for language, lines in sorted(found.items())}


def held_out(sentence: str) -> bool:
    """Whether a sentence is for measuring: decided by its own hash, so it never moves to the other side."""
    return hashlib.sha256(f"florilege-lid 1\n{sentence}".encode()).digest()[0] % 5 == 0


def split(sentences: Sentences) -> tuple[Sentences, Sentences]:
    """Sentences for training (about 80 %) and for measuring."""
    train = {key: [line for line in lines if not held_out(line)] for key, lines in sentences.items()}
    test = {key: [line for line in lines if held_out(line)] for key, lines in sentences.items()}
    return train, test


def variants(lines: list[str], rng: random.Random) -> Iterator[str]:
    """Each sentence whole, joined with others, cut to a part and to a few words; some without accents."""
    for _ in range(max(1, round(PER_LANGUAGE / len(lines)))):
        for line in lines:
            yield line
            yield " ".join(rng.choices(lines, k=rng.randint(2, 5)))
            units = line.split() if " " in line.strip() else list(line)
            glue = " " if " " in line.strip() else ""
            for longest in (max(3, len(units) // 2), 4):
                size = min(len(units), rng.randint(1, longest))
                start = rng.randrange(len(units) - size + 1)
                yield glue.join(units[start : start + size])
            if rng.random() < 0.15:
                yield without_accents(line)


def without_accents(line: str) -> str:
    """Latin and Greek letters without their marks, as capitals and old typesetting have them."""
    marked = regex.sub(r"([\p{Latin}\p{Greek}])\p{Mn}+", r"\1", unicodedata.normalize("NFD", line))
    return unicodedata.normalize("NFC", marked)


def serbian_latin(line: str) -> str:
    """A Serbian sentence in Latin letters, lower-case."""
    return line.lower().translate(SERBIAN)


def training_lines(train: Sentences, seed: int = 1) -> list[str]:
    """fastText's input, `__label__xx words ...`, prepared and shuffled."""
    rng = random.Random(seed)
    texts = [(language, text) for language, lines in train.items() for text in variants(lines, rng)]
    texts += [("sr", text) for text in variants([serbian_latin(line) for line in train.get("sr", [])], rng)]
    texts += [(NO_TEXT, non_text(rng)) for _ in range(3 * PER_LANGUAGE)]
    texts += [(NO_TEXT, code(rng)) for _ in range(PER_LANGUAGE)]
    texts += [(NO_TEXT, random_letters(rng)) for _ in range(2 * PER_LANGUAGE)]
    texts += [(NO_TEXT, misread(rng, train)) for _ in range(PER_LANGUAGE)]
    texts += [(NO_LANGUAGE, other_script(rng)) for _ in range(3 * PER_LANGUAGE)]
    lines = [f"__label__{language} {line}" for language, text in texts if (line := prepare(text).strip())]
    rng.shuffle(lines)
    return lines


def fit(lines: list[str], out: Path) -> None:
    """Train, quantise with retraining of the kept features, and write the model."""
    import fasttext

    with tempfile.TemporaryDirectory() as folder:
        source = Path(folder) / "train.txt"
        source.write_text("\n".join(lines) + "\n", "utf-8")
        model = fasttext.train_supervised(str(source), loss="softmax", thread=1, verbose=0, **TRAINING)
        model.quantize(
            str(source), cutoff=KEPT_FEATURES, retrain=True, qnorm=True, epoch=5, lr=0.1, thread=1, verbose=0
        )
        model.save_model(str(out))


def best(model: LanguageModel, text: str, allowed: set[str]) -> str:
    """The model's most probable language among the allowed ones."""
    for language, _ in model.ranking(text):
        if language in allowed:
            return language
    return NO_LANGUAGE


def accuracy(model: LanguageModel, test: Sentences, allowed: set[str]) -> dict[str, float]:
    """Share of each language's texts whose best allowed language is right."""
    return {
        language: sum(best(model, text, allowed) == language for text in texts) / len(texts)
        for language, texts in test.items()
        if language in allowed and texts
    }


def joined(test: Sentences, size: int = 5) -> Sentences:
    """Texts of `size` held-out sentences each."""
    return {
        language: [" ".join(lines[at : at + size]) for at in range(0, len(lines) - size + 1, size)]
        for language, lines in test.items()
    }


def few_words(test: Sentences, size: int = 4) -> Sentences:
    """Words 2 to 5 of each held-out sentence that is written with spaces."""
    return {
        language: [" ".join(line.split()[1 : size + 1]) for line in lines if len(line.split()) > size]
        for language, lines in test.items()
    }


def mean(figures: dict[str, float], among: list[str]) -> float:
    chosen = [figures[language] for language in among if language in figures]
    return sum(chosen) / len(chosen)


def measure(models: list[LanguageModel], test: Sentences) -> str:
    """Markdown tables: accuracy of each model among the languages that all know, overall and per language."""
    shared = set(test).intersection(*(model.languages for model in models))
    sets = {"sentence": test, "5 sentences": joined(test), "4 words": few_words(test)}
    figures = {(name, m.name): accuracy(m, texts, shared) for name, texts in sets.items() for m in models}
    eu = [language for language in EU if language in shared]
    rows = [f"{len(shared)} languages known to all, {len(eu)} of the EU.", ""]
    rows += ["| text | model | all | EU |", "|---|---|---|---|"]
    for (name, model), got in figures.items():
        rows.append(f"| {name} | {model} | {mean(got, sorted(shared)):.4f} | {mean(got, eu):.4f} |")
    columns = [(name, m.name) for name in list(sets)[:2] for m in models]
    rows += ["", "| language | n | " + " | ".join(f"{m}, {name}" for name, m in columns) + " |"]
    rows.append("|---" * (len(columns) + 2) + "|")
    for language in sorted(shared):
        cells = " | ".join(f"{figures[column].get(language, float('nan')):.3f}" for column in columns)
        rows.append(f"| {language} | {len(test[language])} | {cells} |")
    return "\n".join(rows)


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0] if __doc__ else None)
    parser.add_argument("sentences", type=Path, help="folder of xx.txt, a sentence a line")
    parser.add_argument("--extra", action="append", default=[], metavar="xx=FILE", help="more text of a language")
    parser.add_argument("--out", type=Path, help="train, and write the model here")
    parser.add_argument("--measure", nargs="+", default=[], metavar="MODEL", help="names or files to compare")
    options = parser.parse_args(arguments)
    train, test = split(read(options.sentences, options.extra))
    if options.out:
        started = time.perf_counter()
        lines = training_lines(train)
        fit(lines, options.out)
        print(f"{len(lines)} lines, {options.out.stat().st_size} bytes, {time.perf_counter() - started:.0f} s")
    if options.measure:
        print(measure([LanguageModel.load(name) for name in options.measure], test))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
