"""What the command line shows."""

from __future__ import annotations

import os
import sys
from collections import Counter
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import orjson
from rich.console import Console
from rich.markup import escape
from rich.table import Column, Table
from rich.text import Text

from catalog import fetches, files, reports, store
from catalog.errors import ConfigError
from catalog.files import Corpus
from flows import delimited
from flows.plan import Plan
from flows.recipe import Recipe

_ALWAYS = ("read", "dedup")
"""Stages that the funnel shows even where nothing was lost."""
_BAR = 20
_COLUMNS = 16
_ROWS = 20
_PREVIEW = 2_000
_NAMED = 8


def console(width: int | None = None) -> Console:
    """The terminal; where there is none, lines of COLUMNS, else of `width`: as long as a log or a page takes."""
    out = Console(highlight=False, soft_wrap=False)
    if out.is_terminal or os.environ.get("COLUMNS", "").isdecimal():
        return out
    return Console(highlight=False, width=width or 120)


def plan(recipe: Recipe, corpus: Corpus, found: Plan) -> None:
    """The resolved recipe, and per source what is there and what is done already."""
    from flows.prepare import finished, threshold_rows

    out = console()
    for key, value in recipe.model_dump(mode="json", exclude={"sources"}).items():
        out.print(f"[bold]{key}[/] = {escape(orjson.dumps(value).decode())}", soft_wrap=True)
    limits = [f"{t['signal']} {t['op']} {t['value']:g}" for t in threshold_rows(recipe) if not t["language"]]
    out.print(f"[bold]limits[/] = {escape(', '.join(limits))}", soft_wrap=True)
    table = Table("source", "kind", "path", *[_right(c) for c in ("files", "MiB", "shards", "made", "documents done")])
    pending = {s.shard for s in found.pending(corpus)}
    documents = _documents(corpus, found)
    for source in recipe.sources:
        shards = [s for s in found.shards if s.source == source.name]
        size = sum(s.bytes for s in shards) / 2**20
        made = sum(s.shard not in pending for s in shards)
        paths = found.present[source.name]
        table.add_row(
            source.name, source.kind, escape(source.path), f"{len(paths):,}", f"{size:,.1f}", f"{len(shards):,}",
            f"{made:,}", f"{documents.get(source.name, 0):,}",
        )  # fmt: skip
    out.print(table)
    todo = f"{len(pending)} shards to make"
    if not pending:
        done = finished(corpus, recipe, found)
        todo = "nothing to do" if done else "no shards to make; other settings make a new snapshot"
    out.print(f"run {found.run} into {corpus.root}: {todo}", soft_wrap=True)


def _documents(corpus: Corpus, found: Plan) -> dict[str, int]:
    done: dict[str, int] = {}
    for manifest in corpus.read_manifests("shards"):
        if manifest["work"] == found.work:
            rows = sum(f["rows"] for f in manifest["files"] if f["dataset"] == "documents")
            done[manifest["source"]] = done.get(manifest["source"], 0) + rows
    return done


def _right(name: str) -> Column:
    return Column(name, justify="right")


def outcome(run: dict[str, Any]) -> int:
    """The funnel and what became of the run; returns the exit status."""
    corpus = Path(run["corpus"])
    if run["did"] == "nothing":
        print(f"Nothing to do: run {run['run']} is complete, snapshot {run['snapshot']} is the newest.")
        return 0
    funnel(corpus, None)
    out = console()
    spent = reports.spent(run["seconds"])
    out.print(f"\nrun {run['run']}: snapshot {run['snapshot']} in {corpus} ({spent})", soft_wrap=True)
    for shard, error in run["failed_shards"].items():
        out.print(f"[red]shard {shard} could not be made:[/] {escape(error)}", soft_wrap=True)
    if run["failed_shards"]:
        out.print("The same command tries the missing shards again.")
    return 1 if run["failed_shards"] else 0


