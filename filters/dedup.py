"""Duplicate clusters: equal digests and equal MinHash bands make edges, edges make components.

Documents are numbered once, in the order of their ids, and copies of one text share one number in the bands. Within a
band, every document of a bucket is joined to the bucket's smallest only, so a million equal keys make a million edges
and not a million squared; bands are taken one at a time. Tables are DuckDB's and spill to disk; only arrays of a few
bytes a document are held outside it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from filters import components, verification

if TYPE_CHECKING:
    import duckdb
    import numpy as np
    import numpy.typing as npt
    import pyarrow as pa

_BATCH = 1_000_000  # edges, rows of memberships
LARGEST = 20_000_000
"""Memberships in buckets of the largest component whose diameter is measured."""
_ACT = r"\d{4}[A-Z]{1,2}\d{4}(?:\(\d{2}\))?"
_VERSION = rf"\A(?:0({_ACT})-(\d{{8}})|3({_ACT}))\z"
_DIGESTS = {"text": "text_digest", "payload": "payload_digest", "url": "url_key"}


@dataclass(frozen=True, slots=True)
class Settings:
    """What makes two documents duplicates."""

    bands: int
    """MinHash bands; documents with another number of keys have no near-duplicates."""
    rows: int
    """Minima in a band."""
    scope: Literal["global", "language", "source"] = "global"
    """Documents of one language, or of one source, are compared with each other only; unknown is one of the values."""
    by: tuple[Literal["payload", "url", "text", "near"], ...] = ("text", "near")
    verify: float | None = None
    """Least Jaccard similarity of two near-duplicates' shingle sets; None: an equal band is enough."""


def cluster(
    connection: duckdb.DuckDBPyConnection, members: str, bands: str, settings: Settings, texts: str | None = None
) -> str:
    """Cluster documents.

    Args:
        connection: a database for temporary tables; the relation returned reads them until the next call.
        members: relation (SQL) with columns `id, source, language, text_digest, payload_digest, url_key`, every
            document with text once. The last two may be null, and are equal to nothing then.
        bands: relation (SQL) with columns `id, keys`.
        texts: relation (SQL) with columns `id, text`; needed to verify.

    Returns:
        Relation (SQL) with the columns of CLUSTERS in catalog/schema.py, one row a member. A cluster is a connected
        component of the edges that `settings.by` names. Two documents are one step apart if an edge's digest, or a
        band, is equal, and copies of one text none; see `components.diameters` for when the diameter is a lower bound,
        and `verification.verified` for what it is after verification. It is 65 if it is over 64, or not measured
        because the component's documents are in more than LARGEST buckets, all counted.

    Raises:
        ValueError: `settings.verify` without `texts`.
    """
    if settings.verify is not None and texts is None:
        raise ValueError("to verify near-duplicates, give `texts`")
    count = number(connection, members, settings)
    connection.execute("CREATE OR REPLACE TEMP TABLE edge (a UINTEGER, b UINTEGER, bucket UBIGINT)")
    # Buckets are numbered: those of equal payloads, of equal URLs, then the bands', then verified pairs.
    for place, kind in enumerate(("payload", "url")):
        if kind in settings.by:
            connection.execute(f"INSERT INTO edge SELECT a, b, b::UBIGINT + {place * count} FROM same_{kind}")
    if "near" in settings.by:
        keys(connection, bands, settings)
        near = "edge" if settings.verify is None else "candidate"
        connection.execute("CREATE OR REPLACE TEMP TABLE candidate AS FROM edge LIMIT 0")
        for band in range(settings.bands):
            bucket = f"b::UBIGINT + {(2 + band) * count}"
            connection.execute(f"INSERT INTO {near} SELECT a, b, {bucket} FROM {edges('key', band)}")
        connection.execute("DROP TABLE key")
    parent = _forest(connection, count, settings)
    if settings.verify is not None and texts is not None and "near" in settings.by:
        verification.verified(connection, parent, texts, settings.verify, (2 + settings.bands) * count)
    _summarise(connection, parent, settings)
    same_url = "coalesce(u.least_id, d.id)" if "url" in settings.by else "NULL::TEXT"
    return f"""(
        SELECT d.id, coalesce(c.least_id, d.id) AS cluster, coalesce(c.size, 1) AS size,
               coalesce(c.diameter, 0) AS diameter, coalesce(t.least_id, d.id) AS exact, {same_url} AS same_url
        FROM document d LEFT JOIN clustered c USING (n) LEFT JOIN named_text t USING (n)
        {"LEFT JOIN named_url u USING (n)" if "url" in settings.by else ""}
    )"""


