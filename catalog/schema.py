"""The tables at rest: one explicit Arrow schema per dataset, each column with its meaning.

`docs/tables.md` is generated from here (`python -m catalog.reference`), so a column is described once.
"""

from __future__ import annotations

import pyarrow as pa

VERSION = 3
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
_ANSWERS = pa.list_(pa.struct([("model", pa.string()), ("language", pa.string()), ("score", pa.float32())]))
_SPANS = pa.list_(
    pa.struct([("start", pa.int32()), ("end", pa.int32()), ("kind", pa.string()), ("score", pa.float32())])
)
_REPEATS = pa.list_(pa.struct([("start", pa.int32()), ("end", pa.int32()), ("documents", pa.int64())]))
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
    _col("language_others", _ANSWERS, "what the recipe's further models say: model, language, probability"),
    _col("language_agree", pa.bool_(), "whether all models name the same language; null with one model"),
    _col(
        "language_as_declared",
        pa.bool_(),
        "whether the declared language is the detected one; null if none is declared",
    ),
    _col("segment_languages", _STRINGS, "language of every line that is not blank, in order; the first 10,000 at most"),
    _col("language_share", pa.float32(), "share of the letters in lines whose language is the document's"),
    _col("language_mixed", pa.bool_(), "whether another language has a fifth of the letters or more"),
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
    _col(
        "stop_words",
        pa.int32(),
        "Gopher: distinct stop words of the detected language in the first 200,000 words; null without a list",
    ),
    _col("dup_line_ratio", pa.float32(), "Gopher repetition: share of lines that are repeats"),
    _col("dup_line_char_ratio", pa.float32(), "Gopher repetition: share of characters in repeated lines"),
    _col(
        "dup_para_ratio",
        pa.float32(),
        "Gopher repetition: share of paragraphs (what blank lines separate) that are repeats",
    ),
    _col("dup_para_char_ratio", pa.float32(), "Gopher repetition: share of characters in repeated paragraphs"),
    *[
        _col(f"top_{n}gram_char_ratio", pa.float32(), f"Gopher repetition: characters in the most frequent {n}-gram")
        for n in (2, 3, 4)
    ],
    *[
        _col(f"dup_{n}gram_char_ratio", pa.float32(), f"Gopher repetition: characters in repeated {n}-grams")
        for n in (5, 6, 7, 8, 9, 10)
    ],
    _col(
        "terminal_line_ratio",
        pa.float32(),
        "FineWeb: share of lines ending in a terminal mark (Unicode Sentence_Terminal)",
    ),
    _col("javascript_lines", pa.int32(), "C4: lines that mention javascript"),
    _col("policy_lines", pa.int32(), "C4: lines with cookie, privacy or terms-of-use boilerplate"),
    _col("curly_brackets", pa.int32(), "C4: opening curly brackets"),
    _col("lorem_ipsum", pa.bool_(), "C4: has `lorem ipsum`"),
    _col("short_line_ratio", pa.float32(), "FineWeb: share of lines of at most 30 characters"),
    _col("line_dup_char_ratio", pa.float32(), "FineWeb: share of characters in lines seen before"),
    _col("newline_ratio", pa.float32(), "FineWeb: newlines per word"),
    _col("quality", pa.float32(), "one figure, 0 to 1, to rank members of a duplicate cluster"),
]

_HPLT = [
    _col("words_per_segment", pa.float32(), "HPLT heuristics: words per line, mean; null in scripts without spaces"),
    _col(
        "chars_per_segment",
        pa.float32(),
        "HPLT heuristics: characters per line, mean; null where words_per_segment is not",
    ),
    _col("wds", pa.float32(), "HPLT's Web Docs Score, 0 to 1"),
    *[
        _col(f"wds_{name}", pa.float32(), f"Web Docs Score: {what}, 0 to 1")
        for name, what in (
            ("language", "letters of long lines in the document's language"),
            ("url", "few addresses"),
            ("punctuation", "neither too much nor too little punctuation"),
            ("singular_chars", "few single characters between spaces"),
            ("numbers", "few digits"),
            ("repeated", "few repeated lines"),
            ("long_segments", "tenths, one for each long line"),
            ("great_segment", "a very long line"),
            ("informativeness", "compresses as prose does"),
            ("short_segments", "lines of about one length or not mostly short"),
        )
    ],
]

_RIGHTS = [
    _col("noindex", pa.bool_(), "X-Robots-Tag or meta robots say noindex or none"),
    _col("noai", pa.bool_(), "X-Robots-Tag or meta robots say noai or noimageai"),
    _col(
        "tdm_reservation",
        pa.bool_(),
        "text and data mining is reserved (TDMRep): header or meta; null where neither is",
    ),
    _col(
        "licence",
        pa.string(),
        "Creative Commons licence of the page as it declares it, of several the most restrictive: cc-by-4.0, cc0-1.0",
    ),
    _col(
        "open_licence", pa.bool_(), "whether that licence allows sharing and adapting for any purpose; null without one"
    ),
]

