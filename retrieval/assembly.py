"""Making sets of a snapshot: benchmarks of held-out works, training sets of the others, clear of every benchmark."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from catalog.errors import ConfigError
from catalog.exports.output import languages
from catalog.files import Corpus, digest
from catalog.set_schema import TEXT_COLUMNS
from catalog.sets import Set, SetWriter
from retrieval import card, negatives, statistics
from retrieval.builder import BenchmarkBuilder, PairBuilder, Params
from retrieval.overlap import Guard, Rules
from retrieval.parts import TRAINED, Part, parts
from retrieval.source import Source
from retrieval.systems import Searcher
from retrieval.works import Splits

Say = Callable[[str], None]


def benchmark_id(snapshot: dict[str, Any], splits: Splits, builder: BenchmarkBuilder, params: Params) -> str:
    """Identity of a benchmark: what it is made from."""
    return digest([snapshot["digest"], splits.model_dump(), builder.name, builder.version, params.identity()])


def make_benchmark(
    corpus: Corpus, source: Source, name: str, builder: BenchmarkBuilder, params: Params, splits: Splits
) -> Set:
    """Build a benchmark and publish it."""
    made = builder.make(source, params)
    id = benchmark_id(source.snapshot, splits, builder, params)
    writer = SetWriter(corpus, name, "benchmark", id)
    tables = {"documents": made.documents, "queries": made.queries, "qrels": made.qrels, "top_ranked": made.top_ranked}
    with writer.part("all") as part:
        part.counts = dict(made.counts)
        for table, rows in tables.items():
            if rows is not None:
                part.write(table, rows)
    facts = _facts(source, builder, params, splits) | {
        "tasks": [asdict(task) for task in made.tasks], "statistics": statistics.of(made), "notes": made.notes,
    }  # fmt: skip
    return writer.commit(["all"], facts, card.card)


def pairs_id(
    snapshot: dict[str, Any], splits: Splits, builder: PairBuilder, params: Params, against: Iterable[str],
    rules: Rules, mining: Any,
) -> str:  # fmt: skip
    """Identity of a training set: what it is made from, and what it is kept clear of (ids of benchmarks)."""
    return digest([snapshot["digest"], *_made_by(splits, builder, params, against, rules), mining])


def make_pairs(
    corpus: Corpus, source: Source, name: str, builder: PairBuilder, params: Params, splits: Splits,
    against: list[Set], rules: Rules, miner: tuple[Searcher, negatives.NegativeParams] | None, mining: Any, say: Say,
) -> Set:  # fmt: skip
    """Build what is missing of a training set and publish it.

    Args:
        against: benchmarks; their works are left out, and every row with a text that overlaps with theirs.
        miner: what finds negatives, and how; `mining` says the same in plain values.
        say: told how far it is.
    """
    clear_of = [found.id for found in against]
    id = pairs_id(source.snapshot, splits, builder, params, clear_of, rules, mining)
    writer = SetWriter(corpus, name, "pairs", id)
    hold_out(source, against, rules)
    params = surveyed(source, builder, params)
    # A benchmark made again of a grown corpus has another id; when it has the same rows, parts are as clear of it.
    texts = {digest([entry["sha256"] for entry in found.manifest["files"]]) for found in against}
    same = digest(_made_by(splits, builder, params, texts, rules))
    units = {digest([same, *unit])[:12]: unit for unit in parts(source, builder.unit)}
    guard: Guard | None = None
    for number, (part, unit) in enumerate(units.items(), start=1):
        say(f"{name}: part {number} of {len(units)}")
        if not writer.done(part):
            guard = guard or Guard.of(against, rules)
            _make_part(source, writer, part, unit, builder, params, guard)
    done = list(units)
    if miner is not None:
        mined = digest([id, "negatives"])[:12]
        if not writer.done(mined):
            held = _with_pairs(writer.preview(done), builder)
            _mine(writer, held, mined, miner, lambda figures: say(f"{name}: negatives, {figures}"))
        done.append(mined)
    facts = _facts(source, builder, params, splits) | {
        "counts": {"document: held out for benchmarks": _held_out(source)},
        "languages": languages(writer.preview(done)),
        "against": [{"name": s.name, "id": s.id} for s in against], "overlap": rules.model_dump(), "negatives": mining,
    }  # fmt: skip
    return writer.commit(done, facts, card.card)


def surveyed(source: Source, builder: PairBuilder, params: Params) -> Params:
    """The parameters after the builder's first pass over the documents that are trained on, if it has one."""
    if builder.survey is None:
        return params
    found: Params = builder.survey(source.documents(builder.columns, TRAINED), params)
    return found


