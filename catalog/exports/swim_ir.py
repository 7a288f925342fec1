"""SWIM-IR: JSON Lines of `_id, lang, code, query, title, text`, one file a pair of languages (arXiv 2311.05800)."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from catalog.exports.lists import need
from catalog.exports.output import output
from catalog.sets import Set

NAMES = {
    "ar": "Arabic", "bg": "Bulgarian", "bn": "Bengali", "ca": "Catalan", "cs": "Czech", "da": "Danish", "de": "German",
    "el": "Greek", "en": "English", "es": "Spanish", "et": "Estonian", "fa": "Persian", "fi": "Finnish",
    "fr": "French", "ga": "Irish", "gu": "Gujarati", "he": "Hebrew", "hi": "Hindi", "hr": "Croatian",
    "hu": "Hungarian", "id": "Indonesian", "it": "Italian", "ja": "Japanese", "kn": "Kannada", "ko": "Korean",
    "lt": "Lithuanian", "lv": "Latvian", "ml": "Malayalam", "mr": "Marathi", "ms": "Malay", "mt": "Maltese",
    "nl": "Dutch", "no": "Norwegian", "pa": "Punjabi", "pl": "Polish", "pt": "Portuguese", "ro": "Romanian",
    "ru": "Russian", "sk": "Slovak", "sl": "Slovenian", "sr": "Serbian", "sv": "Swedish", "sw": "Swahili",
    "ta": "Tamil", "te": "Telugu", "th": "Thai", "tr": "Turkish", "uk": "Ukrainian", "ur": "Urdu",
    "vi": "Vietnamese", "yo": "Yoruba", "zh": "Chinese",
}  # fmt: skip
"""English names of languages, by BCP 47 primary subtag."""
_COLUMNS = ["document_id", "title", "document", "query", "query_language", "document_language", "split"]


def write(found: Set, folder: Path) -> dict[str, Any]:
    """Write the pairs of a training set; returns the manifest.

    `cross_lingual/en-fr-train.jsonl`: queries in English on French passages; `monolingual/fr-train.jsonl`: both in
    French. `lang` (English name) and `code` (BCP 47) are those of the query, `_id` is the passage's. A passage with
    several queries has a row for each.

    Raises:
        ConfigError: the set has no pairs, or the folder is not empty.
    """
    need(found, "pairs")
    with output(found, folder, "swim-ir") as made:
        for batch in found.batches("pairs", _COLUMNS):
            columns = (batch.column(name).to_pylist() for name in _COLUMNS)
            for id, title, text, query, code, language, split in zip(*columns, strict=True):
                crossing = code != language
                name = f"cross_lingual/{code}-{language}" if crossing else f"monolingual/{language}"
                row = {"_id": id, "lang": NAMES.get(code, code), "code": code, "query": query}
                made.lines(f"{name}-{split}.jsonl").json({**row, "title": title or "", "text": text})
                made.counts["cross-lingual pairs" if crossing else "monolingual pairs"] += 1
    return made.manifest
