"""True Jaccard similarity of candidate pairs, so that an equal band alone does not make two documents duplicates."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import IO, TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from filters import components, minhash, minhash_bulk

if TYPE_CHECKING:
    import duckdb

PAIRS = 32
"""Pairs a member that a bucket may cost at once; a bucket of up to 64 documents never costs more."""
ROUNDS = 8
"""Members that all others of a greater bucket are compared with."""
_TEXTS = 64
_PAIRS = 10_000

Sets = npt.NDArray[np.uint32]


def jaccard(a: str, b: str) -> float:
    """Jaccard similarity of two texts' sets of shingles, 0 to 1; 0 if neither has words."""
    return _similarity(_hashes(a), _hashes(b))


def _hashes(text: str) -> Sets:
    """Mixed XXH32 hashes of the distinct shingles, ascending: the values that MinHash permutes."""
    return np.unique(minhash.hashed(minhash.shingles(text)))


def _similarity(a: Sets, b: Sets) -> float:
    common = len(np.intersect1d(a, b, assume_unique=True))
    return common / max(1, len(a) + len(b) - common)


def verified(
    connection: duckdb.DuckDBPyConnection, parent: components.Nodes, texts: str, least: float, bucket: int
) -> None:
    """Unite the documents of which a chain of candidate pairs has a Jaccard similarity of `least` or more.

    First every member of a bucket is compared with the smallest. Where that leaves a bucket in several components, all
    its pairs across components are, if they are at most PAIRS times its members; so in buckets of up to 64 documents no
    pair is lost. In greater ones, up to ROUNDS members, each the smallest outside the components of those before it,
    are compared with all others, so that a bucket of a million makes millions of pairs and not a million squared; a
    pair of two others is lost there. Pairs that are in one component already are not compared again, so the distances
    over the pairs found are at least the true ones.

    Args:
        connection: with the tables `document` (n, id), `candidate` (a, b, bucket), joining every member of a bucket to
            its smallest, and `edge` (a, b, bucket), which the pairs found are added to.
        parent: forest of the documents, changed in place.
        texts: relation (SQL) with columns `id, text`.
        least: similarity, 0 to 1.
        bucket: the least number that is no bucket's yet.
    """
    connection.execute("""
        CREATE OR REPLACE TEMP TABLE open AS
        SELECT a AS n, bucket FROM candidate UNION ALL SELECT DISTINCT b, bucket FROM candidate;
        CREATE OR REPLACE TEMP TABLE pair AS SELECT DISTINCT a, b FROM candidate;
        CREATE OR REPLACE TEMP TABLE tried AS FROM pair;
        CREATE OR REPLACE TEMP TABLE centre AS SELECT DISTINCT bucket, b AS n FROM candidate;
    """)
    [(spill,)] = connection.execute("SELECT current_setting('temp_directory')").fetchall()
    with tempfile.TemporaryFile(dir=spill if spill and Path(spill).is_dir() else None) as file:
        sets = _collect(connection, texts, len(parent), file)
        bucket += _accept(connection, parent, sets, least, bucket, again=False)
        for number in range(1, ROUNDS + 1):
            if not _next_pairs(connection, components.roots(parent), more=number < ROUNDS):
                return
            bucket += _accept(connection, parent, sets, least, bucket, again=True)


def _collect(
    connection: duckdb.DuckDBPyConnection, texts: str, count: int, file: IO[bytes]
) -> Callable[[int], Sets]:  # fmt: skip
    """The shingle sets of all candidates, kept in a file; a function from a document's number to its set."""
    start, size = np.zeros(count, np.int64), np.zeros(count, np.int64)
    end = 0
    reader = connection.sql(f"""
        SELECT n, text FROM {texts} t JOIN document USING (id) WHERE n IN (SELECT n FROM open)
    """).to_arrow_reader(_TEXTS)
    for batch in reader:
        sets = minhash_bulk.shingle_sets(batch["text"].fill_null(""))
        for n, hashes in zip(batch["n"].to_pylist(), sets, strict=True):
            file.write(hashes.tobytes())
            start[n], size[n] = end, len(hashes)
            end += len(hashes)
    file.flush()
    held = np.memmap(file, np.uint32, "r", shape=(end,)) if end else np.zeros(0, np.uint32)
    return lambda n: held[start[n] : start[n] + size[n]]


