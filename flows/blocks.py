"""The blocks that make one shard: a datatrove pipeline, one task a shard.

Every record of the input goes through the whole line. A record that is no document, or that cannot be read, passes
the middle untouched and is written down at the end, so that nothing is lost on the way.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from datatrove.data import Document
from datatrove.pipeline.base import PipelineStep

from catalog.files import Corpus, write_json
from catalog.schema import SHARD_DATASETS
from catalog.shards import ShardWriter
from extractors.record import Extract, Record
from flows import plan as plans
from flows.extracts import Extracts, size
from flows.inputs import UNREADABLE, opener
from flows.plan import Piece, ShardSpec
from flows.recipe import Extract as ExtractSettings
from flows.recipe import Recipe
from flows.rows import document_row, page_rows, skipped_row

if TYPE_CHECKING:
    from extractors.sandbox import Sandbox
    from filters.language import LanguageModel


_MEASURED = 5_000_000
"""Characters of a text that signals are computed from: a few documents are longer, and memory must not follow them."""


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
    """Bytes to text, in a child process that may be given up."""

    name = "extract"
    type = "florilege"

    def __init__(self, recipe: Recipe) -> None:
        super().__init__()
        self.settings = recipe.extract

    def run(self, data: Any, rank: int = 0, world_size: int = 1) -> Iterator[Document]:
        extracts = Extracts(_sandbox(self.settings))
        for document in data:
            record = document.metadata["record"]
            if is_document(record):
                with self.track_time():
                    extract = extracts.of(record)
                document.text, document.metadata["extract"] = extract.text, extract
            yield document


@lru_cache(maxsize=1)
def _sandbox(settings: ExtractSettings) -> Sandbox:
    """A worker's own child, which starts now, serves all its shards and dies with the worker."""
    from extractors.sandbox import Sandbox

    options = {"ocr": settings.ocr, "deadline_s": settings.deadline_s}
    return Sandbox(settings.deadline_s, settings.memory_mb, options=options).__enter__()


@lru_cache(maxsize=1)
def _language_model(name: str, sha256: str | None) -> LanguageModel:
    from filters.language import LanguageModel

    return LanguageModel.load(name, sha256)


def is_document(record: Record) -> bool:
    return record.skip is None and record.error is None


def has_text(document: Document) -> bool:
    return bool(document.text)


class Signals(PipelineStep):
    """Language, quality, fidelity and MinHash bands of each text."""

    name = "signals"
    type = "florilege"

    def __init__(self, recipe: Recipe) -> None:
        super().__init__()
        self.language, self.minhash, self.extract = recipe.language, recipe.minhash, recipe.extract

    def run(self, data: Any, rank: int = 0, world_size: int = 1) -> Iterator[Document]:
        for document in data:
            if has_text(document):
                with self.track_time():
                    self._measure(document)
            yield document

    def _measure(self, document: Document) -> None:
        from filters import language, minhash, quality

        text, signals = document.text[:_MEASURED], document.metadata["signals"]
        signals.update(language.signals(text, _language_model(self.language.model, self.language.sha256)))
        signals.update(quality.signals(text, signals["language"]))
        signals["chars"] = len(document.text)
        signals["text_digest"] = minhash.text_digest(document.text)
        if document.metadata["record"].format == "html":
            signals["machine_translated"] = "mt_plugin" in document.metadata["extract"].meta
        document.metadata["bands"] = minhash.bands(
            text, bands=self.minhash.bands, rows=self.minhash.rows, seed=self.minhash.seed
        )
        self._compare(document, text)

    def _compare(self, document: Document, text: str) -> None:
        """Fidelity: measured where there is a reference, and predicted for a PDF, as a whole and page by page."""
        from filters import alignment, fidelity, legibility, prediction

        extract: Extract = document.metadata["extract"]
        signals, piece = document.metadata["signals"], document.metadata["piece"]
        starts = [start for start in extract.page_offsets if start <= len(text)]
        pages: list[dict[str, Any]] = [{} for _ in starts]
        if document.metadata["record"].format == "pdf":
            whole, single = legibility.measure(text, starts, signals["language"])
            signals["running_left"] = whole["running"]
            if len(text) >= prediction.FEW:
                signals.update(prediction.of_document(whole))
            for page, features, start, end in zip(pages, single, starts, [*starts[1:], len(text)], strict=False):
                if end - start >= prediction.FEW:
                    page.update(prediction.of_page(features))
        if found := self._reference(piece):
            reference = found.text[:_MEASURED]
            signals["reference"] = piece.reference
            signals.update(fidelity.signals(text, reference, _forms(found), extract.tables))
            for page, values in zip(pages, alignment.page_signals(text, starts, reference), strict=True):
                page.update(values)
        document.metadata["pages"] = pages

    def _reference(self, piece: Piece) -> Extract | None:
        """The text that the document's should equal, where its source names one that can be read.

        What is wrong with a reference is said where it is a record of its own, or a document's reason to have none.
        """
        limit = self.extract.max_payload_mb << 20
        if piece.reference is None or piece.reference_uri is None:
            return None
        try:
            with opener(piece.reference_uri)() as file:
                payload = file.read(limit + 1)
        except OSError:
            return None
        if len(payload) > limit:
            return None
        record = Record("", piece.reference, payload=payload, kind="reference")
        found = _sandbox(self.extract).extract(record)
        return found if found.text else None


def _forms(reference: Extract) -> dict[str, str]:
    """What LEMUR's scripts read in a reference, as far as it is measured."""
    return {name: text[:_MEASURED] for name, text in reference.meta.items() if isinstance(text, str)}


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
            return
        extract: Extract = document.metadata["extract"]
        writer.tables["documents"].add(document_row(record, extract), size(extract))
        for row in page_rows(record, extract, document.metadata.get("pages")):
            writer.tables["pages"].add(row, 500)
        if has_text(document):
            writer.tables["signals"].add({"id": record.id, **document.metadata["signals"]})
        for band, key in enumerate(document.metadata.get("bands", ())):
            writer.tables["bands"].add({"id": record.id, "band": band, "key": key})


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