def funnel(corpus: Path, snapshot: int | None) -> None:
    """Per source and stage: a bar of what is left, and the reasons of what is not."""
    with store.reading(files.existing(corpus), snapshot) as connection:
        found, why = reports.funnel(connection), reports.reasons(connection)
        languages = reports.languages(connection)
        fidelity, duplicates = reports.fidelity(connection), reports.duplicates(connection)
    out = console()
    table = Table(
        "source",
        "stage",
        *[_right(c) for c in ("in", "kept", "dropped", "failed")],
        Column("", no_wrap=True, min_width=_BAR),
        "why not",
        box=None,
        pad_edge=False,
    )
    most: dict[str, int] = {}
    for row in found:
        first = row["source"] not in most
        width = most.setdefault(row["source"], max(1, row["in"]))
        if row["stage"] not in _ALWAYS and not row["dropped"] + row["failed"]:
            continue
        bar = Text("█" * round(_BAR * row["kept"] / width), style="green")
        bar.append("░" * round(_BAR * (row["dropped"] + row["failed"]) / width), style="red")
        figures = [f"{row[key]:,}" for key in ("in", "kept", "dropped", "failed")]
        lost = escape(why.get((row["source"], row["stage"]), ""))
        table.add_row(
            row["source"] if first else "", row["stage"], *figures, bar, lost,
            style="bold" if row["stage"] == "dedup" else None,
        )  # fmt: skip
    out.print(table)
    spoken = ", ".join(f"{row['language']} {row['documents']:,}" for row in languages)
    out.print(f"\ncorpus: {sum(row['documents'] for row in languages):,} documents: {spoken or 'none'}")
    out.print(
        f"duplicates: {duplicates['clusters']:,} clusters of {duplicates['members']:,} documents, "
        f"{duplicates['exact_copies']:,} exact copies"
    )
    for row in fidelity:
        out.print(
            f"fidelity: {row['source']} {row['format']}: {row['documents']:,} with a reference, LCS {row['lcs']:.4f} "
            f"(worst {row['worst_lcs']:.4f}), 5-gram recall {row['order_recall']:.4f}"
        )


def query(corpus: Path, snapshot: int | None, sql: str, format: str = "table", output: Path | None = None) -> None:
    """Run one query and print its result, or write it to a file."""
    import duckdb
    import pyarrow as pa
    import pyarrow.parquet

    found = files.existing(corpus, bare=True)
    with store.reading(found, snapshot) as connection:
        store.confine(connection, found.root)
        try:
            # The folder is open for writing too: what spills and what COPY writes are the same to DuckDB.
            if {s.type for s in connection.extract_statements(sql)} != {duckdb.StatementType.SELECT}:
                raise ConfigError("only queries are run here: SELECT, FROM, WITH, DESCRIBE, SHOW or SUMMARIZE ...")
            result = connection.sql(sql).to_arrow_table()
        except duckdb.Error as error:
            raise ConfigError(f"the query failed: {error}") from None
    if format == "parquet":
        if output is None:
            raise ConfigError("--format parquet needs --output FILE")
        pa.parquet.write_table(result, output)
    elif format == "csv":
        with output.open("wb") if output else nullcontext(sys.stdout.buffer) as sink:
            sink.writelines(delimited.lines(result))
    elif format == "json":
        lines = [orjson.dumps(row, default=str, option=orjson.OPT_APPEND_NEWLINE) for row in result.to_pylist()]
        with output.open("wb") if output else nullcontext(sys.stdout.buffer) as sink:
            sink.write(b"".join(lines))
    else:
        _print_table(_table(result), output)


def runs(corpus: Path) -> None:
    """A row a snapshot and a run."""
    with store.reading(files.existing(corpus, bare=True)) as connection:
        found = reports.runs(connection)
    table = Table(
        _right("snapshot"), "published", "preset", _right("kept"), "run", "recipe", "status", "seconds", box=None,
        pad_edge=False,
    )  # fmt: skip
    for row in found:
        published = row["published"].strftime("%Y-%m-%d %H:%M") if row["published"] else ""
        kept = "" if row["kept"] is None else f"{row['kept']:,}"
        named = [escape(str(row[key] or "")) for key in ("run", "recipe", "status", "seconds")]
        table.add_row(str(row["snapshot"] or ""), published, row["preset"] or "", kept, *named)
    console(200).print(table)


def _print_table(table: Table, output: Path | None) -> None:
    if output is None:
        console(200).print(table)
    else:
        with output.open("w", encoding="utf-8") as file:
            Console(file=file, width=200).print(table)


def _table(result: Any) -> Table:
    import pyarrow as pa

    if result.num_columns > _COLUMNS:
        return _sideways(result)
    numeric = [
        pa.types.is_integer(f.type) or pa.types.is_floating(f.type) or pa.types.is_decimal(f.type)
        for f in result.schema
    ]
    columns = [_right(f.name) if n else f.name for f, n in zip(result.schema, numeric, strict=True)]
    table = Table(*columns)
    for row in zip(*(column.to_pylist() for column in result.columns), strict=True):
        table.add_row(*map(_cell, row))
    return table


def _sideways(result: Any) -> Table:
    """A row below the other, a line a column: for more columns than a terminal has room for."""
    table = Table("column", "value")
    for row in result.slice(0, _ROWS).to_pylist():
        for name, value in row.items():
            table.add_row(name, _cell(value))
        table.add_section()
    if result.num_rows > _ROWS:
        table.caption = f"{_ROWS} of {result.num_rows:,} rows; --format csv or json prints all"
    return table


