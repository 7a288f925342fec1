"""Build a corpus of damaged PDFs and web pages, and see that each ends as text or as an error: none lost, none hanging.

    python benchmarks/mutate.py [DATA] [--count 1000] [--seed 1] [--keep FOLDER]

DATA holds `pdf/**/*.pdf`, `html/pages.warc.gz` and `eurlex/*/*.html`; without it the demo's own inputs are damaged.
Each file is a sample with one to three kinds of damage: flipped bits, overwritten runs, cut ends, slices doubled,
moved and taken out, the head of one sample on the tail of another, numbers blown up, lengths of streams changed,
damage inside packed streams, tags multiplied. The same seed makes the same files. Prints a Markdown table, and ends
with status 1 when an input is in no table or in two, or a shard could not be made.
"""

from __future__ import annotations

import argparse
import random
import re
import subprocess
import sys
import tempfile
import time
import zlib
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from catalog import reports, store
from catalog.files import Corpus
from extractors import warc
from flows import demo

Damage = Callable[[random.Random, bytearray, bytes], bytearray]

LARGEST = 1_000_000
"""Bytes of a sample: larger ones take long and break no differently."""
DEADLINE_S = 10
RECIPE = """\
name = "mutated"
output = "corpus"

[[sources]]
name = "pdf"
kind = "files"
path = "inputs/pdf"

[[sources]]
name = "html"
kind = "files"
path = "inputs/html"

[extract]
deadline_s = {deadline_s}

[engine]
workers = {workers}
"""
KINDS = (
    ("deadline", "%took over%"),
    ("memory", "%needed more than%"),
    ("child died", "%process died%"),
    ("extractor failed", "%extraction failed%"),
    ("encrypted", "encrypted%"),
    ("no text layer", "no text layer%"),
    ("not a readable PDF", "not a readable PDF%"),
    ("other error", "%"),
)
"""Kinds of errors by what they say, the first that fits."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of the damaged files."""

    files: Counter[tuple[str, str]]
    """By kind of outcome and format."""
    lost: list[str]
    """Inputs with no row, or with more than one."""


def samples(data: Path | None, scratch: Path) -> dict[str, list[bytes]]:
    """Whole files by format, in a fixed order."""
    if data is None:
        demo.make(scratch)
        pdfs, pages = scratch.rglob("*.pdf"), scratch.rglob("*.html")
        archives = sorted((scratch / "web").glob("*.warc.gz"))
    else:
        pdfs, pages = (data / "pdf").rglob("*.pdf"), (data / "eurlex").rglob("*.html")
        archives = sorted((data / "html").glob("pages.warc.gz"))
    found = {"pdf": [path.read_bytes() for path in sorted(pdfs)], "html": [p.read_bytes() for p in sorted(pages)]}
    for archive in archives:
        for record in warc.read(lambda path=archive: path.open("rb"), source="", path="", max_payload=LARGEST):
            if record.format == "html" and record.payload:
                found["html"].append(record.payload)
    return {kind: [sample for sample in of if 0 < len(sample) <= LARGEST] for kind, of in found.items()}


def mutate(rng: random.Random, kind: str, sample: bytes, other: bytes) -> bytes:
    """A damaged copy of `sample`; `other` is spliced in by some of the damages."""
    data = bytearray(sample)
    for damage in rng.choices(ANY + (PDF if kind == "pdf" else HTML), k=rng.randint(1, 3)):
        data = damage(rng, data, other)
    return bytes(data)


def _span(rng: random.Random, data: bytearray, longest: int = 1 << 16) -> slice:
    start = rng.randrange(len(data) + 1)
    return slice(start, start + rng.randint(1, longest))


def _flip_bits(rng: random.Random, data: bytearray, other: bytes) -> bytearray:
    for _ in range(rng.choice((1, 10, 200)) if data else 0):
        data[rng.randrange(len(data))] ^= 1 << rng.randrange(8)
    return data


def _overwrite(rng: random.Random, data: bytearray, other: bytes) -> bytearray:
    place = _span(rng, data, 5_000)
    size = len(data[place])
    data[place] = rng.choice((bytes(size), b"\xff" * size, rng.randbytes(size), b" " * size))
    return data