def number(connection: duckdb.DuckDBPyConnection, members: str, settings: Settings) -> int:
    """Number the documents: temporary tables `document` and, per digest compared, `same_text`, `same_payload` ...

    `document` (n, id, scope, digests) has them in the order of their ids from 0 on, so that numbers do not depend on
    the order of rows; `same_*` (a, b) joins every document to the smallest of those that it shares the digest with.
    Returns how many documents there are.
    """
    digests = {kind: column for kind, column in _DIGESTS.items() if kind == "text" or kind in settings.by}
    scope = "0" if settings.scope == "global" else f"dense_rank() OVER (ORDER BY {settings.scope})"
    connection.execute(f"""
        CREATE OR REPLACE TEMP TABLE document AS
        SELECT (row_number() OVER (ORDER BY id) - 1)::UINTEGER AS n, id, ({scope})::UINTEGER AS scope,
               {", ".join(digests.values())}
        FROM {members}
    """)
    for kind, column in digests.items():
        connection.execute(f"CREATE OR REPLACE TEMP TABLE same_{kind} AS FROM {_stars('document', column)}")
    [(count,)] = connection.execute("SELECT count(*) FROM document").fetchall()
    return int(count)


def keys(connection: duckdb.DuckDBPyConnection, bands: str, settings: Settings) -> None:
    """Temporary table `key` (n, scope, k0, k1 ...) of the numbered documents' band keys, one column a band.

    Copies of one text have the number of the smallest of them, if texts are compared. Written to parquet, the table
    is all that `edges` needs: a task that finds one band's edges reads its columns only.
    """
    columns = ", ".join(f"keys[{band + 1}] AS k{band}" for band in range(settings.bands))
    n, copies = ("coalesce(t.b, d.n)", "LEFT JOIN same_text t ON t.a = d.n") if "text" in settings.by else ("d.n", "")
    connection.execute(f"""
        CREATE OR REPLACE TEMP TABLE key AS
        SELECT {n} AS n, d.scope, {columns} FROM {bands} k JOIN document d USING (id) {copies}
        WHERE len(keys) = {settings.bands}
    """)


def edges(key: str, band: int) -> str:
    """Relation (SQL) with columns `a, b`: every number of a bucket of the band, and the bucket's smallest.

    Args:
        key: relation (SQL) with the columns of the table that `keys` makes, or with `n, scope` and the band's.
        band: from 0 on.
    """
    return f"(SELECT DISTINCT a, b FROM {_stars(key, f'k{band}')})"


def _stars(relation: str, column: str) -> str:
    """Relation (SQL) `a, b`: each n that is not the smallest of its scope with its value of the column, and that one.

    An aggregate and a join take two thirds of a window function's time, because few values come twice.
    """
    return f"""(
        SELECT n AS a, least AS b FROM {relation} JOIN (
            SELECT scope, {column}, min(n) AS least FROM {relation} WHERE {column} IS NOT NULL
            GROUP BY scope, {column} HAVING min(n) <> max(n)
        ) USING (scope, {column}) WHERE n <> least
    )"""


def _forest(connection: duckdb.DuckDBPyConnection, count: int, settings: Settings) -> components.Nodes:
    """The documents' components, as a forest."""
    parent = components.separate(count)
    for table in ("same_text", "edge") if "text" in settings.by else ("edge",):
        for batch in connection.sql(f"SELECT a, b FROM {table}").to_arrow_reader(_BATCH):
            components.unite(parent, batch["a"].to_numpy(), batch["b"].to_numpy())
    return parent


def _summarise(connection: duckdb.DuckDBPyConnection, parent: components.Nodes, settings: Settings) -> None:
    """Tables `clustered` (n, least_id, size, diameter) and `named_*` (n, least_id) of documents that are not alone."""
    import numpy as np
    import pyarrow as pa

    root = components.roots(parent)
    size = np.bincount(root, minlength=len(root))
    node = np.arange(len(root), dtype=root.dtype)
    if "text" in settings.by:
        copies = connection.execute("SELECT a, b FROM same_text").fetchnumpy()
        node[copies["a"]] = copies["b"]
    nodes = np.bincount(root[node == np.arange(len(node))], minlength=len(root))
    diameter = np.minimum(np.maximum(nodes, 1) - 1, 1).astype(np.int32)
    _measure(connection, root, node, nodes, diameter)
    n = np.flatnonzero(size[root] > 1)
    least = root[n]
    found = {"n": n.astype(np.uint32), "least": least, "size": size[least], "diameter": diameter[least]}
    connection.register("found", pa.table(found))
    connection.execute("""
        CREATE OR REPLACE TEMP TABLE clustered AS
        SELECT f.n, d.id AS least_id, f.size, f.diameter FROM found f JOIN document d ON d.n = f.least
    """)
    connection.unregister("found")
    for kind in ("text", "url") if "url" in settings.by else ("text",):
        connection.execute(f"""
            CREATE OR REPLACE TEMP TABLE named_{kind} AS
            SELECT s.a AS n, d.id AS least_id FROM same_{kind} s JOIN document d ON d.n = s.b
        """)


