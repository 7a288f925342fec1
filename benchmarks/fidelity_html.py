"""How faithful the main text and metadata of web pages are, and how fast: florilege beside trafilatura and resiliparse.

    python -m benchmarks.fidelity_html ../shared/data [--predictions FOLDER]

Reads `html/pages.warc.gz` and `html/gold.jsonl.gz` of the data folder page by page with every engine in turn, in one
process, so that all meet the same machine. An engine gets what it takes: florilege the bytes, address and declared
character set, trafilatura bytes and address, resiliparse the bytes. A page that an engine cannot read counts as an
empty text. `--predictions` writes each engine's texts as JSON lines of `url` and `text`.
"""

from __future__ import annotations

import argparse
import gzip
import json
import logging
import re
import sys
import time
import unicodedata
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from statistics import mean
from typing import Any

from benchmarks.measure import table
from extractors import warc
from extractors.record import Extract, Record

_WORD = re.compile(r"[\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff]|\w+")
Engine = Callable[[Record], Extract]


@dataclass(slots=True)
class Reading:
    """What one engine made of one page."""

    found: Extract
    seconds: float
    """CPU time."""
    f1: float
    precision: float
    recall: float


def words(text: str) -> Counter[str]:
    """Lower-case words of the NFC text; Chinese and Japanese characters each count as one."""
    return Counter(_WORD.findall(unicodedata.normalize("NFC", text).lower()))


def score(found: str, gold: str) -> tuple[float, float, float]:
    """F1, precision and recall of the bag of words of `found` against that of `gold`; all 0 where they share none."""
    got, wanted = words(found), words(gold)
    hits = (got & wanted).total()
    if not hits:
        return 0.0, 0.0, 0.0
    return 2 * hits / (got.total() + wanted.total()), hits / got.total(), hits / wanted.total()


def pages(data: Path) -> Iterator[tuple[Record, dict[str, Any]]]:
    """The archived pages of `data`/html with what is known of each."""
    archive, gold = data / "html" / "pages.warc.gz", data / "html" / "gold.jsonl.gz"
    for path in (archive, gold):
        if not path.is_file():
            raise FileNotFoundError(f"no {path}")
    with gzip.open(gold, "rt", encoding="utf-8") as lines:
        known = {entry["url"]: entry for entry in map(json.loads, lines)}
    for record in warc.read(lambda: archive.open("rb"), source="html", path=archive.name):
        if record.payload and record.url in known:
            yield record, known[record.url]


def tables(data: Path, predictions: Path | None = None) -> str:
    """Markdown: texts by set and by language, speeds, titles, dates and authors of all engines.

    Raises:
        FileNotFoundError: `data` has no html/pages.warc.gz or html/gold.jsonl.gz.
    """
    engines, absent = _engines()
    gold: list[dict[str, Any]] = []
    readings: dict[str, list[Reading]] = {name: [] for name in engines}
    for number, (record, known) in enumerate(pages(data)):
        if not number:
            for engine in engines.values():  # imports and compiled patterns are not what is measured
                _read(engine, record, "")
        gold.append(known)
        for name, engine in engines.items():
            readings[name].append(_read(engine, record, known["text"]))
    if predictions:
        _write(predictions, gold, readings)
    notes = [f"{name}: not installed" for name in absent]
    return "\n\n".join([_texts(gold, readings), _speeds(readings), _metadata(gold, readings), *notes])


def _read(engine: Engine, record: Record, gold: str) -> Reading:
    start = time.process_time()
    try:
        found = engine(record)
    except Exception as error:  # what an engine raises on a page is part of what is measured
        found = Extract(error=repr(error))
    seconds = time.process_time() - start
    return Reading(found, seconds, *score(found.text, gold))


def _write(folder: Path, gold: list[dict[str, Any]], readings: dict[str, list[Reading]]) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for name, read in readings.items():
        lines = [json.dumps({"url": g["url"], "text": r.found.text}) for g, r in zip(gold, read, strict=True)]
        (folder / f"{name.replace(' ', '-')}.jsonl").write_text("\n".join(lines) + "\n", encoding="utf-8")


def _texts(gold: list[dict[str, Any]], readings: dict[str, list[Reading]]) -> str:
    groups: defaultdict[str, list[int]] = defaultdict(list)
    for i, known in enumerate(gold):
        parts = [part for part in (known.get("lang"), known.get("page_type")) if part]
        for name in {"ALL", known["set"], *(f"{known['set']}: {part}" for part in parts)}:
            groups[name].append(i)
    rows = [
        [name, str(len(chosen)), *(_three(read[i] for i in chosen) for read in readings.values())]
        for name, chosen in sorted(groups.items())
    ]
    return "F1 / precision / recall\n\n" + table(["pages", "n", *readings], rows)