_SAFETY = [
    _col("pii", _SPANS, "personal data: characters from start to end, kind, score 0 to 1; masked at export only"),
    _col("pii_count", pa.int32(), "spans in pii"),
    _col("secrets", _SPANS, "keys, tokens and passwords, likewise"),
    _col("secret_count", pa.int32(), "spans in secrets"),
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
        *_HPLT,
        *_FIDELITY,
        *_LEGIBILITY,
        *_RIGHTS,
        *_SAFETY,
        _col("machine_translated", pa.bool_(), "the page carries a machine-translation plug-in; null if no HTML"),
        _col("text_digest", pa.string(), "XXH3-128 of the text, case- and space-folded: equal means exact copy"),
        _col("url_key", pa.string(), "XXH3-128 of the normalised URL: equal means one address; null without a URL"),
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
        _col(
            "keys",
            pa.list_(pa.uint64()),
            "one key a MinHash band: two documents with an equal key in a band are candidates",
        ),
    ]
)

LINES = pa.schema(
    [
        _ID,
        _col("start", pa.int32(), "characters of the text before the line"),
        _col("end", pa.int32(), "characters of the text up to its end"),
        _col("key", pa.uint64(), "hash of the line, case- and space-folded"),
    ]
)

POLICIES = pa.schema(
    [
        _col("id", pa.string(), "identity of the record, as in skipped"),
        _col("source", pa.string(), "name of the source in the recipe"),
        _col("origin", pa.string(), "scheme, host and port that the file speaks for"),
        _col("kind", pa.string(), "robots.txt or tdmrep.json"),
        _col("fetched", pa.timestamp("s", tz="UTC"), "time of capture"),
        _col("status", pa.int32(), "HTTP status"),
        _col(
            "text", pa.string(), "the file, at most 500 KiB of it; null unless the status is 2xx or there was no HTTP"
        ),
    ]
)

CLUSTERS = pa.schema(
    [
        _ID,
        _col("cluster", pa.string(), "smallest document id of the near-duplicate cluster"),
        _col("size", pa.int64(), "documents in the cluster"),
        _col(
            "diameter",
            pa.int32(),
            "steps between its two most distant documents over candidate pairs; 65: over 64, or too large to measure",
        ),
        _col("exact", pa.string(), "smallest document id among its exact copies"),
        _col(
            "same_url", pa.string(), "smallest document id among those of one URL; null unless the recipe compares URLs"
        ),
    ]
)

RIGHTS = pa.schema(
    [
        _ID,
        _col(
            "robots_allowed",
            pa.bool_(),
            "whether the archived robots.txt lets all of the recipe's agents fetch the page",
        ),
        _col("robots_agent", pa.string(), "the first agent that it does not let"),
        _col("robots_rule", pa.string(), "the rule that says so"),
        _col("site_tdm_reservation", pa.bool_(), "the site's tdmrep.json reserves text and data mining of the page"),
        _col("url_list", pa.string(), "the first of the recipe's URL lists that the address is on"),
        _col("url_listed", pa.bool_(), "whether it is on any"),
    ]
)
"""Rows for documents of which anything is known."""

SCORES = pa.schema(
    [_ID, _col("trusted", pa.float32(), "probability, 0 to 1, that the text is from the trusted sources")]
)

REPEATS = pa.schema(
    [
        _ID,
        _col(
            "spans",
            _REPEATS,
            "lines that other documents of the source have too: from start to end, in how many documents",
        ),
        _col("repeated_share", pa.float32(), "their share of the text's characters"),
    ]
)
"""Rows for documents with such lines."""

VERDICTS = pa.schema(
    [
        _ID,
        _col("keep", pa.bool_(), "whether the document is in the corpus"),
        _col(
            "stage",
            pa.string(),
            "stage that decided: extract, rights, language, quality, fidelity, safety, dedup; null when kept",
        ),
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
    "lines": LINES,
    "policies": POLICIES,
    "clusters": CLUSTERS,
    "rights": RIGHTS,
    "scores": SCORES,
    "repeats": REPEATS,
    "verdicts": VERDICTS,
}
SHARD_DATASETS = ("documents", "skipped", "signals", "pages", "bands", "lines", "policies")
"""What one input shard becomes; the others belong to a snapshot."""
MEASURED = ("signals", "rights", "scores", "repeats")
"""Datasets whose numbers and booleans can have a threshold."""
