"""Make the tables of words that fidelity is predicted with, one a language, from labelled sentences.

    python -m benchmarks.train_lexicon SENTENCES [--extra mt=FILE] --out filters/models/lexicon.json

SENTENCES is a folder of `xx.txt`, a sentence a line. Frequent words of the stop lists of jusText are added, where it
has the language. The same input gives the same bytes.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import orjson
import regex

from benchmarks.train_language import read
from filters import legibility, lexicon
from filters.lexicon import Lexicon
from filters.words import fold, unspaced

STOP_LISTS = {
    "af": "Afrikaans", "ar": "Arabic", "az": "Azerbaijani", "be": "Belarusian", "bg": "Bulgarian", "bn": "Bengali",
    "bs": "Bosnian", "ca": "Catalan", "cs": "Czech", "cy": "Welsh", "da": "Danish", "de": "German", "el": "Greek",
    "en": "English", "eo": "Esperanto", "es": "Spanish", "et": "Estonian", "eu": "Basque", "fa": "Persian",
    "fi": "Finnish", "fr": "French", "ga": "Irish", "gu": "Gujarati", "he": "Hebrew", "hi": "Hindi", "hr": "Croatian",
    "hu": "Hungarian", "hy": "Armenian", "id": "Indonesian", "is": "Icelandic", "it": "Italian", "ka": "Georgian",
    "kk": "Kazakh", "ko": "Korean", "la": "Latin", "lt": "Lithuanian", "lv": "Latvian", "mk": "Macedonian",
    "mr": "Marathi", "ms": "Malay", "mt": "Maltese", "nb": "Norwegian_Bokmal", "nl": "Dutch",
    "nn": "Norwegian_Nynorsk", "pl": "Polish", "pt": "Portuguese", "ro": "Romanian", "ru": "Russian", "sk": "Slovak",
    "sl": "Slovenian", "sq": "Albanian", "sr": "Serbian", "sv": "Swedish", "sw": "Swahili", "ta": "Tamil",
    "te": "Telugu", "tl": "Tagalog", "tr": "Turkish", "uk": "Ukrainian", "ur": "Urdu", "vi": "Vietnamese",
    "yo": "Yoruba",
}  # fmt: skip
USUAL = (*legibility.OF_LANGUAGE, "hyphens", "case")
_WORD = regex.compile(r"[\p{L}\p{M}]{2,}+")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("sentences", type=Path)
    parser.add_argument("--extra", action="append", default=[], metavar="xx=FILE")
    parser.add_argument("--out", type=Path, required=True)
    options = parser.parse_args()
    tables = {}
    for language, sentences in read(options.sentences, options.extra).items():
        if unspaced("".join(sentences)):
            continue
        table = _table(sentences, language)
        # Words that were never seen are what matters: so half of the sentences, with the words of the others.
        table.usual = usual(sentences[::2], _table(sentences[1::2], language))
        tables[language] = lexicon.packed(table)
        print(language, len(sentences), {name: round(value, 4) for name, value in table.usual.items()}, file=sys.stderr)
    options.out.write_bytes(orjson.dumps(tables, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE))
    return 0


def usual(sentences: list[str], table: Lexicon) -> dict[str, float]:
    """What is measured of these sentences as one text."""
    found, _ = legibility.measured(["\n".join(sentences)], table)
    return {name: round(found[name] or 0.0, 5) for name in USUAL}


def _table(sentences: list[str], language: str) -> Lexicon:
    return lexicon.make([lexicon.tokens(fold(sentence)) for sentence in sentences], _stop_list(language))


def _stop_list(language: str) -> set[str]:
    import justext

    if language not in STOP_LISTS:
        return set()
    return {word for entry in justext.get_stoplist(STOP_LISTS[language]) for word in _WORD.findall(fold(entry))}


if __name__ == "__main__":
    sys.exit(main())
