"""Works, families and splits: what must never stand on both sides of a benchmark.

A work is one text in all its languages and versions: an act by its CELEX number, an article by its DOI or Érudit
number. A family joins the works that share a cluster of near-duplicates. A split holds whole families, and is chosen by
a digest of the family's name, so that it stays as it is when the corpus grows.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pydantic import BaseModel, ConfigDict, Field

if TYPE_CHECKING:
    import duckdb

SPLITS = ("train", "validation", "test")


class Splits(BaseModel):
    """How families are shared out."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    seed: int = 1
    validation: float = Field(default=0.1, ge=0, lt=1)
    test: float = Field(default=0.2, ge=0, lt=1)


def assign(connection: duckdb.DuckDBPyConnection, splits: Splits) -> None:
    """Make the temporary table `works` (id, work, family, split) of the kept documents."""
    raise NotImplementedError