def _measure(
    connection: duckdb.DuckDBPyConnection, root: components.Nodes, node: components.Nodes,
    nodes: npt.NDArray[np.int64], diameter: npt.NDArray[np.int32],
) -> None:  # fmt: skip
    """Fill in the diameters of components of more than two nodes, read whole, about a million memberships a time."""
    import numpy as np
    import pyarrow as pa

    n = np.flatnonzero(nodes[root] > 2)
    connection.register("wide", pa.table({"n": n.astype(np.uint32), "root": root[n], "nodes": nodes[root[n]]}))
    # Most components are one bucket of a band, with the diameter 1 that they have been given.
    connection.execute(f"""
        CREATE OR REPLACE TEMP TABLE membership AS
        WITH whole AS (
            SELECT root FROM wide JOIN (
                SELECT b AS n, count(*) AS others FROM edge WHERE bucket >= {2 * len(root)} GROUP BY b, bucket
            ) USING (n) WHERE others + 1 = nodes
        ),
        rest AS (SELECT n, root FROM wide WHERE root NOT IN (SELECT root FROM whole))
        SELECT root, n, bucket
        FROM rest JOIN (SELECT a AS n, bucket FROM edge UNION ALL SELECT DISTINCT b, bucket FROM edge) USING (n);
        CREATE OR REPLACE TEMP TABLE largest AS
        SELECT root FROM membership GROUP BY root HAVING count(*) > {LARGEST};
    """)
    connection.unregister("wide")
    diameter[connection.execute("FROM largest").fetchnumpy()["root"].astype(np.int64)] = components.FURTHEST + 1
    reader = connection.sql("""
        SELECT root, n, bucket FROM membership WHERE root NOT IN (FROM largest) ORDER BY root
    """).to_arrow_reader(_BATCH)
    for of, members, bucket in _whole(reader):
        found, steps = components.diameters(of, node[members.astype(np.int64)], bucket)
        diameter[found.astype(np.int64)] = steps
    connection.execute("DROP TABLE membership")


def _whole(reader: pa.RecordBatchReader) -> Iterator[list[components.Nodes]]:
    """Columns of batches that are in the first's order, cut where it changes: none of its values is in two."""
    import numpy as np

    held: list[list[components.Nodes]] = []  # of one value, for as long as it goes on
    for batch in reader:
        columns = [column.to_numpy() for column in batch.columns]
        cut = int(np.searchsorted(columns[0], columns[0][-1]))
        if held and (cut or held[0][0][0] != columns[0][0]):
            held.append([column[:cut] for column in columns])
            yield [np.concatenate(parts) for parts in zip(*held, strict=True)]
            held = []
        elif cut:
            yield [column[:cut] for column in columns]
        held.append([column[cut:] for column in columns])
    if held:
        yield [np.concatenate(parts) for parts in zip(*held, strict=True)]


def act_version(celex: str) -> tuple[str, str]:
    """SQL for the act that a CELEX number is a version of, and for the version; both null for other documents.

    The consolidated text `02016R0679-20160504` is the version `20160504` of the act `2016R0679`, and the act as it was
    published, `32016R0679`, is the version `original`. Corrigenda (`32016R0679R(01)`), preparatory acts, case-law and
    all else are documents of their own. A CELEX number is sector (3: legislation, 0: consolidated), year, type,
    number, and a serial in brackets where one number was given twice (EUR-Lex, "How CELEX numbers are composed").

    Args:
        celex: SQL expression of the CELEX number.
    """
    parts = f"regexp_extract({celex}, '{_VERSION}', ['dated', 'date', 'published'])"
    return (
        f"nullif(concat({parts}.dated, {parts}.published), '')",
        f"CASE WHEN {parts}.dated <> '' THEN {parts}.date WHEN {parts}.published <> '' THEN 'original' END",
    )
