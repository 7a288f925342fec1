"""What the archive of former harvests has of a request."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime

import orjson
import pyarrow as pa


@dataclass(frozen=True, slots=True)
class Capture:
    """What the archive has of a request: the last response record of its key with a 2xx status."""

    key: str
    url: str
    etag: str | None
    """Validator to send; None, too, where the payload is not whole."""
    last_modified: str | None
    payload_digest: str | None
    warc: str
    """Archive file, relative to the corpus folder."""
    offset: int
    length: int
    fetched: datetime
    status: int
    outcome: str
    """What the newest harvest that got an answer made of it: `missing` when it is gone since."""
    labels: str | None = None
    truncated: str | None = None

    @property
    def final(self) -> bool:
        """Whether asking again would bring no more of it: it is whole, or was cut at a limit."""
        return self.truncated in (None, "length")

    def pack(self) -> bytes:
        """Everything but the key, as JSON."""
        return orjson.dumps({name: getattr(self, name) for name in self.__dataclass_fields__ if name != "key"})


def unpack(key: str, packed: bytes) -> Capture:
    """What `Capture.pack` packed."""
    values = orjson.loads(packed)
    return Capture(**{**values, "key": key, "fetched": datetime.fromisoformat(values["fetched"])})


def captures(batches: Iterable[pa.RecordBatch]) -> Iterator[Capture]:
    """Captures of `catalog.fetches.last_captures`."""
    for batch in batches:
        names = batch.schema.names
        for values in zip(*(column.to_pylist() for column in batch.columns), strict=True):
            yield Capture(**dict(zip(names, values, strict=True)))
