"""Duplicate clusters: equal MinHash bands make edges, edges make components, all inside DuckDB.

Within a band, every document of a bucket is joined to the bucket's smallest document only, so a million equal keys
make a million edges and not a million squared; bands are taken one at a time, so memory is that of one band.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import duckdb


def cluster(connection: duckdb.DuckDBPyConnection, signals: str, bands: str, count: int) -> str:
    """Cluster documents.

    Args:
        connection: a database for temporary tables.
        signals: relation (SQL) with columns `id, text_digest`; every document with text once.
        bands: relation (SQL) with columns `id, band, key`.
        count: number of bands.

    Returns:
        Relation (SQL) with columns `id, cluster, size, exact`, see CLUSTERS in catalog/schema.py. A cluster is a
        connected component of "equal text or at least one equal band".
    """
    connection.execute(f"""
        CREATE TEMP TABLE document AS
        SELECT row_number() OVER (ORDER BY id) AS n, id, text_digest FROM {signals};
        CREATE TEMP TABLE edge AS
        SELECT n AS a, min(n) OVER (PARTITION BY text_digest) AS b FROM document
        QUALIFY a <> b;
    """)
    for band in range(count):
        connection.execute(f"""
            INSERT INTO edge
            SELECT n, min(n) OVER (PARTITION BY key) AS least
            FROM (SELECT n, key FROM {bands} JOIN document USING (id) WHERE band = {band})
            QUALIFY n <> least
        """)
    _components(connection)
    return """(
        SELECT d.id, first_value(d.id) OVER same AS cluster, count(*) OVER (PARTITION BY label) AS size,
               min(d.id) OVER (PARTITION BY text_digest) AS exact
        FROM (SELECT document.*, coalesce(component.label, n) AS label
              FROM document LEFT JOIN component USING (n)) d
        WINDOW same AS (PARTITION BY label ORDER BY d.id)
    )"""


def _components(connection: duckdb.DuckDBPyConnection) -> None:
    """Connected components by label propagation with pointer jumping: table `component` (n, label).

    Every round, a document takes the smallest label among its own and its neighbours', hands it on to the document
    that its own label names, and takes its label's label (after FastSV: Zhang, Azad, Hu 2020). A path of 1,000
    documents takes about 10 rounds.
    """
    connection.execute("""
        CREATE TEMP TABLE link AS SELECT DISTINCT a, b FROM edge;
        INSERT INTO link SELECT b, a FROM link;
        CREATE TEMP TABLE component AS SELECT DISTINCT a AS n, a AS label FROM link;
    """)
    while True:
        connection.execute("""
            CREATE OR REPLACE TEMP TABLE offer AS
            SELECT c.n, c.label AS old, min(o.label) AS label
            FROM component c JOIN link ON link.a = c.n JOIN component o ON o.n = link.b GROUP BY c.n, c.label;
            CREATE OR REPLACE TEMP TABLE lower AS
            SELECT n, min(label) AS label
            FROM (SELECT n, least(old, label) AS label FROM offer UNION ALL SELECT old, label FROM offer) GROUP BY n;
            CREATE OR REPLACE TEMP TABLE jumped AS
            SELECT l.n, least(l.label, r.label) AS label FROM lower l JOIN lower r ON r.n = l.label;
        """)
        changed = connection.execute(
            "SELECT count(*) FROM component JOIN jumped USING (n) WHERE component.label <> jumped.label"
        ).fetchone()
        connection.execute("DROP TABLE component; ALTER TABLE jumped RENAME TO component")
        if changed == (0,):
            return
