"""What was fetched: archives, their segments, and one row a request, of every harvest.

<corpus>/archive/<name>/<segment>.warc.gz     what came, as WARC; never changed once it is there
<corpus>/fetches/<segment>.parquet            a row for each request that was made, or refused, beside it
<corpus>/manifests/fetches/<segment>.json     written last: the segment is whole
<corpus>/manifests/harvests/<harvest>.json    a harvest: when, of which recipe, whether it is complete
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from catalog import files
from catalog.errors import ConfigError, ShardError
from catalog.files import Corpus, read_json, sha256, write_json
from catalog.schema import _col
from catalog.views import _sql_type, parquet, quote_name

OUTCOMES = ("new", "changed", "unchanged", "redirect", "missing", "robots", "refused", "failed")

VERSION = 2
"""Raised whenever a column changes; segments keep the one that they were written with."""

FETCHES = pa.schema(
    [
        _col("archive", pa.string(), "name of the archive: the harvest recipe's"),
        _col("harvest", pa.string(), "the harvest it belongs to: archive and start, `web-20261121T030000Z`"),
        _col("key", pa.string(), "identity of the request: XXH3-128 of URL and its own header fields"),
        _col("url", pa.string(), "what was asked for"),
        _col("host", pa.string(), "its host"),
        _col("kind", pa.string(), "what was expected: page, sitemap, robots, list, document ..."),
        _col("via", pa.string(), "URL that led there"),
        _col("depth", pa.int32(), "links from a seed"),
        _col("attempts", pa.int32(), "requests made until this was known"),
        _col("fetched", pa.timestamp("ms", tz="UTC"), "when the last of them was made"),
        _col("seconds", pa.float32(), "how long it took"),
        _col("status", pa.int32(), "HTTP status; null when none came"),
        _col("mime", pa.string(), "declared media type"),
        _col("bytes", pa.int64(), "bytes of the body as sent"),
        _col("outcome", pa.string(), "new, changed, unchanged, redirect, missing, robots, refused or failed"),
        _col("reason", pa.string(), "why it is missing, refused or failed; a few words that can be counted"),
        _col("detail", pa.string(), "the same with particulars: the rule, the error's text"),
        _col("location", pa.string(), "where a redirect leads"),
        _col("etag", pa.string(), "validator: ETag as sent"),
        _col("last_modified", pa.string(), "validator: Last-Modified as sent"),
        _col("payload_digest", pa.string(), "SHA-1 of the body as sent, as WARC writes it: `sha1:` and Base32"),
        _col("ip", pa.string(), "address that answered"),
        _col("record", pa.string(), "what the archive has of it: response, revisit, resource; null when nothing"),
        _col("warc", pa.string(), "archive file, relative to the corpus folder"),
        _col("offset", pa.int64(), "where the record starts in it"),
        _col("length", pa.int64(), "bytes of the record there"),
        _col("truncated", pa.string(), "why the payload is not whole: length, disconnect, time"),
        _col("labels", pa.string(), "what is known beside the bytes, as JSON: celex, language, licence ..."),
        _col("task", pa.string(), "where no whole answer came and one may come later: what to ask for again, as JSON"),
    ]
)

TABLE = """
CREATE TABLE harvests (
    harvest TEXT PRIMARY KEY, archive TEXT, kind TEXT, status TEXT, started TIMESTAMPTZ, ended TIMESTAMPTZ,
    requests BIGINT, bytes BIGINT, segments INTEGER, outcomes JSON, dropped JSON, passed JSON, code TEXT,
    recipe JSON, state JSON);
CREATE TABLE segments (
    segment TEXT PRIMARY KEY, archive TEXT, harvest TEXT, published TIMESTAMPTZ, rows BIGINT, file TEXT, warc TEXT,
    warc_bytes BIGINT);
"""
"""A row a harvest; a row a published segment: its file of rows, and its archive file (null where nothing came)."""

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,127}")
_BATCH = 20_000
_MEMORY_MB = 512


def archive_file(archive: str, segment: str) -> str:
    """Where a segment's archive lies once it is published, relative to the corpus folder."""
    for name in (archive, segment):
        if not _NAME.fullmatch(name):
            raise ConfigError(f"{name!r}: a name is letters, digits, `.`, `_` and `-`, and begins with no sign")
    return f"archive/{archive}/{segment}.warc.gz"