def _cut(rng: random.Random, data: bytearray, other: bytes) -> bytearray:
    return data[: rng.randrange(len(data) + 1)]


def _double(rng: random.Random, data: bytearray, other: bytes) -> bytearray:
    place = _span(rng, data)
    data[place] = data[place] * rng.randint(2, 5)
    return data


def _move(rng: random.Random, data: bytearray, other: bytes) -> bytearray:
    place = _span(rng, data)
    taken = data[place]
    del data[place]
    target = rng.randrange(len(data) + 1)
    data[target:target] = taken
    return data


def _take_out(rng: random.Random, data: bytearray, other: bytes) -> bytearray:
    del data[_span(rng, data)]
    return data


def _splice(rng: random.Random, data: bytearray, other: bytes) -> bytearray:
    return data[: rng.randrange(len(data) + 1)] + other[rng.randrange(len(other) + 1) :]


def _insert(rng: random.Random, data: bytearray, other: bytes) -> bytearray:
    start = rng.randrange(len(data) + 1)
    data[start:start] = other[_span(rng, bytearray(other))]
    return data


def _replace_some(rng: random.Random, data: bytearray, what: bytes, by: Callable[[bytes], bytes]) -> bytearray:
    """Replace one to five of the places where an expression fits."""
    places = [match.span() for match in re.finditer(what, data)]
    for start, end in sorted(rng.sample(places, min(len(places), rng.randint(1, 5))), reverse=True):
        data[start:end] = by(bytes(data[start:end]))
    return data


def _blow_up(rng: random.Random, data: bytearray, other: bytes) -> bytearray:
    numbers = (b"0", b"-1", b"2147483647", b"4294967296", b"99999999999999999999", b"1e308", b"0.0000001")
    return _replace_some(rng, data, rb"(?<=[ /\[])\d{1,9}(?=[ /\]>\r\n])", lambda _: rng.choice(numbers))


def _change_lengths(rng: random.Random, data: bytearray, other: bytes) -> bytearray:
    return _replace_some(rng, data, rb"/Length \d+", lambda _: b"/Length %d" % rng.randrange(1 << 20))


def _point_elsewhere(rng: random.Random, data: bytearray, other: bytes) -> bytearray:
    return _replace_some(rng, data, rb"\b\d{1,5} 0 R\b", lambda _: b"%d 0 R" % rng.randrange(40))


def _damage_streams(rng: random.Random, data: bytearray, other: bytes) -> bytearray:
    """Damage inside packed streams, so that it is not stopped by their check sums."""

    def damaged(stream: bytes) -> bytes:
        try:
            plain = zlib.decompressobj().decompress(stream, 1 << 22)
        except zlib.error:
            return stream
        change = rng.choice((_flip_bits, _overwrite, _cut, _double, _move, _take_out, _blow_up))
        return zlib.compress(bytes(change(rng, bytearray(plain), other)), 1)

    return _replace_some(rng, data, rb"(?s)(?<=stream\r\n|.stream\n)x.{2,200000}?(?=endstream)", damaged)


def _multiply_tags(rng: random.Random, data: bytearray, other: bytes) -> bytearray:
    often = rng.choice((3, 100, 3_000))
    return _replace_some(rng, data, rb"<[a-zA-Z/!][^<>]{0,80}>", lambda tag: tag * often)


def _break_tags(rng: random.Random, data: bytearray, other: bytes) -> bytearray:
    broken = (
        b"",
        b"<",
        b'"',
        b"<!--",
        b"<![CDATA[",
        b"<script>",
        b"<plaintext>",
        b"&#x110000;",
        b"&#0;",
        b"\0",
        b"\xfe",
    )
    return _replace_some(rng, data, rb'[<>"&]', lambda _: rng.choice(broken))


def _change_charset(rng: random.Random, data: bytearray, other: bytes) -> bytearray:
    names = (b"utf-16", b"utf-7", b"shift_jis", b"iso-2022-jp", b"klingon", b"ibm037", b"")
    return _replace_some(rng, data, rb"(?i)(?<=charset=)[\"']?[\w-]+", lambda _: rng.choice(names))