def _accept(
    connection: duckdb.DuckDBPyConnection, parent: components.Nodes, sets: Callable[[int], Sets], least: float,
    bucket: int, *, again: bool,
) -> int:  # fmt: skip
    """Compare the pairs of table `pair`, but `again` only those in two components; add edges, return their number."""
    import pyarrow as pa

    found: list[npt.NDArray[np.uint32]] = [np.zeros((2, 0), np.uint32)]
    for batch in connection.sql("SELECT a, b FROM pair ORDER BY a, b").to_arrow_reader(_PAIRS):
        pairs = np.stack([batch["a"].to_numpy(), batch["b"].to_numpy()])
        if again:
            pairs = pairs[:, components.find(parent, pairs[0]) != components.find(parent, pairs[1])]
        near = [_reaches(sets(a), sets(b), least) for a, b in pairs.T]
        found.append(pairs[:, np.array(near, np.bool_)])
        components.unite(parent, *found[-1])
    a, b = np.concatenate(found, axis=1)
    edges = pa.table({"a": a, "b": b, "bucket": np.arange(bucket, bucket + len(a), dtype=np.uint64)})
    connection.register("verified", edges)
    connection.execute("INSERT INTO edge FROM verified")
    connection.unregister("verified")
    return len(a)


def _reaches(a: Sets, b: Sets, least: float) -> bool:
    few, many = sorted((len(a), len(b)))
    return few > 0 and few / many >= least and _similarity(a, b) >= least


def _next_pairs(connection: duckdb.DuckDBPyConnection, root: components.Nodes, *, more: bool) -> bool:
    """Fill table `pair` from the buckets that are still in several components; False when no bucket is left.

    `more`: whether buckets with too many pairs get one more member that all others are compared with.
    """
    import pyarrow as pa

    connection.register("rooted", pa.table({"n": np.arange(len(root), dtype=np.uint32), "root": root}))
    connection.execute(f"""
        CREATE OR REPLACE TEMP TABLE part AS
        SELECT bucket, root, count(*) AS size FROM open JOIN rooted USING (n) GROUP BY bucket, root;
        CREATE OR REPLACE TEMP TABLE state AS
        SELECT bucket, arg_max(root, (size, root)) AS main,
               (sum(size)::HUGEINT * sum(size)::HUGEINT - sum(size::HUGEINT * size)) / 2 <= {PAIRS} * sum(size) AS few
        FROM part GROUP BY bucket HAVING count(*) > 1;
        CREATE OR REPLACE TEMP TABLE now AS
        SELECT o.n, bucket, root, main, few FROM open o JOIN state USING (bucket) JOIN rooted USING (n);
        CREATE OR REPLACE TEMP TABLE next AS
        SELECT bucket, min(n) AS n FROM now WHERE NOT few AND {more}
        AND (bucket, root) NOT IN (SELECT (bucket, root) FROM centre JOIN rooted USING (n)) GROUP BY bucket;
        INSERT INTO centre FROM next;
    """)
    # One of two components is not the bucket's main one: starting from those, a great main one is not joined to itself.
    connection.execute("""
        CREATE OR REPLACE TEMP TABLE pair AS
        SELECT least(x.n, y.n) AS a, greatest(x.n, y.n) AS b
        FROM (FROM now WHERE few AND root <> main) x JOIN now y USING (bucket) WHERE x.root <> y.root
        UNION SELECT least(x.n, y.n), greatest(x.n, y.n)
        FROM (SELECT now.* FROM now JOIN next USING (bucket, n)) x JOIN now y USING (bucket) WHERE x.root <> y.root
        EXCEPT SELECT a, b FROM tried;
        INSERT INTO tried FROM pair;
        CREATE OR REPLACE TEMP TABLE open AS SELECT now.n, bucket FROM now JOIN next USING (bucket);
    """)
    connection.unregister("rooted")
    [(left,)] = connection.execute("SELECT (SELECT count(*) FROM open) + (SELECT count(*) FROM pair)").fetchall()
    return bool(left)
