"""What a snapshot holds beside its shards: clusters, repeated lines, rights and scores, made once a set of shards."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator
from functools import cache
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from catalog import snapshots, store
from catalog.errors import ConfigError
from catalog.files import Corpus, digest, sha256
from catalog.schema import RIGHTS
from filters import dedup, repeats, rights, url_lists
from flows import engine, scoring
from flows.recipe import Recipe

if TYPE_CHECKING:
    import duckdb

Manifest = dict[str, Any]
_ROWS = 50_000


def clusters(recipe: Recipe, corpus: Corpus, shards: list[Manifest]) -> Manifest:
    """The file of the duplicate clusters."""
    wanted = recipe.dedup
    settings = dedup.Settings(recipe.minhash.bands, recipe.minhash.rows, wanted.scope, wanted.by, wanted.verify)
    return snapshots.cluster(corpus, shards, settings, dedup.cluster, code())


def measures(recipe: Recipe, corpus: Corpus, shards: list[Manifest], tell: Callable[[str], None]) -> list[Manifest]:
    """The files of the measures that take more than one document: repeated lines, rights, scores."""
    found = [_repeats(recipe, corpus, shards), _rights(recipe, corpus, shards)]
    if recipe.classifier.trusted and (scores := _scores(recipe, corpus, shards, tell)):
        found.append(scores)
    return found


def _scores(recipe: Recipe, corpus: Corpus, shards: list[Manifest], tell: Callable[[str], None]) -> Manifest | None:
    chosen, workers = recipe.classifier, min(engine.workers(recipe), os.cpu_count() or 1)
    return scoring.score(
        corpus, shards, list(chosen.trusted), list(chosen.against), chosen.documents, workers, progress=tell,
        warn=lambda what: print(f"florilege: {what}", file=sys.stderr),
    )  # fmt: skip


def url_list_digests(recipe: Recipe) -> dict[str, str]:
    """The digest of each URL list's file; ConfigError when it cannot be read."""
    try:
        return {listed.name: sha256(Path(listed.path)) for listed in recipe.rights.url_lists}
    except OSError as error:
        raise ConfigError(f"rights.url_lists: {error.filename}: {error.strerror}") from error


@cache
def code() -> str:
    """Digest of the code that works on finished shards, so that other code makes other files."""
    root = Path(__file__).resolve().parent.parent
    found = [p for p in (root / "filters").iterdir() if p.suffix in (".py", ".toml")]
    found += [root / "catalog" / "snapshots.py", root / "catalog" / "judge.py", Path(__file__).resolve()]
    return digest([sha256(path) for path in sorted(found)])


def url_lists_of(recipe: Recipe) -> list[url_lists.UrlList]:
    """The recipe's URL lists, read. ConfigError when one cannot be, or is not the file that the recipe names."""
    try:
        found = [url_lists.load(listed.name, listed.path, listed.sha256) for listed in recipe.rights.url_lists]
    except (OSError, ValueError) as error:
        raise ConfigError(f"rights.url_lists: {error}") from error
    return [*found, url_lists.adult_words()] if recipe.rights.adult_words else found


def _made_from(shards: list[Manifest], *datasets: str) -> list[str]:
    return sorted(f["sha256"] for s in shards for f in s["files"] if f["dataset"] in datasets)


def _repeats(recipe: Recipe, corpus: Corpus, shards: list[Manifest]) -> Manifest:
    at_least = recipe.dedup.repeated_in
    name = digest([_made_from(shards, "lines", "signals"), at_least, code()])

    def found(connection: duckdb.DuckDBPyConnection) -> str:
        documents, signals, lines = (
            snapshots.relation(corpus, shards, dataset) for dataset in ("documents", "signals", "lines")
        )
        members = f"(SELECT d.id, d.source, s.chars, s.text_digest FROM {documents} d JOIN {signals} s USING (id))"
        return repeats.repeated(connection, members, lines, at_least)

    return snapshots.derive(corpus, "repeats", name, found)


def _rights(recipe: Recipe, corpus: Corpus, shards: list[Manifest]) -> Manifest:
    settings = recipe.rights
    made_from = _made_from(shards, "documents", "policies")
    listed = [*url_list_digests(recipe).items(), settings.adult_words]
    name = digest([made_from, settings.agents, listed, code()])

    with store.computing(corpus) as reading:

        def found(connection: duckdb.DuckDBPyConnection) -> str:
            policies, documents = (snapshots.relation(corpus, shards, name) for name in ("policies", "documents"))
            spoken = reading.sql(f"SELECT * FROM {policies} ORDER BY id").to_arrow_reader().read_all().to_pylist()
            pages = reading.execute(
                f"SELECT id, url, epoch(fetched) FROM {documents} WHERE url IS NOT NULL ORDER BY url, id"
            )
            rows = rights.derive(_rows(pages), spoken, settings.agents, url_lists_of(recipe))
            connection.register("rights_rows", pa.RecordBatchReader.from_batches(RIGHTS, _batches(rows)))
            return "rights_rows"

        return snapshots.derive(corpus, "rights", name, found)


def _rows(result: duckdb.DuckDBPyConnection) -> Iterator[tuple[Any, ...]]:
    while rows := result.fetchmany(_ROWS):
        yield from rows


def _batches(rows: Iterator[Manifest]) -> Iterator[pa.RecordBatch]:
    while some := list(islice(rows, _ROWS)):
        yield pa.RecordBatch.from_pylist(some, RIGHTS)
