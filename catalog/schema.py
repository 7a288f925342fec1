"""The tables at rest: one explicit Arrow schema per dataset, each column with its meaning.

`docs/tables.md` is generated from here (`python -m catalog.reference`), so a column is described once.
"""

from __future__ import annotations

import pyarrow as pa

VERSION = 2
"""Raised whenever a column changes; part of every shard's identity."""


def _col(name: str, kind: pa.DataType, doc: str) -> pa.Field:
    return pa.field(name, kind, metadata={"doc": doc})


_STRINGS = pa.list_(pa.string())
_SECTIONS = pa.list_(
    pa.struct([("start", pa.int32()), ("kind", pa.string()), ("anchor", pa.string()), ("heading", pa.string())])
)
_LINE_BOXES = pa.list_(
    pa.struct(
        [
            ("start", pa.int32()),
            ("page", pa.int32()),
            *((side, pa.int16()) for side in ("left", "bottom", "right", "top")),
        ]
    )
)
_ID = _col("id", pa.string(), "identity of the document: XXH3-128 of source, path, offset and payload, 32 hex digits")

DOCUMENTS = pa.schema(
    [
        _ID,
        _col("source", pa.string(), "name of the source in the recipe"),
        _col("path", pa.string(), "archive or file, relative to the source's root"),
        _col(
            "offset",
            pa.int64(),
            "byte offset of the record as stored; if that is one gzip stream, minus the inflated one",
        ),
        _col("length", pa.int64(), "bytes of the record, counted as its offset is; the size of a file"),
        _col("kind", pa.string(), "record type: response, resource, conversion, or file"),
        _col("format", pa.string(), "html, pdf, xml or txt, decided from the bytes"),
        _col("mime", pa.string(), "declared media type"),
        _col("url", pa.string(), "target URI of the record"),
        _col("status", pa.int32(), "HTTP status"),
        _col("fetched", pa.timestamp("s", tz="UTC"), "time of capture"),
        _col("payload_digest", pa.string(), "XXH3-128 of the payload's bytes"),
        _col("payload_bytes", pa.int64(), "size of the payload"),
        _col("title", pa.string(), "title as the document gives it"),
        _col("authors", _STRINGS, "authors as the document gives them"),
        _col("date", pa.string(), "date of publication, ISO (day or year)"),
        _col("declared_language", pa.string(), "language the document or its file name declares (BCP 47)"),
        _col("celex", pa.string(), "CELEX number (EUR-Lex)"),
        _col("text", pa.string(), "extracted text; null when extraction failed"),
        _col("page_offsets", pa.list_(pa.int32()), "characters before each page's text (PDF)"),
        _col("line_boxes", _LINE_BOXES, "where the printed line from `start` stands: page from 1, box in points (PDF)"),
        _col(
            "sections",
            _SECTIONS,
            "titles, recitals, articles, annexes, notes ... by the character they start at (XML, EUR-Lex HTML)",
        ),
        _col("tables", pa.string(), "tables as Markdown, outside the text (PDF)"),
        _col("markdown", pa.string(), "the text with its structure as Markdown (web pages)"),
        _col("extractor", pa.string(), "engine and version that gave the text"),
        _col("meta", pa.string(), "further facts as JSON: titles, abstracts and keywords per language ..."),
        _col("error", pa.string(), "why extraction failed; null when it did not"),
    ]
)

SKIPPED = pa.schema(
    [
        _col("id", pa.string(), "identity of the record: XXH3-128 of source, path, offset and payload, 32 hex digits"),
        *[DOCUMENTS.field(n) for n in ("source", "path", "offset", "length", "kind", "mime", "url", "status")],
        _col("reason", pa.string(), "why the record is no document"),
        _col("error", pa.string(), "why the record could not be read; null when it was merely no document"),
    ]
)

