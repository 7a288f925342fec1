"""What the command line shows of verdicts: why a record is in or out, what a threshold changes, a new snapshot."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any, Literal

from rich.markup import escape
from rich.table import Column, Table
from rich.text import Text

from catalog import cards, explain, files, store, tuning
from catalog.schema import DATASETS, MEASURED
from flows import judging
from flows.terminal import console

_BAR = 40
_DOCS = {f.name: (f.metadata or {}).get(b"doc", b"").decode() for name in MEASURED for f in DATASETS[name]}
_SHOWN = 8
OPS: dict[str, Literal[">=", "<="]] = {"min": ">=", "max": "<="}
"""What a least and a highest value ask of a signal."""


def why(corpus: Path, snapshot: int | None, wanted: str, whole: bool = False) -> None:
    """Say what became of a record and with which numbers; `whole` lists every threshold."""
    with store.reading(files.existing(corpus), snapshot) as connection:
        told = explain.why(connection, wanted)
    out, record = console(), told["record"]
    place = f"{record['source']}: {record['url'] or record['path']}"
    out.print(f"[bold]{escape(place)}[/]\n{record['id']}", soft_wrap=True)
    if told["keep"]:
        others = "like no other"
        if (told["size"] or 1) > 1:
            one = "the one" if told["kept"] == 1 else f"one of {told['kept']:,} versions"
            others = f"{one} kept of {told['size']:,} alike"
        out.print(f"[green]kept[/]: it passes every threshold and is {others}")
    else:
        out.print(f"[red]rejected[/] at {told['stage']}: [bold]{escape(told['reason'])}[/]", soft_wrap=True)
    if told["error"]:
        out.print(escape(told["error"]), soft_wrap=True)
    if told["limit"]:
        out.print(escape(sentence(told["limit"])), soft_wrap=True)
    if told["duplicate"]:
        for line in _duplicate(told["duplicate"]):
            out.print(escape(line), soft_wrap=True)
    if told["also"]:
        out.print("\nThese thresholds would have dropped it too:")
        out.print(_limits(told["also"]))
    rest = [limit for limit in told["limits"] if limit["margin"] >= 0]
    if rest and (told["keep"] or whole):
        shown = rest if whole else rest[:_SHOWN]
        out.print("\nThresholds that it passes, the tightest first:")
        out.print(_limits(shown))
        if len(shown) < len(rest):
            out.print(f"[dim]... {len(rest) - len(shown)} more: --whole lists them[/]")


def sentence(limit: dict[str, Any]) -> str:
    """A threshold that a document fails, in words and with its numbers."""
    value, own = limit["value"], f" for {limit['language']}" if limit["language"] else ""
    facts = f" ({limit['facts']})" if limit["facts"] else ""
    doc = _meaning(limit["signal"])
    meaning = f": {doc}" if doc else ""
    if isinstance(value, bool):
        return f"{limit['signal']} is {_number(value)}{facts} and {_asked(limit)}{own}{meaning}"
    bound = "at least" if limit["op"] == ">=" else "at most"
    return (
        f"{limit['signal']} is {_number(value)}{facts}, and {bound} {_number(limit['limit'])} is asked{own}: "
        f"{_number(abs(limit['margin']))} {'short' if limit['op'] == '>=' else 'too much'}{meaning}"
    )


def _meaning(signal: str) -> str:
    """What a signal is, unless its name says it all."""
    doc = _DOCS.get(signal, "")
    return "" if doc == signal.replace("_", " ") else doc


def _asked(limit: dict[str, Any]) -> str:
    yes = limit["op"] == ">="
    if isinstance(limit["value"], bool) and (0 < limit["limit"] <= 1 if yes else 0 <= limit["limit"] < 1):
        return f"must be {_number(yes)}"
    return f"{limit['op']} {_number(limit['limit'])}"


def _duplicate(found: dict[str, Any]) -> list[str]:
    kept, this = found["kept"], found["this"]
    lines = [f"It repeats {kept['id']} ({kept['url'] or kept['path']})."]
    if found["equal_text"]:
        lines.append("Their texts are equal but for case and spaces.")
    elif found["same_url"]:
        lines.append("Their URLs are one address.")
    elif found["shared_bands"]:
        guess = f", a similarity of about {found['similarity']:.2f}" if found["similarity"] else ""
        lines.append(f"{found['shared_bands']} of {found['bands']} MinHash bands are equal{guess}.")
    elif found["bands"]:
        lines.append("They have no MinHash band in common: others between them link the two.")
    steps = f", {found['diameter']} step(s) from end to end" if found["diameter"] is not None else ""
    lines.append(f"Their cluster has {found['size']:,} documents{steps}.")
    both = ", ".join(f"{name} {_number(kept[name])} against {_number(this[name])}" for name in ("quality", "chars"))
    dates = f", date {kept['date'] or 'none'} against {this['date'] or 'none'}"
    lines.append(f"The other one is kept for its {found['decided_by']}: {both}{dates}.")
    return lines


def _limits(limits: list[dict[str, Any]]) -> Table:
    right = [Column(name, justify="right") for name in ("value", "limit", "to spare")]
    table = Table("stage", "signal", *right, "for", "", box=None, pad_edge=False)
    for limit in limits:
        margin = "" if isinstance(limit["value"], bool) else _number(limit["margin"])
        table.add_row(
            limit["stage"], limit["signal"], _number(limit["value"]), _asked(limit), margin, limit["language"] or "",
            escape(limit["facts"] or ""),
        )  # fmt: skip
    return table


def _number(value: Any) -> str:
    if value is None or isinstance(value, bool):
        return "none" if value is None else str(value).lower()
    return f"{value:,.0f}" if abs(value) < 1e15 and value == int(value) else f"{value:.4g}"


def tune(
    corpus: Path, snapshot: int | None, signal: str, op: Literal[">=", "<="] | None = None, low: float | None = None,
    high: float | None = None, language: str | None = None, source: str | None = None,
    by: tuning.By | None = None, format: Literal["table", "csv"] = "table",
) -> None:  # fmt: skip
    """Draw the kept share as the threshold on one signal moves."""
    with store.reading(files.existing(corpus), snapshot) as connection:
        found = tuning.tune(connection, signal, op, low, high, language, source, by)
    if format == "csv":
        import csv

        names = ["group", "op", "limit", "kept", "share", "present", "documents", "unknown"]
        writer = csv.DictWriter(sys.stdout, names, lineterminator="\n")
        writer.writeheader()
        writer.writerows(found)
        return
    out = console()
    if not found:
        out.print(f"no document that the other thresholds leave has a value of {signal}")
        return
    table = Table(
        *([by] if by else []), Column(signal, justify="right"), Column("kept", justify="right"),
        Column("share", justify="right"), Column("", no_wrap=True, min_width=_BAR), "", box=None, pad_edge=False,
    )  # fmt: skip
    last = None
    for row in found:
        named = [escape(str(row["group"])) if row["group"] != last else ""] if by else []
        last = row["group"]
        bar = Text("█" * round(_BAR * row["share"]), style="green").append(
            "░" * (_BAR - round(_BAR * row["share"])), style="dim"
        )
        mark = "<- now" if row["present"] else ""
        table.add_row(
            *named, f"{row['op']} {_number(row['limit'])}", f"{row['kept']:,}", f"{row['share']:.1%}", bar, mark,
            style="bold" if row["present"] else None,
        )  # fmt: skip
    out.print(table)
    if doc := _meaning(signal):
        out.print(f"{signal}: {doc}", soft_wrap=True)
    groups = {row["group"]: row for row in found}.values()
    of = f" of each {by}" if by else ""
    print(f"share: of all {sum(row['documents'] for row in groups):,} documents{of}, rejected ones too")
    if unknown := sum(row["unknown"] for row in groups):
        print(f"{unknown:,} without a value pass every limit")
    print(f"All other thresholds stay; `florilege judge --set '{signal}{found[0]['op']}LIMIT'` makes the snapshot.")


def judged(corpus: Path, manifest: dict[str, Any], seconds: float) -> None:
    """The funnel of a snapshot that `flows.judging.judge` gave, in a line what it is, and what to know of it."""
    from flows.terminal import funnel

    number = manifest["snapshot"]
    funnel(corpus, number)
    with store.reading(files.existing(corpus), number) as connection:
        [(kept,)] = connection.execute("SELECT count(*) FROM verdicts WHERE keep").fetchall()
        unasked = cards.unasked(connection)
    start = f"snapshot {number} from snapshot {manifest.get('judged')}" if manifest["new"] else (
        f"no change: this is snapshot {number}"
    )  # fmt: skip
    out = console()
    out.print(
        f"\n{start}: {escape(_rules(manifest))}; {kept:,} documents, in {seconds:.1f} s; no text was read",
        soft_wrap=True,
    )
    for note in [*manifest["notes"], *([f"this preset does not ask about rights: kept are {unasked}"] * bool(unasked))]:
        out.print(f"[yellow]{escape(note)}[/]", soft_wrap=True)


def _rules(manifest: dict[str, Any]) -> str:
    changed = judging.beyond(manifest["preset"], manifest["thresholds"])
    if changed is None:
        return f"preset {manifest['preset']}, {len(manifest['thresholds'])} thresholds"
    return f"preset {manifest['preset']}{' with ' if changed else ''}{judging.some(changed)}"
