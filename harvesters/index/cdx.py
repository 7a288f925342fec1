"""CDX files, the older kind of index of a web archive: their lines, and what SQL makes of them.

A line is `surt timestamp {json}` (CDXJ, Common Crawl's), the JSON alone (as a CDX server answers), or eleven words
(`CDX N b a m s k r M S V g`, the Internet Archive's). Anything else is passed over.
"""

from __future__ import annotations

import gzip
import logging
import zlib
from collections.abc import Iterator
from typing import BinaryIO

log = logging.getLogger("florilege.commoncrawl")

_LINES = 1 << 20
_MAX_LINE = 1 << 16
_FIELDS = ("url", "status", "digest", "length", "offset", "filename", "mime", '"mime-detected"', "charset",
           "languages", "truncated", '"warc-truncated"', "redirect", "timestamp", "urlkey")  # fmt: skip
COLUMNS = rf"""
WITH parts AS (
    SELECT line, string_split(line, ' ') AS words, regexp_extract(line, '^(?:\S+ \d+ )?(\{{.*\}})\s*$', 1) AS found
    FROM lines
), parsed AS (
    SELECT words, CASE WHEN found <> '' AND json_valid(found) THEN
        json_extract_string(found, [{", ".join(f"'$.{name}'" for name in _FIELDS)}]) END AS j
    FROM parts WHERE found <> '' OR len(words) = 11
), named AS (
    SELECT coalesce(j[15], words[1]) AS url_surtkey, CASE WHEN j IS NULL THEN words[3] ELSE j[1] END AS url,
        coalesce(j[14], words[2]) AS stamp, CASE WHEN j IS NULL THEN words[5] ELSE j[2] END AS status,
        CASE WHEN j IS NULL THEN words[6] ELSE j[3] END AS digest,
        CASE WHEN j IS NULL THEN words[9] ELSE j[4] END AS length,
        CASE WHEN j IS NULL THEN words[10] ELSE j[5] END AS record_offset,
        CASE WHEN j IS NULL THEN trim(words[11]) ELSE j[6] END AS filename,
        CASE WHEN j IS NULL THEN words[4] ELSE j[7] END AS mime, j[8] AS detected, j[9] AS charset,
        j[10] AS languages, coalesce(j[11], j[12]) AS truncated,
        CASE WHEN j IS NULL THEN nullif(words[7], '-') ELSE j[13] END AS redirect
    FROM parsed
), hosts AS (
    SELECT *, lower(regexp_extract(url, '^[A-Za-z]+://(?:[^/?#@]*@)?(\[[^\]]*\]|[^/?#:]*)', 1)) AS host FROM named
)
SELECT url_surtkey, url, host AS url_host_name, NULL::VARCHAR AS url_host_registered_domain,
    regexp_extract(host, '[^.]*$') AS url_host_tld, try_strptime(stamp, '%Y%m%d%H%M%S') AS fetch_time,
    TRY_CAST(status AS SMALLINT) AS fetch_status, redirect AS fetch_redirect, nullif(digest, '-') AS content_digest,
    nullif(mime, '-') AS content_mime_type, detected AS content_mime_detected, charset AS content_charset,
    languages AS content_languages, truncated AS content_truncated, filename AS warc_filename,
    TRY_CAST(record_offset AS BIGINT) AS warc_record_offset, TRY_CAST(length AS BIGINT) AS warc_record_length,
    nullif(regexp_extract(filename, '/segments/([^/]+)/', 1), '') AS warc_segment,
    nullif(regexp_extract(filename, '^crawl-data/([^/]+)/', 1), '') AS crawl,
    nullif(regexp_extract(filename, '/(warc|crawldiagnostics|robotstxt)/[^/]+$', 1), '') AS subset
FROM hosts"""
"""SQL from a relation `lines` (line) to the columns of the columnar index."""


def read_lines(file: BinaryIO, name: str) -> Iterator[list[str]]:
    """The lines of a CDX file in lists, gzip members one after the other undone; lines that are too long left out.

    A file that ends within a member gives what there is of it, and a warning.
    """
    packed = file.read(2) == b"\x1f\x8b"
    file.seek(0)
    # `read` would lose what stands before the place where a member is broken.
    read = gzip.GzipFile(fileobj=file).read1 if packed else file.read
    rest, overlong = b"", False
    while True:
        try:
            chunk = read(_LINES)
        except (EOFError, zlib.error, gzip.BadGzipFile) as error:
            log.warning("%s: %s; its lines so far are used", name, error)
            chunk = b""
        *lines, rest = (rest + chunk).split(b"\n")
        if overlong and lines:
            lines, overlong = lines[1:], False
        if not chunk:
            lines, rest = [*lines, rest] if not overlong else lines, b""
        elif len(rest) > _MAX_LINE:
            rest, overlong = b"", True
        if lines:
            yield [line.decode("utf-8", "replace") for line in lines if 0 < len(line) <= _MAX_LINE]
        if not chunk:
            return