_LANGUAGE = [
    _col("language", pa.string(), "most probable language, BCP 47 primary subtag; `und` when unknown"),
    _col("language_score", pa.float32(), "its probability, 0 to 1"),
    _col("language_2", pa.string(), "second language"),
    _col("language_2_score", pa.float32(), "its probability"),
    _col("language_3", pa.string(), "third language"),
    _col("language_3_score", pa.float32(), "its probability"),
    _col("script", pa.string(), "dominant script of the letters, ISO 15924 (Latn, Cyrl, Grek ...)"),
    _col("language_model", pa.string(), "name of the model"),
]

_QUALITY = [
    _col("chars", pa.int64(), "characters of the text"),
    _col("words", pa.int64(), "words"),
    _col("lines", pa.int64(), "non-empty lines"),
    _col("sentences", pa.int64(), "sentences"),
    _col("mean_word_length", pa.float32(), "Gopher: characters per word, mean"),
    _col("symbol_ratio", pa.float32(), "Gopher: hash signs or ellipses per word, whichever are more"),
    _col("bullet_line_ratio", pa.float32(), "Gopher: share of lines starting with a bullet"),
    _col("ellipsis_line_ratio", pa.float32(), "Gopher: share of lines ending with an ellipsis"),
    _col("alpha_word_ratio", pa.float32(), "Gopher: share of words with at least one letter"),
    _col("stop_words", pa.int32(), "Gopher: distinct stop words of the detected language present; null without a list"),
    _col("dup_line_ratio", pa.float32(), "Gopher repetition: share of lines that are repeats"),
    _col("dup_line_char_ratio", pa.float32(), "Gopher repetition: share of characters in repeated lines"),
    _col("dup_para_ratio", pa.float32(), "Gopher repetition: share of paragraphs that are repeats"),
    _col("dup_para_char_ratio", pa.float32(), "Gopher repetition: share of characters in repeated paragraphs"),
    *[
        _col(f"top_{n}gram_char_ratio", pa.float32(), f"Gopher repetition: characters in the most frequent {n}-gram")
        for n in (2, 3, 4)
    ],
    *[
        _col(f"dup_{n}gram_char_ratio", pa.float32(), f"Gopher repetition: characters in repeated {n}-grams")
        for n in (5, 6, 7, 8, 9, 10)
    ],
    _col("terminal_line_ratio", pa.float32(), "C4, FineWeb: share of lines ending in terminal punctuation"),
    _col("javascript_lines", pa.int32(), "C4: lines that mention javascript"),
    _col("policy_lines", pa.int32(), "C4: lines with cookie, privacy or terms-of-use boilerplate"),
    _col("curly_brackets", pa.int32(), "C4: curly brackets"),
    _col("lorem_ipsum", pa.bool_(), "C4: has `lorem ipsum`"),
    _col("short_line_ratio", pa.float32(), "FineWeb: share of lines of at most 30 characters"),
    _col("line_dup_char_ratio", pa.float32(), "FineWeb: share of characters in lines seen before"),
    _col("newline_ratio", pa.float32(), "FineWeb: newlines per word"),
    _col("quality", pa.float32(), "one figure, 0 to 1, to rank members of a duplicate cluster"),
]

_FIDELITY = [
    _col("reference", pa.string(), "the other version of the same text that fidelity was measured against"),
    _col("lcs", pa.float32(), "lexical content score, variant clean: cosine of word counts against the reference"),
    _col("lcs_json", pa.float32(), "the same as LEMUR's json script counts: table cells of the reference twice"),
    _col("lcs_conversion", pa.float32(), "the same as LEMUR's conversion script counts: full stops are spaces"),
    _col("order_recall", pa.float32(), "share of the reference's word 5-grams found in the text"),
    _col("order_precision", pa.float32(), "share of the text's word 5-grams found in the reference"),
    _col(
        "word_recall", pa.float32(), "share of the reference's words found in the text, counted as often as they occur"
    ),
    _col("word_precision", pa.float32(), "share of the text's words found in the reference, likewise"),
    _col("table_word_recall", pa.float32(), "share of the words in the reference's tables that text or tables have"),
    _col("hyphenation", pa.float32(), "share of the text's hyphens in words that the reference writes without"),
]