def published(corpus: Corpus, segment: str) -> bool:
    """Whether the segment is there whole."""
    return corpus.manifest("fetches", segment).is_file()


def begun(corpus: Corpus, archive: str, segment: str) -> bool:
    """Whether a publication died after it had moved the archive: `publish` with the same rows ends it."""
    return not published(corpus, segment) and (corpus.root / archive_file(archive, segment)).is_file()


def publish(
    corpus: Corpus, archive: str, harvest: str, segment: str, rows: pa.Table, warc: Path | None
) -> dict[str, Any]:
    """Publish a closed segment; the same call again after a death at any point ends what was begun.

    Args:
        corpus: where it belongs.
        archive: its archive.
        harvest: its harvest.
        segment: its name.
        rows: as FETCHES.
        warc: the closed archive file, which is moved; None where nothing was archived.

    Returns:
        The manifest, which is written last.

    Raises:
        ShardError: the archive file is missing, or one of this name is there already.
    """
    done = corpus.manifest("fetches", segment)
    if done.is_file():
        return read_json(done)
    kept = archive_file(archive, segment)
    file = f"fetches/{segment}.parquet"
    staged = corpus.staging / f"fetches-{segment}.parquet"
    staged.parent.mkdir(parents=True, exist_ok=True)
    pq.write_table(rows.select(FETCHES.names).cast(FETCHES), staged, compression="zstd")
    written: list[dict[str, Any]] = [{"dataset": "fetches", "file": file, "rows": rows.num_rows, **_facts(staged)}]
    if warc is not None:
        _move(warc, corpus.root / kept)
        written.append({"dataset": "archive", "file": kept, **_facts(corpus.root / kept)})
    files.publish(staged, corpus.root / file)
    manifest = {
        "segment": segment, "archive": archive, "harvest": harvest, "published": datetime.now(UTC).isoformat(),
        "schema": VERSION, "files": written,
    }  # fmt: skip
    write_json(done, manifest)
    return manifest


def _facts(path: Path) -> dict[str, Any]:
    return {"bytes": path.stat().st_size, "sha256": sha256(path)}


def _move(warc: Path, final: Path) -> None:
    if not warc.is_file():
        if not final.is_file():
            raise ShardError(f"{warc}: the archive is gone; its segment cannot be published")
    elif final.exists():
        raise ShardError(f"{final}: there already, and {warc} wants its name; move one of them away")
    else:
        files.publish(warc, final)


def digests(corpus: Corpus) -> dict[str, str]:
    """SHA-256 of every published file by its name below the corpus folder."""
    return {entry["file"]: entry["sha256"] for found in _segments(corpus) for entry in found["files"]}


def _segments(corpus: Corpus, key: str = "", value: str = "") -> list[dict[str, Any]]:
    return [found for found in corpus.read_manifests("fetches") if not key or found[key] == value]


def write_harvest(corpus: Corpus, manifest: dict[str, Any]) -> None:
    """Write what is known of a harvest, over what was known before.

    It says `harvest`, `archive`, `kind` (the harvester), `status` (running, paused, complete), `started`, `ended`
    (ISO 8601), `requests`, `bytes`, `outcomes`, `dropped`, `passed` (links that were not followed), `code`,
    `recipe`, `state`, and whatever else is of use.
    """
    missing = {"harvest", "archive", "kind", "status", "started"} - manifest.keys()
    if missing:
        raise ValueError(f"a harvest without {sorted(missing)}")
    if datetime.fromisoformat(manifest["started"]).tzinfo is None:
        raise ValueError(f"started = {manifest['started']!r}: no time zone")
    archive_file(manifest["archive"], manifest["harvest"])
    write_json(corpus.manifest("harvests", manifest["harvest"]), manifest)


def last_harvest(corpus: Corpus, archive: str, complete: bool = True) -> dict[str, Any] | None:
    """The harvest of an archive that was started last, or the last complete one; None without one."""
    found = [
        manifest for manifest in corpus.read_manifests("harvests")
        if manifest["archive"] == archive and (manifest["status"] == "complete" or not complete)
    ]  # fmt: skip
    return max(found, key=lambda manifest: datetime.fromisoformat(manifest["started"]), default=None)


