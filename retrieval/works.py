"""Works, families and splits: what must never stand on both sides of a benchmark.

A work is one text in all its languages and versions: an act by its CELEX number, an article by its DOI or Érudit
number. A family joins the works that share a cluster of near-duplicates. A split holds whole families, and is chosen by
a digest of the family's name, so that it stays as it is when the corpus grows, unless families become one.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import xxhash
from pydantic import BaseModel, ConfigDict, Field, model_validator

from filters import components

if TYPE_CHECKING:
    import duckdb

SPLITS = ("train", "validation", "test")


class Splits(BaseModel):
    """How families are shared out."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    seed: int = 1
    validation: float = Field(default=0.1, ge=0, lt=1)
    test: float = Field(default=0.2, ge=0, lt=1)

    @model_validator(mode="after")
    def _leaves_something(self) -> Splits:
        if self.validation + self.test >= 1:
            raise ValueError(f"validation + test = {self.validation + self.test:g}: nothing is left to train on")
        return self


_DOI = r"^10\.[0-9.]+/\S+$"
_ERUDIT = r"^[a-z._-]*[0-9][0-9a-z._-]*$"
_FACT = "CASE WHEN json_valid(d.meta) THEN lower(trim(d.meta ->> '{}')) END"
# Documents that were dropped as repeats link works too: of an act and its near copy, the English text may be kept of
# one and the French of the other. Those that failed a threshold do not: an empty page in the place of an act, alike
# for a thousand acts, would make one family of them all.
_MEMBERS = f"""
    WITH known AS (
        SELECT id, d.source, d.path, d.kind, s.reference, v.keep, v.keep OR v.stage = 'dedup' AS linking,
               c.cluster, s.text_digest, upper(trim(d.celex)) AS celex,
               regexp_replace({_FACT.format("doi")}, '^(https?://(dx\\.)?doi\\.org/|doi:\\s*)', '') AS doi,
               {_FACT.format("erudit_id")} AS erudit
        FROM documents d JOIN verdicts v USING (id) LEFT JOIN signals s USING (id) LEFT JOIN clusters c USING (id)
    ), named AS (
        SELECT *, if(regexp_matches(erudit, '{_ERUDIT}'), 'erudit:' || erudit, NULL) AS number,
               coalesce(
                   'celex:' || {{base}},
                   if(regexp_matches(doi, '{_DOI}'), 'doi:' || doi, NULL),
                   number
               ) AS own,
               coalesce(own, 'cluster:' || cluster, 'id:' || id) AS work
        FROM known
    ), referred AS (
        SELECT source, path, min(coalesce(own, work)) AS work FROM named WHERE kind = 'file' GROUP BY ALL
    )
    SELECT n.id, n.keep, coalesce(n.own, r.work, n.work) AS work, n.number, n.cluster, n.text_digest
    FROM named n LEFT JOIN referred r ON r.source = n.source AND r.path = n.reference
    WHERE n.linking
"""


def assign(connection: duckdb.DuckDBPyConnection, splits: Splits) -> None:
    """Make the temporary table `works` (id, work, family, split) of the kept documents.

    Reads ids and small columns of the views documents, signals, clusters and verdicts. A family is named after the
    smallest name of a work in it; a document that joins two families gives both one name and so one split.
    """
    query = _MEMBERS.format(base=_base_act("celex"))
    # The relation's own Arrow reader copies nothing, but needs a connection without an unfinished result.
    connection.execute("DROP TABLE IF EXISTS works").fetchall()
    members = connection.sql(query).to_arrow_table()
    family = _families(members)
    names = pc.unique(family).to_pylist()
    chosen = pa.array([split(name, splits) for name in names], pa.string())
    table = pa.table(
        {
            "id": members["id"], "work": members["work"], "family": family,
            "split": chosen.take(pc.index_in(family, pa.array(names, pa.string()))),
        }
    ).filter(members["keep"])  # fmt: skip
    connection.register("florilege_works", table)
    connection.execute("CREATE TEMP TABLE works AS FROM florilege_works").fetchall()
    connection.unregister("florilege_works")


def split(family: str, splits: Splits) -> str:
    """The split of a family: XXH3-64 of seed and name, as a number in [0, 1), against the shares."""
    place = xxhash.xxh3_64_intdigest(f"{splits.seed}:{family}".encode("utf-8", "surrogatepass")) / 2.0**64
    if place < splits.test:
        return "test"
    return "validation" if place < splits.test + splits.validation else "train"


def _base_act(celex: str) -> str:
    """SQL for the number of the act that a CELEX number belongs to; null for an empty one.

    Its corrigenda `32016R0679R(01)` and consolidated versions `02016R0679-20160504` belong to the act `32016R0679`.
    Sector 0 (consolidated) is 3 in the act's own number, 2 in an agreement's (type A), 1 in a treaty's, which is
    followed by a slash, or by letters or an article's number of at most three digits.
    """
    bare = rf"regexp_replace({celex}, '(-[0-9]{{8}})?(R\([0-9]+\))*(-[0-9]{{8}})?$', '')"
    return rf"""CASE
        WHEN regexp_matches({bare}, '^0[0-9]{{4}}A[0-9]{{4}}') THEN '2' || substr({bare}, 2)
        WHEN regexp_matches({bare}, '^0[0-9]{{4}}[A-Z]{{1,2}}[0-9]{{4}}') THEN '3' || substr({bare}, 2)
        WHEN regexp_matches({bare}, '^0[0-9]{{4}}[A-Z]') THEN '1' || substr({bare}, 2)
        ELSE nullif({bare}, '') END"""


def _families(members: pa.Table) -> pa.Array:
    """Of each member the name of its family: works, Érudit numbers, clusters and equal texts join their members."""
    rows = np.arange(members.num_rows)
    parent = components.separate(members.num_rows)
    for name in ("work", "number", "cluster", "text_digest"):
        codes = members[name].combine_chunks().dictionary_encode().indices
        known, codes = np.asarray(codes.is_valid()), np.asarray(codes.fill_null(0))
        first = np.full(members.num_rows, members.num_rows)
        np.minimum.at(first, codes[known], rows[known])
        components.unite(parent, rows[known], first[codes[known]])
    home = pa.array(components.roots(parent).astype(np.int64))
    smallest = pa.table({"home": home, "work": members["work"]}).group_by("home").aggregate([("work", "min")])
    return smallest["work_min"].take(pc.index_in(home, smallest["home"].combine_chunks())).combine_chunks()
