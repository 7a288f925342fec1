"""The block that measures each text: all signals, by the filters."""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from datatrove.data import Document
from datatrove.pipeline.base import PipelineStep

from extractors.record import Extract, Record
from flows.extracts import reader
from flows.inputs import opener
from flows.plan import Piece
from flows.recipe import Recipe

if TYPE_CHECKING:
    from filters.language import LanguageModel

_MEASURED = 5_000_000
"""Characters of a text that signals are computed from: a few documents are longer, and memory must not follow them."""


@lru_cache(maxsize=8)
def _language_model(name: str, sha256: str | None) -> LanguageModel:
    from filters.language import LanguageModel

    return LanguageModel.load(name, sha256)


class Signals(PipelineStep):
    """Language, quality, rights, personal data, fidelity, repeated lines and MinHash bands of each text."""

    name = "signals"
    type = "florilege"

    def __init__(self, recipe: Recipe) -> None:
        super().__init__()
        self.language, self.minhash, self.extract = recipe.language, recipe.minhash, recipe.extract

    def run(self, data: Any, rank: int = 0, world_size: int = 1) -> Iterator[Document]:
        for document in data:
            if document.text:
                with self.track_time():
                    self._measure(document)
            yield document

    def _measure(self, document: Document) -> None:
        from filters import minhash, pii, quality, repeats, rights, wds

        text, signals = document.text[:_MEASURED], document.metadata["signals"]
        record, extract = document.metadata["record"], document.metadata["extract"]
        facts = {**record.meta, **extract.meta}
        signals.update(self._language(text, extract.language or facts.get("language")))
        language = signals["language"]
        signals.update(quality.signals(text, language))
        signals.update(wds.signals(text, language, signals["segment_languages"]))
        signals.update(rights.signals(record.url, facts))
        signals.update(pii.signals(document.text, language))
        signals["chars"] = len(document.text)
        signals["text_digest"] = minhash.text_digest(document.text)
        if record.format == "html":
            signals["machine_translated"] = "mt_plugin" in extract.meta
        document.metadata["bands"] = minhash.bands(
            text, bands=self.minhash.bands, rows=self.minhash.rows, seed=self.minhash.seed
        )
        document.metadata["lines"] = repeats.lines(text)
        self._compare(document, text)

    def _language(self, text: str, declared: str | None) -> dict[str, Any]:
        from filters import language

        first = _language_model(self.language.model, self.language.sha256)
        others = [_language_model(name, None) for name in self.language.also]
        return language.signals(text, first, others, declared)

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
        found = reader(self.extract).extract(record)
        return found if found.text else None


def _forms(reference: Extract) -> dict[str, str]:
    """What LEMUR's scripts read in a reference, as far as it is measured."""
    return {name: text[:_MEASURED] for name, text in reference.meta.items() if isinstance(text, str)}