def _cell(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, float):
        return f"{value:.4g}" if abs(value) < 1000 else f"{value:,.0f}"
    text = str(value).replace("\n", " ")
    return escape(text if len(text) <= 200 else text[:197] + "...")


def shell(corpus: Path, snapshot: int | None) -> None:
    """Read queries line by line until `;`, run each, go on after errors."""
    import readline  # noqa: F401  gives input() its line editing

    interactive = sys.stdin.isatty()
    if interactive:
        print(
            "SQL over documents, pages, signals, clusters, rights, scores, repeats, verdicts, corpus, funnel, rejects,"
        )
        print("alarms, versions, runs, shards, snapshots, thresholds, fetches, harvests, segments.")
        print("End a query with ;  leave with Ctrl-D.")
    lines: list[str] = []
    while True:
        try:
            lines.append(input(("florilege> " if not lines else "       ...> ") if interactive else ""))
        except EOFError:
            break
        if lines[-1].rstrip().endswith(";"):
            _try(corpus, snapshot, "\n".join(lines))
            lines = []
    if "".join(lines).strip():
        _try(corpus, snapshot, "\n".join(lines))


def _try(corpus: Path, snapshot: int | None, sql: str) -> None:
    try:
        query(corpus, snapshot, sql)
    except ConfigError as error:
        print(error, file=sys.stderr)


def show(corpus: Path, snapshot: int | None, prefix: str, whole: bool) -> None:
    """One document: where it comes from, what is known, what was decided, its text.

    Unless `whole`: without what is null, without signals that are zero, and with lists in short.
    """
    with store.reading(files.existing(corpus), snapshot) as connection:
        found = reports.document(connection, prefix)
    out, document, verdict = console(), found["document"], found["verdict"]
    text = document.pop("text") or ""
    decided = "kept" if verdict.get("keep") else f"rejected at {verdict.get('stage')}: {verdict.get('reason')}"
    if verdict.get("duplicate_of"):
        decided += f" of {verdict['duplicate_of']}"
    out.print(f"[bold]{escape(document['title'] or '(no title)')}[/]\n{decided}\n")
    for part in ("document", "cluster", "signals", "rights", "scores", "repeats"):
        if not found[part]:
            continue
        table = Table(part, "", box=None, pad_edge=False, show_header=True)
        for name, value in found[part].items():
            zero = part == "signals" and value == 0 and value is not False
            if whole or not (zero or value in (None, [], "")):
                table.add_row(name, _cell(_brief(value) if isinstance(value, list) and not whole else value))
        out.print(table, "")
    shown = text if whole else text[:_PREVIEW]
    out.print(Text(shown))
    if len(shown) < len(text):
        out.print(f"[dim]... {len(text) - len(shown):,} more characters: --whole prints them[/]")


def _brief(values: list[Any]) -> str:
    """What a list has, in short: its strings, or how often each; kinds of spans; else how many there are."""
    names = [value.get("kind") if isinstance(value, dict) else value for value in values]
    if not all(isinstance(name, str) for name in names):
        return f"{len(values):,} entries"
    counts = Counter(names)
    more = f" and {len(counts) - _NAMED} more" if len(counts) > _NAMED else ""
    single = len(counts) == len(names)
    return ", ".join(f"{name}" if single else f"{name} {n:,}" for name, n in counts.most_common(_NAMED)) + more


def verify(corpus: Path) -> int:
    """Digests of all files of all snapshots and archives, and the accounting of the newest snapshot and of harvests;
    returns the exit status."""
    found = files.existing(corpus, bare=True)
    problems = []
    snapshots = found.read_manifests("snapshots")
    listed = {f["file"]: f["sha256"] for s in snapshots for f in s["files"]} | fetches.digests(found)
    for name, digest in sorted(listed.items()):
        path = found.root / name
        if not path.is_file():
            problems.append(f"{name}: missing")
        elif files.sha256(path) != digest:
            problems.append(f"{name}: not the file that was published")
    if not problems:
        problems = fetches.unaccounted(found)
    if not problems and snapshots:
        with store.reading(found) as connection:
            problems = [f"{p['source']} {p['stage']}: {p['problem']}" for p in reports.unaccounted(connection)]
    for problem in problems:
        print(problem)
    print(f"{len(listed)} files, {len(problems)} problems")
    return 1 if problems else 0


def doctor(folder: Path) -> int:
    """Print the checks of this machine; returns 1 when one of them is an error."""
    from flows.doctor import examine

    out, table = console(), Table("check", "", "found", "what to do", box=None, pad_edge=False)
    style = {"ok": "green", "warning": "yellow", "error": "red"}
    findings = examine(folder.resolve())
    for item in findings:
        table.add_row(item.check, f"[{style[item.state]}]{item.state}[/]", escape(item.found), escape(item.remedy))
    out.print(table)
    return int(any(item.state == "error" for item in findings))