def table_rows(corpus: Corpus) -> dict[str, list[dict[str, Any]]]:
    """Rows of the tables `harvests` and `segments`."""
    segments = _segments(corpus)
    known = ("harvest", "archive", "kind", "status", "started", "ended", "requests", "bytes", "code")
    harvests = [
        {
            **{key: found.get(key) for key in known},
            "segments": sum(segment["harvest"] == found["harvest"] for segment in segments),
            **{key: found.get(key) or {} for key in ("outcomes", "dropped", "passed", "recipe", "state")},
        }
        for found in corpus.read_manifests("harvests")
    ]
    return {"harvests": harvests, "segments": [_segment_row(found) for found in segments]}


def _segment_row(manifest: dict[str, Any]) -> dict[str, Any]:
    by = {entry["dataset"]: entry for entry in manifest["files"]}
    kept = by.get("archive", {})
    return {
        **{key: manifest[key] for key in ("segment", "archive", "harvest", "published")},
        "rows": by["fetches"]["rows"], "file": by["fetches"]["file"], "warc": kept.get("file"),
        "warc_bytes": kept.get("bytes"),
    }  # fmt: skip


def view(corpus: Corpus, segments: list[dict[str, Any]] | None = None) -> str:
    """A query for the rows of published segments, by default all; no rows of these columns where there are none."""
    none = ", ".join(f"NULL::{_type(field.type)} AS {quote_name(field.name)}" for field in FETCHES)
    parts: dict[int, list[Path]] = {}
    for found in _segments(corpus) if segments is None else segments:
        paths = parts.setdefault(found["schema"], [])
        paths += [corpus.root / entry["file"] for entry in found["files"] if entry["dataset"] == "fetches"]
    return " UNION ALL BY NAME ".join(
        [f"SELECT {none} WHERE false", *(f"FROM {parquet(paths)}" for paths in parts.values())]
    )


def _type(kind: pa.DataType) -> str:
    return "TIMESTAMPTZ" if pa.types.is_timestamp(kind) else _sql_type(kind)


_CAPTURES = """
    WITH answer AS (
        SELECT *, record IS NOT NULL AND outcome IN ('new', 'changed', 'unchanged') AS good FROM ({rows})
        WHERE outcome IN ('new', 'changed', 'unchanged', 'redirect', 'missing') AND key IS NOT NULL
    ),
    last AS (
        SELECT key, url, warc, "offset", length, payload_digest, fetched, status, truncated, labels FROM answer
        WHERE good AND record IN ('response', 'resource') AND status BETWEEN 200 AND 299
        QUALIFY row_number() OVER (PARTITION BY key ORDER BY fetched DESC, warc DESC, "offset" DESC) = 1
    ),
    since AS (
        SELECT key, arg_max(a.outcome, a.fetched) AS outcome, arg_max(a.etag, a.fetched) FILTER (a.good) AS etag,
               arg_max(a.last_modified, a.fetched) FILTER (a.good) AS last_modified
        FROM last JOIN answer a USING (key) WHERE a.fetched >= last.fetched GROUP BY key
    )
    SELECT key, url, CASE WHEN truncated IS NULL THEN etag END AS etag,
           CASE WHEN truncated IS NULL THEN last_modified END AS last_modified, payload_digest, warc, "offset", length,
           fetched, status, outcome, labels, truncated
    FROM last JOIN since USING (key) ORDER BY key
"""


def last_captures(corpus: Corpus, archive: str) -> Iterator[pa.RecordBatch]:
    """One row a key of an archive, by key: the last response record with a 2xx status that was new or changed.

    Columns: key, url, etag, last_modified, payload_digest, warc, offset, length, fetched, status, outcome, labels,
    truncated. The validators are the newest that came with this payload, in revisits too; none where it is truncated.
    `outcome` is what the newest answer of the key was: `missing` or `redirect` when the page has gone since. A failed
    request says nothing of the page, and what was refused or missing is no capture.
    """
    from catalog.store import computing

    found = _segments(corpus, "archive", archive)
    if not found:
        return
    with computing(corpus, _MEMORY_MB) as connection:
        query = _CAPTURES.format(rows=view(corpus, found))
        yield from connection.sql(query).to_arrow_reader(_BATCH)