def hold_out(source: Source, against: Iterable[Set], rules: Rules) -> None:
    """Take the families of the benchmarks' works out of training, whatever split they are in.

    Of a foreign benchmark, whose documents name no work, those are the works that a document of the corpus tells: their
    translations go too.
    """
    held: set[str] = set()  # a work's name may have changed since the benchmark was made, a document's has not
    foreign: list[tuple[str, str]] = []
    for found in against:
        for batch in found.batches("documents", ["work", "doc", "text"]):
            for row in batch.to_pylist():
                held.update(name for name in (row["work"], row["doc"]) if name)
                if not row["work"]:
                    foreign.append((row["text"] or "", "unknown"))
        for batch in found.batches("queries", ["work"]):
            held.update(work for work in batch["work"].to_pylist() if work)
    if foreign:
        guard = Guard(foreign, rules)
        for table in source.documents(("text", "work"), TRAINED):
            reasons = guard.reasons([text or "" for text in table["text"].to_pylist()])
            held.update(work for work, reason in zip(table["work"].to_pylist(), reasons, strict=True) if reason)
    source.connection.register("held", pa.table({"name": pa.array(sorted(held), pa.string())}))
    source.connection.execute(
        "UPDATE works SET split = 'test' WHERE family IN "
        "(SELECT family FROM works WHERE work IN (FROM held) OR id IN (FROM held))"
    ).fetchall()
    source.connection.unregister("held")


def _held_out(source: Source) -> int:
    ((count,),) = source.connection.execute("SELECT count(*) FROM works WHERE split = 'test'").fetchall()
    return int(count)


def _make_part(
    source: Source, writer: SetWriter, part: str, unit: Part, builder: PairBuilder, params: Params, guard: Guard
) -> None:
    if builder.unit == "document":
        tables = source.documents(builder.columns, TRAINED, shards=unit.files)
    else:
        tables = source.works(builder.columns, TRAINED, unit.files, unit.first)
    counts: Counter[str] = Counter()
    with writer.part(part) as made:
        for documents in tables:
            for table, rows in builder.make(documents, params, counts):
                made.write(table, _clear(guard, table, rows, counts))
        made.counts = dict(counts)


def _clear(guard: Guard, table: str, rows: pa.Table, counts: Counter[str]) -> pa.Table:
    """The rows of which no text overlaps with a benchmark; the others are counted by reason."""
    reasons: list[str | None] = [None] * rows.num_rows
    for name in TEXT_COLUMNS[table]:
        column = rows[name].combine_chunks()
        where = range(rows.num_rows)
        if pa.types.is_list(column.type):
            where = pc.list_parent_indices(column).to_pylist()
            column = pc.list_flatten(column)
        codes = column.dictionary_encode()
        found = guard.reasons(codes.dictionary.to_pylist())
        if any(found):
            for row, code in zip(where, codes.indices.to_pylist(), strict=True):
                if code is not None and found[code]:
                    reasons[row] = reasons[row] or found[code]
    counts.update(f"row: {reason}" for reason in reasons if reason)
    return rows.filter(pa.array([reason is None for reason in reasons], pa.bool_()))


def _with_pairs(found: Set, builder: PairBuilder) -> Set:
    if found.manifest["files"] and not found.files("pairs"):
        raise ConfigError(
            f"{found.name}: negatives are mined for pairs, and `{builder.name}` makes none of these texts"
        )
    return found


def _mine(writer: SetWriter, pairs: Set, part: str, miner: tuple[Searcher, negatives.NegativeParams], say: Say) -> None:
    counts: Counter[str] = Counter()
    with writer.part(part) as made:
        for rows in negatives.mine(pairs, *miner, counts, say):
            made.write("negatives", rows)
        made.counts = {f"negatives: {reason}": count for reason, count in counts.items()}


def _made_by(splits: Splits, builder: PairBuilder, params: Params, against: Iterable[str], rules: Rules) -> list[Any]:
    return [
        splits.model_dump(), builder.name, builder.version, params.identity(), sorted(against), rules.model_dump(),
    ]  # fmt: skip


def _facts(source: Source, builder: PairBuilder | BenchmarkBuilder, params: Params, splits: Splits) -> dict[str, Any]:
    return {
        "builder": builder.name, "version": builder.version, "summary": builder.summary,
        "params": params.model_dump(mode="json"), "splits": splits.model_dump(), "made": datetime.now(UTC).isoformat(),
        "snapshot": {key: source.snapshot[key] for key in ("snapshot", "id", "digest", "preset", "code")},
    }  # fmt: skip
