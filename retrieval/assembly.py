"""Making sets of a snapshot: benchmarks of held-out works, training sets of the others, clear of every benchmark."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from catalog.files import Corpus, digest
from catalog.set_schema import TEXT_COLUMNS
from catalog.sets import Set, SetWriter
from retrieval import card, negatives, statistics
from retrieval.builder import BenchmarkBuilder, PairBuilder, Params
from retrieval.overlap import Guard, Rules
from retrieval.source import Source
from retrieval.systems import Searcher
from retrieval.works import Splits

Say = Callable[[str], None]
_TRAINED = ("train", "validation")
_WORKS_A_PART = 50_000


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
    snapshot: dict[str, Any], splits: Splits, builder: PairBuilder, params: Params, against: Iterable[Set],
    rules: Rules, mining: Any,
) -> str:  # fmt: skip
    """Identity of a training set: what it is made from, and what it is kept clear of."""
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
    id = pairs_id(source.snapshot, splits, builder, params, against, rules, mining)
    writer = SetWriter(corpus, name, "pairs", id)
    hold_out(source, against)
    same = digest(_made_by(splits, builder, params, against, rules))
    units = _shards(source) if builder.unit == "document" else _buckets(source)
    parts = {digest([same, content])[:12]: unit for unit, content in units}
    guard: Guard | None = None
    for number, (part, unit) in enumerate(parts.items(), start=1):
        say(f"{name}: part {number} of {len(parts)}")
        if not writer.done(part):
            guard = guard or Guard.of(against, rules)
            _make_part(source, writer, part, unit, builder, params, guard)
    done = list(parts)
    if miner is not None:
        mined = digest([id, "negatives"])[:12]
        if not writer.done(mined):
            _mine(writer, writer.preview(done), mined, miner, lambda figures: say(f"{name}: negatives, {figures}"))
        done.append(mined)
    facts = _facts(source, builder, params, splits) | {
        "against": [{"name": s.name, "id": s.id} for s in against], "overlap": rules.model_dump(), "negatives": mining,
    }  # fmt: skip
    return writer.commit(done, facts, card.card)


def hold_out(source: Source, against: Iterable[Set]) -> None:
    """Take the families of the benchmarks' works out of training, whatever split they are in."""
    tables = [found.table(name) for found in against for name in ("documents", "queries")]
    held = {work for table in tables for work in table["work"].to_pylist()}
    source.connection.register("held_works", pa.table({"work": pa.array(sorted(held - {None}), pa.string())}))
    source.connection.execute(
        "UPDATE works SET split = 'test' WHERE family IN "
        "(SELECT family FROM works WHERE work IN (SELECT work FROM held_works))"
    )
    source.connection.unregister("held_works")


def _make_part(
    source: Source, writer: SetWriter, part: str, unit: str | tuple[int, int], builder: PairBuilder, params: Params,
    guard: Guard,
) -> None:  # fmt: skip
    if isinstance(unit, str):
        tables = source.documents(builder.columns, _TRAINED, shards=[unit])
    else:
        tables = source.works(builder.columns, _TRAINED, *unit)
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
    return rows.filter(pa.array([reason is None for reason in reasons]))


def _mine(writer: SetWriter, pairs: Set, part: str, miner: tuple[Searcher, negatives.NegativeParams], say: Say) -> None:
    counts: Counter[str] = Counter()
    with writer.part(part) as made:
        for rows in negatives.mine(pairs, *miner, counts, say):
            made.write("negatives", rows)
        made.counts = {f"negatives: {reason}": count for reason, count in counts.items()}


def _shards(source: Source) -> Iterator[tuple[str, Any]]:
    """The snapshot's files of documents, each with what of it is trained on."""
    trained = source.connection.sql(
        f"SELECT id, work || ' ' || split AS fact FROM works WHERE split IN {_TRAINED}"
    ).to_arrow_table()  # fmt: skip
    facts = dict(zip(trained["id"].to_pylist(), trained["fact"].to_pylist(), strict=True))
    for name in source.shards():
        ids = pq.read_table(source.root / name, columns=["id"])["id"].to_pylist()
        yield name, [name, sorted(f"{id} {facts[id]}" for id in ids if id in facts)]


def _buckets(source: Source) -> Iterator[tuple[tuple[int, int], Any]]:
    """Works in as many parts as there are fifties of thousands of documents, in powers of two: (bucket, of)."""
    trained = f"FROM works WHERE split IN {_TRAINED}"
    ((documents,),) = source.connection.execute(f"SELECT count(*) {trained}").fetchall()
    of = 1 << max(0, (documents - 1) // _WORKS_A_PART).bit_length()
    found = source.connection.execute(
        f"SELECT hash(work) % {of} AS bucket, md5(string_agg(id || work || split, ' ' ORDER BY id)) {trained} "
        "GROUP BY bucket ORDER BY bucket"
    ).fetchall()
    for bucket, content in found:
        yield (bucket, of), content


def _made_by(splits: Splits, builder: PairBuilder, params: Params, against: Iterable[Set], rules: Rules) -> list[Any]:
    return [
        splits.model_dump(), builder.name, builder.version, params.identity(), sorted(s.id for s in against),
        rules.model_dump(),
    ]  # fmt: skip


def _facts(source: Source, builder: PairBuilder | BenchmarkBuilder, params: Params, splits: Splits) -> dict[str, Any]:
    return {
        "builder": builder.name, "version": builder.version, "summary": builder.summary,
        "params": params.model_dump(mode="json"),        "splits": splits.model_dump(), "made": datetime.now(UTC).isoformat(),
        "snapshot": {key: source.snapshot[key] for key in ("snapshot", "id", "digest", "preset", "code")},
    }  # fmt: skip
