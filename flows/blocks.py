"""The blocks that make one shard: a datatrove pipeline, one task a shard.

Every record of the input goes through the whole line. A record that is no document, or that cannot be read, passes
the middle untouched and is written down at the end, so that nothing is lost on the way.
"""

from __future__ import annotations

import os
import time
from collections import deque
from collections.abc import Iterator
from concurrent.futures import Future
from pathlib import Path
from typing import Any

from datatrove.data import Document
from datatrove.pipeline.base import PipelineStep

from catalog.files import Corpus, write_json
from catalog.schema import SHARD_DATASETS
from catalog.shards import ShardWriter
from extractors.record import Extract, Record
from flows import plan as plans
from flows.extracts import reader, size
from flows.inputs import UNREADABLE, opener
from flows.plan import Piece, ShardSpec
from flows.recipe import Recipe
from flows.rows import document_row, page_rows, policy_row, skipped_row

_LARGE = 4 << 20
"""Bytes of a payload beyond which no second document is taken in hand: memory."""


class ReadShard(PipelineStep):
    """Reads the records of the shard that has the task's number."""

    name = "read"
    type = "florilege"

    def __init__(self, recipe: Recipe, shards: list[ShardSpec]) -> None:
        super().__init__()
        self.recipe, self.shards = recipe, shards

    def run(self, data: Any, rank: int = 0, world_size: int = 1) -> Iterator[Document]:
        limit = self.recipe.extract.max_payload_mb << 20
        spec = self.shards[rank]
        number = 0
        for piece in spec.pieces:
            for record in read_piece(spec, piece, limit):
                self.stat_update("records")
                number += 1
                facts = {"record": record, "number": number, "piece": piece, "signals": {}}
                yield Document(text="", id=record.id, metadata=facts)


def read_piece(spec: ShardSpec, piece: Piece, limit: int) -> Iterator[Record]:
    """The records of a file or of a part of an archive; a file that cannot be opened is one record with an error."""
    length = (piece.stop or piece.size) - piece.start
    blank = Record(
        spec.source, piece.path, piece.start, length, meta=dict(piece.meta), reference=piece.reference
    )  # fmt: skip
    if piece.skip:
        blank.skip = piece.skip
        yield blank
        return
    try:
        if spec.kind == "warc":
            from extractors import warc

            yield from warc.read(
                opener(piece.uri), source=spec.source, path=piece.path,
                start=piece.start, stop=piece.stop, max_payload=limit,
            )  # fmt: skip
        else:
            yield _read_file(blank, piece, limit)
    except OSError as error:
        if piece.digest != UNREADABLE:
            raise  # it could be read when it was planned: the shard fails, and is tried again
        blank.error = f"{piece.path}: cannot be read: {error.strerror or error}"
        yield blank


def _read_file(record: Record, piece: Piece, limit: int) -> Record:
    from extractors.sniff import sniff

    if piece.size > limit:
        record.error = f"{piece.path}: file over {limit >> 20} MiB (extract.max_payload_mb)"
        return record
    with opener(piece.uri)() as file:
        record.payload = file.read(limit)
    record.format = sniff(record.payload, None, piece.path)
    if not record.payload:
        record.error = f"{piece.path}: empty file"
    elif record.format is None:
        record.skip = "media-type: unknown"
    if record.error or record.skip:
        record.payload = b""
    return record


class ExtractText(PipelineStep):
    """Bytes to text, in a child process that may be given up; the next document while this one is measured."""

    name = "extract"
    type = "florilege"

    def __init__(self, recipe: Recipe) -> None:
        super().__init__()
        self.settings = recipe.extract

    def run(self, data: Any, rank: int = 0, world_size: int = 1) -> Iterator[Document]:
        reading = reader(self.settings)
        extracts = reading.extracts()
        ahead: deque[tuple[Document, Future[Extract] | None]] = deque()
        for document in data:
            record = document.metadata["record"]
            large = len(record.payload) > _LARGE
            while large and ahead:
                yield self._finish(*ahead.popleft())
            ahead.append((document, reading.hand_in(extracts, record) if is_document(record) else None))
            while len(ahead) > (0 if large else 1):
                yield self._finish(*ahead.popleft())
        while ahead:
            yield self._finish(*ahead.popleft())

    def _finish(self, document: Document, waiting: Future[Extract] | None) -> Document:
        if waiting:
            with self.track_time():
                extract = waiting.result()
            document.text, document.metadata["extract"] = extract.text, extract
        return document


def is_document(record: Record) -> bool:
    return record.skip is None and record.error is None


class WriteShard(PipelineStep):
    """Lands the shard: its parquet files, then its manifest."""

    name = "write"
    type = "florilege"

    def __init__(self, corpus: Corpus, plan: plans.Plan, shards: list[ShardSpec]) -> None:
        super().__init__()
        self.corpus, self.shards = corpus, shards
        self.run_id, self.work, self.code = plan.run, plan.work, plan.code

    def run(self, data: Any, rank: int = 0, world_size: int = 1) -> Iterator[Document]:
        spec = self.shards[rank]
        progress = ProgressFile(self.corpus, self.run_id, spec)
        with ShardWriter(self.corpus, spec.shard, SHARD_DATASETS) as writer:
            records = 0
            for document in data:
                records = document.metadata["number"]
                self._write(writer, document)
                progress.step(document.metadata["piece"], document.metadata["record"])
            writer.commit(
                {
                    "run": self.run_id,
                    "work": self.work,
                    "code": self.code,
                    "source": spec.source,
                    "pieces": [piece.identity for piece in spec.pieces],
                    "records": records,
                }
            )
        yield from ()

    def _write(self, writer: ShardWriter, document: Document) -> None:
        record: Record = document.metadata["record"]
        if not is_document(record):
            writer.tables["skipped"].add(skipped_row(record))
            if policy := policy_row(record):
                writer.tables["policies"].add(policy, len(record.payload))
            return
        extract: Extract = document.metadata["extract"]
        writer.tables["documents"].add(document_row(record, extract), size(extract))
        for row in page_rows(record, extract, document.metadata.get("pages")):
            writer.tables["pages"].add(row, 500)
        if document.text:
            writer.tables["signals"].add({"id": record.id, **document.metadata["signals"]}, size(extract) // 4)
            writer.tables["bands"].add({"id": record.id, "keys": document.metadata["bands"]}, 200)
            for start, end, key in document.metadata["lines"]:
                writer.tables["lines"].add({"id": record.id, "start": start, "end": end, "key": key})


class ProgressFile:
    """Tells the flow, through a small file a second, how far a shard is."""

    def __init__(self, corpus: Corpus, run: str, spec: ShardSpec) -> None:
        self.path = progress_folder(corpus, run) / f"{spec.shard}.json"
        self.state = {"pid": os.getpid(), "documents": 0, "bytes": 0}
        self._before = 0
        self._piece: Piece | None = None
        self._next = 0.0

    def step(self, piece: Piece, record: Record) -> None:
        if piece is not self._piece:
            self._before += _weight(self._piece)
            self._piece = piece
        self.state["documents"] += is_document(record)
        self.state["bytes"] = self._before + max(0, record.offset - piece.start)
        if time.monotonic() >= self._next:
            write_json(self.path, self.state)
            self._next = time.monotonic() + 1


def _weight(piece: Piece | None) -> int:
    return 0 if piece is None else (piece.stop or piece.size) - piece.start


def progress_folder(corpus: Corpus, run: str) -> Path:
    return corpus.work / "runs" / run / "progress"