ANY: tuple[Damage, ...] = (_flip_bits, _overwrite, _cut, _double, _move, _take_out, _splice, _insert)
PDF: tuple[Damage, ...] = (_blow_up, _change_lengths, _point_elsewhere, _damage_streams, _damage_streams)
HTML: tuple[Damage, ...] = (_multiply_tags, _break_tags, _change_charset)


def write(folder: Path, found: dict[str, list[bytes]], count: int, seed: int) -> list[str]:
    """Write `count` damaged files of each format below `folder`; returns their names, `pdf/00000.pdf` and on."""
    names = []
    for kind, of in found.items():
        (folder / kind).mkdir(parents=True)
        for number in range(count):
            # A file of its own seed can be made again alone.
            rng = random.Random(f"{seed} {kind} {number}")
            name = f"{kind}/{number:05}.{kind}"
            (folder / name).write_bytes(mutate(rng, kind, rng.choice(of), rng.choice(of)))
            names.append(name)
    return names


def write_recipe(folder: Path, deadline_s: float = DEADLINE_S, workers: int = 2) -> Path:
    """The recipe that builds `folder/corpus` of `folder/inputs`."""
    recipe = folder / "recipe.toml"
    recipe.write_text(RECIPE.format(deadline_s=deadline_s, workers=workers), encoding="utf-8")
    return recipe


def build(recipe: Path) -> int:
    """Build as a user does; returns how the command ended: 0, or 1 when a shard could not be made."""
    command = [sys.executable, "-m", "florilege", "build", str(recipe)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode not in (0, 1):
        raise RuntimeError(f"no corpus was built: {done.stderr.strip() or done.stdout.strip()}")
    return done.returncode


def account(corpus: Path, names: list[str]) -> Outcome:
    """What became of the files of these names."""
    kind = " ".join(f"WHEN error LIKE '{pattern}' THEN '{name}'" for name, pattern in KINDS)
    sql = f"""
        SELECT source || '/' || path AS name, source,
               CASE WHEN error IS NULL AND coalesce(text, '') = '' THEN 'no text' WHEN error IS NULL THEN 'text'
                    {kind} END AS outcome
        FROM documents
        UNION ALL
        SELECT source || '/' || path, source, 'skipped: ' || coalesce(error, reason) FROM skipped"""
    with store.reading(Corpus(corpus)) as connection:
        rows = reports.rows(connection, sql)
        unaccounted = [row["problem"] for row in reports.unaccounted(connection)]
    written = Counter(row["name"] for row in rows)
    outcomes = Counter((re.sub(r"\S*/\S+: ", "", row["outcome"]), row["source"]) for row in rows)
    return Outcome(outcomes, [name for name in names if written[name] != 1] + unaccounted)


def table(outcome: Outcome) -> str:
    """The outcomes as Markdown, the most frequent first."""
    kinds = Counter[str]()
    for (kind, _), count in outcome.files.items():
        kinds[kind] += count
    lines = ["| outcome | PDF | HTML |", "|---|---|---|"]
    for kind, _ in kinds.most_common():
        lines.append(f"| {kind} | {outcome.files[kind, 'pdf']} | {outcome.files[kind, 'html']} |")
    lines.append(f"| lost | {len(outcome.lost)} | |")
    return "\n".join(lines)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path, nargs="?", help="folder with pdf/, html/ and eurlex/")
    parser.add_argument("--count", type=int, default=1_000, help="damaged files of each format")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--keep", type=Path, help="work in this folder and leave it")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="mutated-") as scratch:
        folder = options.keep or Path(scratch) / "build"
        found = samples(options.data, Path(scratch) / "samples")
        print(f"{len(found['pdf'])} PDFs and {len(found['html'])} pages, damaged in {options.count} ways each")
        names = write(folder / "inputs", found, options.count, options.seed)
        start = time.monotonic()
        status = build(write_recipe(folder, workers=options.workers))
        seconds = time.monotonic() - start
        outcome = account(folder / "corpus", names)
    print(table(outcome))
    print(f"\n{seconds:.0f} s, {len(names) / seconds:.0f} files a second")
    for name in outcome.lost:
        print(f"LOST {name}", file=sys.stderr)
    return int(bool(outcome.lost or status))


if __name__ == "__main__":
    sys.exit(main())
