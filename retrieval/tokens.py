"""Tokens of a text as spans of characters: the unit in which the lengths of passages are limited."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import regex

from catalog.errors import ConfigError
from filters.characters import PUNCTUATION, SPACE, characters, word_starts

Tokenizer = Callable[[str], list[tuple[int, int]]]
"""Gives the spans of a text's tokens in order. None is empty; tokens that share a character share its span."""

_FILE = "tokenizer.json"
_SURROGATES = regex.compile(r"\p{Cs}")


def tokenizer(name: str = "words") -> Tokenizer:
    """The tokenizer called `name`; ConfigError where it cannot be had.

    Args:
        name: `words`, see `words`; else a tokenizer of Hugging Face: the folder that it is in, or the name that it is
            cached under. Nothing is downloaded, and no special tokens are counted.
    """
    return words if name == "words" else _pretrained(name)


def words(text: str) -> list[tuple[int, int]]:
    """Words as `filters.words` counts them, and every other character that is not white space by itself."""
    _, kinds = characters(text)
    starts = word_starts(kinds) | (kinds >= PUNCTUATION) & (kinds != SPACE)
    bounds = np.append(np.flatnonzero(starts | (kinds == SPACE)), len(kinds))
    places = np.flatnonzero(starts[bounds[:-1]])
    begin, end = bounds[places], bounds[places + 1]
    return list(zip(begin.tolist(), end.tolist(), strict=True))


def _pretrained(name: str) -> Tokenizer:
    try:
        from huggingface_hub import try_to_load_from_cache
        from huggingface_hub.errors import HFValidationError
        from tokenizers import Tokenizer as Fast
    except ImportError as error:
        remedy = "pip install 'florilege[retrieval]'"
        raise ConfigError(f"tokenizer `{name}`: tokenizers is not installed; {remedy}") from error
    if Path(name).is_dir():
        found = sorted([*Path(name).glob(_FILE), *Path(name).glob(f"*/{_FILE}")])
        if not found:
            raise ConfigError(f"tokenizer `{name}`: the folder has no {_FILE}")
        path = str(found[0])
    else:
        try:
            cached = try_to_load_from_cache(name, _FILE)
        except HFValidationError:
            cached = None
        if not isinstance(cached, str):
            raise ConfigError(f"tokenizer `{name}`: neither a folder nor a cached tokenizer with a {_FILE}")
        path = cached
    try:
        made = Fast.from_file(path)
    except Exception as error:  # the library raises nothing narrower
        raise ConfigError(f"{path}: not a tokenizer: {error}") from error
    made.no_truncation()
    made.no_padding()

    def spans(text: str) -> list[tuple[int, int]]:
        readable = _SURROGATES.sub("\ufffd", text)  # the library refuses what UTF-8 cannot say
        offsets = made.encode(readable, add_special_tokens=False).offsets
        return [(start, end) for start, end in offsets if end > start]

    return spans
