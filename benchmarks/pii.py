"""How much personal data is found, how much else is taken for it, and how fast.

    python -m benchmarks.pii ../shared/data [--sample 100] [--seed 1]

Recall and precision are those on presidio-research's synthetic English texts, where all spans are known. Finds in real
acts, articles and web pages have to be read by a person: `--sample` prints some.
"""

from __future__ import annotations

import argparse
import gzip
import json
import random
import sys
import time
from collections import Counter
from pathlib import Path
from typing import Any

from benchmarks.measure import table
from filters import pii, secrets

SYNTHETIC = Path("pii") / "presidio-research" / "data" / "synth_dataset_v2.json"
KINDS = {
    "PHONE_NUMBER": "phone",
    "CREDIT_CARD": "card",
    "IBAN_CODE": "iban",
    "IP_ADDRESS": "ip",
    "EMAIL_ADDRESS": "email",
    "US_SSN": "national_id:us",
}
"""Entities that are looked for; the others (persons, places, organisations, dates, titles, ages, addresses, domains, US
driving licences) are not."""

Texts = list[tuple[str | None, str]]
"""Language where it is known, and text."""


def synthetic(data: Path) -> list[dict[str, Any]]:
    """The synthetic texts with their spans."""
    rows: list[dict[str, Any]] = json.loads((data / SYNTHETIC).read_text(encoding="utf-8"))
    return rows


def acts(data: Path, every: int = 1) -> Texts:
    """EUR-Lex acts as florilege reads them; each `every`-th."""
    from extractors import eurlex

    read = [
        (path.stem.lower(), eurlex.extract_html(path.read_bytes()))
        for path in sorted((data / "eurlex").glob("*/*.html"))[::every]
    ]
    return [(language, act.text) for language, act in read if act.text and not act.error]


def articles(data: Path) -> Texts:
    """Articles and other references of PDFs, all text of their XML."""
    from benchmarks.fidelity_pdf import reference

    paths = [*sorted((data / "erudit").rglob("*.xml")), *sorted((data / "pdf").rglob("*.xml"))]
    return [(None, reference(path)) for path in paths]


def pages(data: Path) -> Texts:
    """Main texts of web pages."""
    with gzip.open(data / "html" / "gold.jsonl.gz", "rt", encoding="utf-8") as lines:
        return [(None, json.loads(line)["text"]) for line in lines]


def scores(rows: list[dict[str, Any]], least: float = pii.LEAST) -> dict[str, Counter[str]]:
    """By kind: `wanted`, `found`, `hit` (spans that share a character), `exact` (the same characters)."""
    result: dict[str, Counter[str]] = {kind: Counter() for kind in KINDS.values()}
    for row in rows:
        gold = [(KINDS[s["entity_type"]], s["start_position"], s["end_position"]) for s in row["spans"]
                if s["entity_type"] in KINDS]  # fmt: skip
        got = [(s["kind"], s["start"], s["end"]) for s in pii.spans(row["full_text"], "en") if s["score"] >= least]
        for kind, start, end in gold:
            same = [g for g in got if g[0] == kind]
            result[kind]["wanted"] += 1
            result[kind]["hit"] += any(first < end and start < last for _, first, last in same)
            result[kind]["exact"] += (kind, start, end) in got
        for kind, start, end in got:
            counts = result.setdefault(kind, Counter())
            counts["found"] += 1
            counts["right"] += any(k == kind and first < end and start < last for k, first, last in gold)
    return result


def calibration(rows: list[dict[str, Any]]) -> dict[float, Counter[str]]:
    """By score: spans `found`, and those that share a character with one of the same kind, `right`."""
    result: dict[float, Counter[str]] = {}
    for row in rows:
        gold = [(KINDS.get(s["entity_type"]), s["start_position"], s["end_position"]) for s in row["spans"]]
        for span in pii.spans(row["full_text"], "en"):
            counts = result.setdefault(span["score"], Counter())
            counts["found"] += 1
            counts["right"] += any(k == span["kind"] and a < span["end"] and span["start"] < b for k, a, b in gold)
    return dict(sorted(result.items()))