def _three(read: Iterable[Reading]) -> str:
    chosen = list(read)
    return " / ".join(f"{mean(getattr(r, name) for r in chosen):.3f}" for name in ("f1", "precision", "recall"))


def _speeds(readings: dict[str, list[Reading]]) -> str:
    seconds = {name: sum(r.seconds for r in read) for name, read in readings.items()}
    rows = []
    for name, read in readings.items():
        ordered = sorted(r.seconds for r in read)
        rows.append(
            [
                name,
                f"{1000 * seconds[name] / len(read):.1f}",
                f"{len(read) / seconds[name]:.1f}",
                *(f"{seconds[other] / seconds[name]:.2f}" for other in list(readings)[1:3]),
                f"{1000 * ordered[len(ordered) // 2]:.1f}",
                f"{1000 * ordered[-1]:.0f}",
            ]
        )
    heads = ["engine", "ms/page CPU", "pages/s CPU", *(f"x {name}" for name in list(readings)[1:3]), "median ms", "max"]
    return table(heads, rows)


def _metadata(gold: list[dict[str, Any]], readings: dict[str, list[Reading]]) -> str:
    titled = [i for i, known in enumerate(gold) if known.get("title")]
    dated = [i for i, known in enumerate(gold) if known.get("date")]
    rows = []
    for name, read in readings.items():
        titles = [(_plain(read[i].found.title), _plain(gold[i]["title"])) for i in titled]
        dates = [(_day(read[i].found.date), _day(gold[i]["date"])) for i in dated]
        rows.append(
            [
                name,
                f"{_share(a == b for a, b in titles)} / {_share(bool(a) and (a in b or b in a) for a, b in titles)}",
                f"{_share(a == b for a, b in dates)} / {_share(bool(a) for a, _ in dates)}",
                _share(bool(r.found.authors) for r in read),
            ]
        )
    counts = f"{len(titled)} pages with a known title, {len(dated)} with a known date, {len(gold)} in all\n\n"
    return counts + table(["engine", "title exact / one in the other", "date exact / found", "has authors"], rows)


def _plain(title: str | None) -> str:
    return " ".join(unicodedata.normalize("NFKC", title or "").lower().split())


def _day(date: str | None) -> str:
    """Eight digits, of `2012-01-17T10:00` and of `20120117`."""
    return re.sub(r"\D", "", date or "")[:8]


def _share(hits: Iterable[bool]) -> str:
    listed = list(hits)
    return f"{mean(listed):.3f}" if listed else "-"


def _engines() -> tuple[dict[str, Engine], list[str]]:
    """The engines by name, florilege first, and the names of those that are not installed."""
    found: dict[str, Engine] = {"florilege": ours, "trafilatura": trafilatura, "trafilatura metadata": with_metadata}
    try:
        import resiliparse  # type: ignore[import-not-found,import-untyped,unused-ignore] # noqa: F401
    except ImportError:
        return found, ["resiliparse"]
    return {**found, "resiliparse": resiliparse_main}, []


def ours(record: Record) -> Extract:
    """Text, Markdown and metadata."""
    from extractors import html

    return html.extract(record.payload, url=record.url, charset=record.charset)


def trafilatura(record: Record) -> Extract:
    """The text alone, by default settings without comments."""
    import trafilatura as engine

    return Extract(text=engine.extract(record.payload, include_comments=False) or "")


def with_metadata(record: Record) -> Extract:
    """Text and metadata."""
    import trafilatura as engine

    found: Any = engine.bare_extraction(record.payload, url=record.url, include_comments=False, with_metadata=True)
    if found is None:
        return Extract()
    return Extract(
        text=found.text or "", title=found.title, date=found.date, authors=(found.author or "").split("; ")
        if found.author else []
    )  # fmt: skip


def resiliparse_main(record: Record) -> Extract:
    """The main text alone."""
    from resiliparse.extract.html2text import (  # type: ignore[import-not-found,import-untyped,unused-ignore]
        extract_plain_text,
    )
    from resiliparse.parse.encoding import (  # type: ignore[import-not-found,import-untyped,unused-ignore]
        bytes_to_str,
        detect_encoding,
    )

    text = bytes_to_str(record.payload, detect_encoding(record.payload))
    return Extract(text=extract_plain_text(text, main_content=True))


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path, metavar="DATA", help="folder with html/")
    parser.add_argument("--predictions", type=Path, metavar="FOLDER", help="write each engine's texts here")
    options = parser.parse_args()
    logging.disable(logging.ERROR)  # trafilatura reports pages that it gives up
    try:
        print(tables(options.data, options.predictions))
    except FileNotFoundError as error:
        parser.error(str(error))
    return 0


if __name__ == "__main__":
    sys.exit(main())