def to_repeat(corpus: Corpus, harvest: str) -> Iterator[str]:
    """What a harvest asked for in vain though it may come later: the column `task`, where there is one."""
    from catalog.store import computing

    with computing(corpus, _MEMORY_MB) as connection:
        found = view(corpus, _segments(corpus, "harvest", harvest))
        reader = connection.sql(f"SELECT task FROM ({found}) WHERE task IS NOT NULL").to_arrow_reader(_BATCH)
        for batch in reader:
            yield from batch.column(0).to_pylist()


_SUMS = ("requests", "bytes", *OUTCOMES, "errors")
_COUNTS = "count(*) AS fetches, coalesce(sum(bytes), 0)::BIGINT AS bytes"
_SUMMARIES = {
    "outcomes": f"SELECT outcome, {_COUNTS} FROM f GROUP BY ALL ORDER BY fetches DESC, outcome",
    "hosts": f"""
        WITH h AS (
            SELECT host, coalesce(sum(attempts) FILTER (kind != 'robots'), 0) AS requests,
                   coalesce(sum(bytes), 0) AS bytes,
                   {", ".join(f"count(*) FILTER (outcome = '{o}') AS {quote_name(o)}" for o in OUTCOMES)},
                   count(*) FILTER (status >= 400 OR status IS NULL AND attempts > 0) AS errors
            FROM f GROUP BY host
        ),
        placed AS (SELECT *, row_number() OVER (ORDER BY requests DESC, host) AS place FROM h)
        SELECT CASE WHEN place <= {{most}} THEN host ELSE '(others)' END AS host,
               {", ".join(f"sum({quote_name(c)})::BIGINT AS {quote_name(c)}" for c in _SUMS)}
        FROM placed GROUP BY ALL ORDER BY min(place)""",
    "statuses": f"SELECT status, {_COUNTS} FROM f WHERE status IS NOT NULL GROUP BY ALL ORDER BY fetches DESC, status",
    "errors": """
        SELECT outcome, reason, count(*) AS fetches, min(url) AS example FROM f
        WHERE outcome IN ('missing', 'refused', 'failed')
        GROUP BY ALL ORDER BY fetches DESC, outcome, reason LIMIT {most}""",
    "robots": """
        SELECT host, coalesce(detail, reason) AS rule, count(*) AS fetches, min(url) AS example FROM f
        WHERE outcome = 'robots' GROUP BY ALL ORDER BY fetches DESC, host, rule LIMIT {most}""",
}  # fmt: skip


def summary(corpus: Corpus, harvest: str, most: int = 200) -> dict[str, list[dict[str, Any]]]:
    """What the published segments of a harvest show, as tables of JSON values, the most frequent first.

    outcomes: outcome, fetches, bytes. hosts: host, requests (robots.txt not counted), bytes, a column an outcome,
    errors (no answer, or a status from 400); after `most` of them, one row `(others)`. statuses: status, fetches,
    bytes. errors: outcome, reason, fetches, example (a URL), at most `most`. robots: host, rule, fetches, example.
    """
    from catalog import reports
    from catalog.store import computing

    with computing(corpus, _MEMORY_MB) as connection:
        connection.execute(f"CREATE VIEW f AS {view(corpus, _segments(corpus, 'harvest', harvest))}")
        return {name: reports.rows(connection, sql.format(most=int(most))) for name, sql in _SUMMARIES.items()}


def unaccounted(corpus: Corpus) -> list[str]:
    """What does not add up in complete harvests, in words: rows by outcome are those that the harvest counted, and no
    request is there twice."""
    from catalog.store import computing

    wrong = []
    with computing(corpus, _MEMORY_MB) as connection:
        for harvest in corpus.read_manifests("harvests"):
            if harvest["status"] != "complete":
                continue
            rows = view(corpus, _segments(corpus, "harvest", harvest["harvest"]))
            found = dict(connection.execute(f"SELECT outcome, count(*) FROM ({rows}) GROUP BY ALL").fetchall())
            told = {name: n for name, n in harvest.get("outcomes", {}).items() if n and name != "dropped"}
            if found != told:
                wrong.append(f"harvest {harvest['harvest']}: counted {told}, its segments hold {found}")
            twice = f"SELECT key FROM ({rows}) WHERE kind != 'robots' GROUP BY key HAVING count(*) > 1"
            (again,) = connection.execute(f"SELECT count(*) FROM ({twice})").fetchone() or (0,)
            if again:
                wrong.append(f"harvest {harvest['harvest']}: {again} requests are there twice")
    return wrong