def invalid(rows: list[dict[str, Any]]) -> dict[str, tuple[int, int]]:
    """By kind with a check: how many of the synthetic values fail it, and of how many."""
    counts: dict[str, tuple[int, int]] = {}
    for row in rows:
        for span in row["spans"]:
            kind = KINDS.get(span["entity_type"])
            if kind in ("card", "iban", "ip", "national_id:us"):
                wrong, of = counts.get(kind, (0, 0))
                counts[kind] = wrong + (not pii.accepts(kind, span["entity_value"])), of + 1
    return counts


def finds(texts: Texts) -> tuple[Counter[str], list[tuple[str, float, str]], dict[str, float]]:
    """Spans that count, by kind; each with what is around it; CPU milliseconds a text of either detector."""
    counts: Counter[str] = Counter()
    listed, spent = [], {"pii": 0.0, "secrets": 0.0}
    for language, text in texts:
        began = time.process_time()
        spans = pii.spans(text, language)
        between = time.process_time()
        spans += secrets.spans(text)
        spent["pii"] += (between - began) * 1000 / len(texts)
        spent["secrets"] += (time.process_time() - between) * 1000 / len(texts)
        for span in spans:
            if span["score"] >= pii.LEAST:
                counts[span["kind"]] += 1
                listed.append((span["kind"], span["score"], _around(text, span["start"], span["end"])))
    return counts, listed, spent


def _around(text: str, start: int, end: int) -> str:
    return f"{text[max(0, start - 40) : start]}[[{text[start:end]}]]{text[end : end + 15]}".replace("\n", " / ")


def report(data: Path, sample: int, seed: int) -> str:
    """Markdown: scores by kind, share right by score, finds in real texts, and a sample of these."""
    rows = synthetic(data)
    lines = []
    for kind, n in scores(rows).items():
        precision, recall = n["right"] / max(1, n["found"]), n["hit"] / max(1, n["wanted"])
        f1 = 2 * precision * recall / max(1e-9, precision + recall)
        figures = [f"{value:.3f}" for value in (precision, recall, f1, n["exact"] / max(1, n["wanted"]))]
        lines.append([kind, str(n["wanted"]), str(n["found"]), *figures])
    parts = [table(["kind", "spans", "found", "precision", "recall", "F1", "recall, exact"], lines)]
    parts.append(f"Values that fail their check: {invalid(rows)}")
    parts.append(
        table(["score", "found", "share right"],
              [[f"{score:.2f}", str(n["found"]), f"{n['right'] / n['found']:.3f}"]
               for score, n in calibration(rows).items()])
    )  # fmt: skip
    lines, everything = [], []
    for name, texts in (("acts", acts(data)), ("articles", articles(data)), ("pages", pages(data))):
        counts, listed, spent = finds(texts)
        chars = sum(len(text) for _, text in texts) / len(texts)
        spans = ", ".join(f"{n} {kind}" for kind, n in counts.most_common()) or "none"
        lines.append([name, str(len(texts)), f"{chars:.0f}", spans, *(f"{ms:.3f}" for ms in spent.values())])
        everything += [(name, *found) for found in listed]
    parts.append(table(["texts", "n", "characters", "spans", "pii, ms a text", "secrets, ms a text"], lines))
    random.Random(seed).shuffle(everything)
    parts.append(
        "\n".join(f"- {name} {kind} {score:.2f} {around}" for name, kind, score, around in everything[:sample])
    )
    return "\n\n".join(parts)


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path)
    parser.add_argument("--sample", type=int, default=0, help="finds in real texts to print")
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args(arguments)
    sys.stdout.write(report(options.data, options.sample, options.seed) + "\n")


if __name__ == "__main__":
    main()
