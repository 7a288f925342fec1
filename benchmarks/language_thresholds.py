"""Derive the least `language_score` of each language, by FineWeb2's formula.

    python -m benchmarks.language_thresholds SENTENCES [--extra mt=FILE] --out filters/language_thresholds.toml
    python -m benchmarks.language_thresholds --signals 'corpus/**/signals*.parquet' --out mine.toml

A threshold is max(0.3, min(0.9, median - standard deviation)) of the scores of the documents that were detected as
the language (FineWeb2, arXiv 2506.20920, section 3.2). The file that comes with florilege rests on sentences that
the shipped model was not trained on (`benchmarks.train_language.held_out`), five to a document, each document whole
and cut to 300, 100 and 50 characters, and on one line in twenty that is no language, because what is detected in a
crawl as a language is not all in it. The second command derives thresholds from a corpus of one's own.
"""

from __future__ import annotations

import argparse
import random
import statistics
import sys
from collections import defaultdict
from collections.abc import Iterable, Iterator
from datetime import date
from pathlib import Path

from benchmarks.language_noise import code, non_text, random_letters
from benchmarks.train_language import Sentences, joined, read, split
from filters.language import NO_LANGUAGE, UNKNOWN, LanguageModel, batch

LOWEST, HIGHEST = 0.3, 0.9
FEWEST = 20
"""Documents that a language needs to get a threshold."""
CUTS = (None, 300, 100, 50)


def threshold(scores: list[float]) -> float:
    """FineWeb2's least confidence of a language, from the scores (0 to 1) of the documents detected as it."""
    return round(max(LOWEST, min(HIGHEST, statistics.median(scores) - statistics.pstdev(scores))), 3)


def derive(detected: Iterable[tuple[str, float]]) -> dict[str, float]:
    """Thresholds from (language, score) of documents; a language with fewer than `FEWEST` has none."""
    scores: dict[str, list[float]] = defaultdict(list)
    for language, score in detected:
        if language not in {UNKNOWN, NO_LANGUAGE}:
            scores[language].append(score)
    return {language: threshold(found) for language, found in sorted(scores.items()) if len(found) >= FEWEST}


def documents(test: Sentences, seed: int = 2) -> Iterator[str]:
    """Documents of five sentences, whole and cut, and noise."""
    rng = random.Random(seed)
    for texts in joined(test).values():
        for text in texts:
            for cut in CUTS:
                yield text[:cut]
                if rng.random() < 0.05:
                    yield rng.choice((code, non_text, random_letters))(rng)


def stored(pattern: str) -> list[tuple[str, float]]:
    """Language and score of the documents of a corpus: its signals as parquet files."""
    import duckdb

    query = "SELECT language, language_score FROM read_parquet(?) WHERE language_score IS NOT NULL"
    return duckdb.execute(query, [pattern]).fetchall()


def as_toml(found: dict[str, float], source: str) -> str:
    lines = [
        "# Least `language_score` per language: max(0.3, min(0.9, median - standard deviation)) of the scores of the",
        "# documents detected as the language (FineWeb2, arXiv 2506.20920). Made by `python -m",
        f"# benchmarks.language_thresholds` on {date.today()} from {source}.",
        "",
        "[language_score]",
        *(f"{language} = {least}" for language, least in found.items()),
    ]
    return "\n".join(lines) + "\n"


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0] if __doc__ else None)
    parser.add_argument("sentences", nargs="?", type=Path, help="folder of xx.txt, a sentence a line")
    parser.add_argument("--extra", action="append", default=[], metavar="xx=FILE", help="more text of a language")
    parser.add_argument("--signals", help="parquet files of a corpus instead")
    parser.add_argument("--out", type=Path, required=True)
    options = parser.parse_args(arguments)
    if options.signals:
        found, source = derive(stored(options.signals)), f"the corpus {options.signals}"
    elif options.sentences:
        texts = list(documents(split(read(options.sentences, options.extra))[1]))
        found = derive(ranked[0] for ranked in batch(texts, LanguageModel.load()))
        digest = LanguageModel.digest()
        source = f"{len(texts)} made documents\n# (held-out sentences, cuts of them, noise); model {digest[:16]}"
    else:
        parser.error("give a folder of sentences, or --signals")
    options.out.write_text(as_toml(found, source), "utf-8")
    print(f"{len(found)} languages, {sum(least < HIGHEST for least in found.values())} below {HIGHEST}")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
