"""Lines that many documents of one source share: menus, notices and formulas, marked as spans and never removed."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import xxhash

from filters.words import fold

if TYPE_CHECKING:
    import duckdb

SHORTEST = 20
"""Characters of the shortest line that counts; shorter ones recur by chance."""
MOST = 20_000
"""Lines of one document that are looked at."""
_LINE = re.compile(rf"(?m)^[^\n]{{{SHORTEST},}}")


def lines(text: str) -> list[tuple[int, int, int]]:
    """The text's first MOST lines of SHORTEST characters or more: (start, end, key).

    White space around a line is no part of it. `start` and `end` count characters of `text`; `key` is the XXH3-64 of
    the case-folded NFC line with each run of white space as one space.
    """
    found: list[tuple[int, int, int]] = []
    for match in _LINE.finditer(text):
        line = match.group()
        start = match.start() + len(line) - len(line.lstrip())
        line = line.strip()
        if len(line) >= SHORTEST:
            folded = fold(line)
            # A space is the only white space that is printable, so most lines need not be split.
            if "  " in folded or not folded.isprintable():
                folded = " ".join(folded.split())
            key = xxhash.xxh3_64_intdigest(folded.encode("utf-8", "surrogatepass"))
            found.append((start, start + len(line), key))
            if len(found) == MOST:
                break
    return found


def repeated(connection: duckdb.DuckDBPyConnection, documents: str, lines: str, at_least: int = 10) -> str:
    """Find the lines that `at_least` documents of one source have, or more.

    Copies of one text are one document, so that an article that was copied ten times is not taken for a notice. Ten
    documents are enough for "HAS ADOPTED THIS REGULATION" to be marked in a collection of acts: a mark is no verdict.

    Args:
        connection: a database for temporary tables; the relation returned reads them until the next call.
        documents: relation (SQL) with columns `id, source, chars, text_digest`.
        lines: relation (SQL) with columns `id, start, end, key`.

    Returns:
        Relation (SQL) with the columns of REPEATS in catalog/schema.py, for documents with such lines: `spans` in the
        order of the text, each with the number of documents of distinct text that have the line.
    """
    # Most lines occur once: keys alone are counted first, so that few lines are joined to documents.
    connection.execute(f"""
        CREATE OR REPLACE TEMP TABLE repeated_key AS
        SELECT key FROM {lines} GROUP BY key HAVING count(*) >= {at_least};
        CREATE OR REPLACE TEMP TABLE repeated_document AS
        SELECT (row_number() OVER (ORDER BY id))::UINTEGER AS n, id, chars,
               (dense_rank() OVER (ORDER BY source))::UINTEGER AS source, coalesce(text_digest, id) AS text
        FROM {documents};
        CREATE OR REPLACE TEMP TABLE repeated_text AS
        SELECT n, (min(n) OVER (PARTITION BY source, text))::UINTEGER AS text FROM repeated_document;
        CREATE OR REPLACE TEMP TABLE repeated_line AS
        SELECT d.n, d.source, l.key, l.start, l."end"
        FROM {lines} l JOIN repeated_key USING (key) JOIN repeated_document d USING (id);
        CREATE OR REPLACE TEMP TABLE repeated_count AS
        SELECT source, key, count(*) AS documents
        FROM (SELECT DISTINCT l.source, l.key, t.text FROM repeated_line l JOIN repeated_text t USING (n))
        GROUP BY source, key HAVING count(*) >= {at_least};
    """)
    return """(
        SELECT d.id, spans, (length / d.chars)::FLOAT AS repeated_share
        FROM (
            SELECT n, list_sort(list({'start': start, 'end': "end", 'documents': documents})) AS spans,
                   sum("end" - start) AS length
            FROM repeated_line JOIN repeated_count USING (source, key) GROUP BY n
        ) JOIN repeated_document d USING (n)
    )"""
