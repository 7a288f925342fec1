"""The tables of training sets and benchmarks at rest, each column with its meaning."""

from __future__ import annotations

import pyarrow as pa

from catalog.schema import _col

_STRINGS = pa.list_(pa.string())
_IDS = pa.list_(pa.int32())

_WORK = [
    _col("work", pa.string(), "the work: `celex:`, `doi:`, `erudit:`, else `cluster:` or `id:`, and its name"),
    _col("split", pa.string(), "train or validation; works of the test split are for benchmarks only"),
]
_QUERY = [
    _col("query_id", pa.string(), "identity of the query within the set"),
    _col("query", pa.string(), "text of the query"),
    _col("query_language", pa.string(), "its language, BCP 47 primary subtag"),
]
_PLACE = [
    _col("doc", pa.string(), "id of the corpus document that the text is from"),
    _col("start", pa.int32(), "characters of that document's text before the slice; null: not a slice of it"),
    _col("end", pa.int32(), "characters of that document's text up to the slice's end"),
]

PAIRS = pa.schema(
    [
        *_QUERY,
        _col("query_doc", pa.string(), "id of the corpus document that the query is from"),
        _col("query_start", pa.int32(), "characters of that document's text before the query; null: not a slice of it"),
        _col("query_end", pa.int32(), "characters of that document's text up to the query's end"),
        _col("document_id", pa.string(), "identity of the text that answers the query"),
        _col("title", pa.string(), "its title; empty without one"),
        _col("document", pa.string(), "the text that answers the query"),
        _col("document_language", pa.string(), "its language"),
        *_PLACE,
        _col("parallel", pa.string(), "group of the document: texts of one group are translations; null: none"),
        *_WORK,
    ]
)
"""Rows of one query stand together."""

NEGATIVES = pa.schema(
    [
        _col("query_id", pa.string(), "the query, as in pairs, and in their order"),
        _col("document_id", pa.string(), "identity of the text"),
        _col("title", pa.string(), "its title"),
        _col("document", pa.string(), "the text"),
        _col("document_language", pa.string(), "its language"),
        _col("rank", pa.int32(), "its rank in the ranking that it was mined from, from 1; of a positive 0"),
        _col("score", pa.float32(), "its score there"),
        _col("teacher", pa.float32(), "score of a teacher model; null: none asked"),
        _col("source", pa.string(), "what mined it: bm25, the model's name, the run's; of a positive `positive`"),
    ]
)
"""Scored lists: the query's positives first (rank 0), so that lists with teacher scores are whole."""

GROUPS = pa.schema(
    [
        *_QUERY,
        _col("doc_en", pa.string(), "the English text that answers the query"),
        _col("doc_xx", pa.string(), "the same text in another language"),
        _col("language", pa.string(), "that language"),
        _col("en_id", pa.string(), "identity of the English text"),
        _col("xx_id", pa.string(), "identity of the other text"),
        _col("parallel", pa.string(), "parallel group of the two"),
        *_WORK,
    ]
)

BATCHES = pa.schema(
    [
        _col("batch_id", pa.string(), "identity of the batch"),
        _col("chunks", _STRINGS, "related chunks"),
        _col("chunk_ids", _STRINGS, "document:start-end of each"),
        _col("language", pa.string(), "language of the batch"),
        *_WORK,
    ]
)

TEXTS = pa.schema(
    [
        *_PLACE,
        _col("text", pa.string(), "the text"),
        _col("language", pa.string(), "its language"),
        _col("tokens", pa.int32(), "its length in tokens of the declared tokenizer"),
        *_WORK,
    ]
)

SPANS = pa.schema(
    [
        *_PLACE,
        _col("text", pa.string(), "the text whose bytes were corrupted; what UTF-8 the cut broke is left out here"),
        _col("language", pa.string(), "its language"),
        _col("input_ids", _IDS, "bytes with sentinels for the noise spans, ids as the builder says"),
        _col("labels", _IDS, "sentinels and the bytes that they stand for"),
        _col("decoder_input_ids", _IDS, "labels, shifted right"),
        *_WORK,
    ]
)

DOCUMENTS = pa.schema(
    [
        _col("id", pa.string(), "identity of the document within the benchmark"),
        _col("title", pa.string(), "its title; empty without one"),
        _col("text", pa.string(), "its text"),
        _col("language", pa.string(), "its language, BCP 47 primary subtag"),
        *_PLACE,
        _col("parallel", pa.string(), "parallel group: documents of one group are translations; null: none"),
        _col("work", pa.string(), "the work that it is of, as in pairs"),
        _col("licence", pa.string(), "licence that its source declares; null: none"),
    ]
)
QUERIES = pa.schema(
    [
        _col("id", pa.string(), "identity of the query within the benchmark"),
        _col("text", pa.string(), "the query"),
        _col("language", pa.string(), "its language"),
        _col("kind", pa.string(), "class of the query, such as its category; null: none"),
        _col("work", pa.string(), "the work that it was made from; null: none"),
        _col("answers", _STRINGS, "strings that answer the query, for R@m kt; null: none known"),
    ]
)
QRELS = pa.schema(
    [
        _col("query_id", pa.string(), "the query"),
        _col("document_id", pa.string(), "a document judged for it"),
        _col("score", pa.int32(), "its relevance; 0: judged not relevant"),
    ]
)
TOP_RANKED = pa.schema(
    [
        _col("query_id", pa.string(), "the query"),
        _col("document_ids", _STRINGS, "the documents to rank for it, where that is not the whole pool"),
    ]
)

TRAINING = {
    "pairs": PAIRS, "negatives": NEGATIVES, "groups": GROUPS, "batches": BATCHES, "texts": TEXTS, "spans": SPANS,
}  # fmt: skip
BENCHMARK = {"documents": DOCUMENTS, "queries": QUERIES, "qrels": QRELS, "top_ranked": TOP_RANKED}
SCHEMAS = {"pairs": TRAINING, "benchmark": BENCHMARK}
"""The tables of a set by the kind of the set."""
TEXT_COLUMNS = {
    "pairs": ("query", "document"), "negatives": ("document",), "groups": ("query", "doc_en", "doc_xx"),
    "batches": ("chunks",), "texts": ("text",), "spans": ("text",), "documents": ("text",), "queries": ("text",),
}  # fmt: skip
"""The columns of a table that hold text which a model would see."""
RANKING = pa.schema(
    [
        _col("query_id", pa.string(), "the query"),
        _col("document_id", pa.string(), "a document that a system gave for it"),
        _col("rank", pa.int32(), "its rank, from 1"),
        _col("score", pa.float32(), "the system's score"),
    ]
)
"""What a system answered, sorted by query and rank: a TREC run."""