_LEGIBILITY = [
    _col("running_left", pa.float32(), "share of pages that start or end with words that others start or end with"),
    *[
        _col(f"predicted_{measure}{bound}", pa.float32(), f"{what}, as the text alone lets expect it{end} (PDF)")
        for measure, what in (("lcs", "lcs"), ("order", "order_recall or order_precision, whichever is higher"))
        for bound, end in (("", ""), ("_low", ": lower end of four in five"), ("_high", ": upper end of four in five"))
    ],
]

SIGNALS = pa.schema(
    [
        _ID,
        *_LANGUAGE,
        *_QUALITY,
        *_FIDELITY,
        *_LEGIBILITY,
        _col("machine_translated", pa.bool_(), "the page carries a machine-translation plug-in; null if no HTML"),
        _col("text_digest", pa.string(), "XXH3-128 of the text, case- and space-folded: equal means exact copy"),
    ]
)

PAGES = pa.schema(
    [
        _ID,
        _col("page", pa.int32(), "number of the page, from 1"),
        _col("start", pa.int32(), "characters of the document's text before the page's"),
        _col("chars", pa.int32(), "characters of the page's text"),
        _col("width", pa.float32(), "width in points"),
        _col("height", pa.float32(), "height in points"),
        _col("engine", pa.string(), "engine that gave the page's text"),
        _col("reason", pa.string(), "why it was not PDFium; null where it was"),
        _col("columns", pa.int16(), "columns of the page's body"),
        _col("removed", _STRINGS, "running heads and feet taken off the page"),
        _col("notes", pa.int16(), "footnotes put after the page's text"),
        _col(
            "needs_ocr", pa.bool_(), "the page shows something, but has no text layer, nor anything that OCR could read"
        ),
        _col(
            "ocr_confidence", pa.float32(), "confidence of the recognition, 0 to 1; null where nothing was recognised"
        ),
        _col("lcs", pa.float32(), "lcs of the page against the part of the reference that it matches"),
        _col("order_recall", pa.float32(), "share of the 5-grams of that part that the document's text has"),
        _col("order_precision", pa.float32(), "share of the page's word 5-grams found in the reference"),
        _col(
            "lost_words",
            pa.int32(),
            "words of the reference, following what the page has, that are in no common 5-gram",
        ),
        _col("predicted_lcs", pa.float32(), "lcs, as the page alone lets expect it"),
        _col("predicted_order", pa.float32(), "order_recall or order_precision, likewise"),
    ]
)

BANDS = pa.schema(
    [
        _ID,
        _col("band", pa.int16(), "number of the MinHash band"),
        _col("key", pa.uint64(), "hash of the band's rows: equal keys in a band make two documents candidates"),
    ]
)

CLUSTERS = pa.schema(
    [
        _ID,
        _col("cluster", pa.string(), "smallest document id of the near-duplicate cluster"),
        _col("size", pa.int64(), "documents in the cluster"),
        _col("exact", pa.string(), "smallest document id among its exact copies"),
    ]
)

VERDICTS = pa.schema(
    [
        _ID,
        _col("keep", pa.bool_(), "whether the document is in the corpus"),
        _col("stage", pa.string(), "stage that decided: extract, language, quality, fidelity, dedup; null when kept"),
        _col("reason", pa.string(), "first threshold that the document fails; null when kept"),
        _col("duplicate_of", pa.string(), "the kept document that this one repeats"),
    ]
)

DATASETS: dict[str, pa.Schema] = {
    "documents": DOCUMENTS,
    "skipped": SKIPPED,
    "signals": SIGNALS,
    "pages": PAGES,
    "bands": BANDS,
    "clusters": CLUSTERS,
    "verdicts": VERDICTS,
}
SHARD_DATASETS = ("documents", "skipped", "signals", "pages", "bands")
"""What one input shard becomes; clusters and verdicts belong to a snapshot."""
