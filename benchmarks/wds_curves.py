"""The figures of filters/wds.toml that are our own: `python -m benchmarks.wds_curves SHARED_DATA`.

Curves: the median share that zstd (level 1) leaves of the beginnings of real pages, acts and sentences, by script group
and bytes. Scales: letters of the Universal Declaration of Human Rights against the Spanish version.
"""

from __future__ import annotations

import gzip
import html
import json
import re
import sys
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from statistics import median

import zstandard

from filters.characters import LETTER, UNSPACED, characters, count
from filters.wds import script_group

BYTES = (100, 300, 1_000, 3_000, 10_000, 30_000)
_BLOCK = re.compile(r"<(script|style|head)\b.*?</\1>", re.DOTALL | re.IGNORECASE)
_TAG = re.compile(r"<[^>]*>")


def curves(texts: Iterator[str]) -> dict[str, list[tuple[float | None, int]]]:
    """Per script group and size of BYTES: the median share left, and of how many texts."""
    shares: dict[tuple[str, int], list[float]] = defaultdict(list)
    for text in texts:
        for size in BYTES:
            stored = text.encode("utf-8", "replace")[:size]
            if len(stored) == size:
                part = stored.decode("utf-8", "ignore")
                left = len(zstandard.ZstdCompressor(level=1).compress(stored)) / size
                shares[script_group(part), size].append(left)
    groups = sorted({group for group, _ in shares})
    return {
        group: [
            (round(median(found), 3), len(found)) if (found := shares[group, size]) else (None, 0) for size in BYTES
        ]
        for group in groups
    }


def letters(text: str) -> int:
    counts = count(characters(text)[1])
    return counts[LETTER] + counts[UNSPACED]


def pages(data: Path) -> Iterator[str]:
    with gzip.open(data / "html" / "gold.jsonl.gz", "rt", encoding="utf-8") as found:
        yield from (json.loads(page)["text"] for page in found)


def acts(data: Path) -> Iterator[str]:
    for path in sorted((data / "eurlex").glob("*/*.html")):
        lines = html.unescape(_TAG.sub("\n", _BLOCK.sub("", path.read_text("utf-8", "replace")))).split("\n")
        yield "\n".join(line for line in map(str.strip, lines) if line)


def sentences(data: Path) -> Iterator[str]:
    for path in sorted(data.glob("langid/lingua-py/language-testdata/sentences/*.txt")):
        yield path.read_text("utf-8")


if __name__ == "__main__":
    shared = Path(sys.argv[1])
    for texts in (pages, acts, sentences):
        print(texts.__name__, *curves(texts(shared)).items(), sep="\n")
    declarations = {
        path.name[5:7].lower(): letters(path.read_text("utf-8"))
        for path in sorted(shared.glob("pdf/typeset/UDHR_*.truth.txt"))
    }
    print("letters / Spanish", {name: round(n / declarations["es"], 3) for name, n in declarations.items()})
