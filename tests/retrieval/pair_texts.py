"""Documents for the tests of builders that need no more than text."""

from __future__ import annotations

import random
from collections import Counter
from typing import Any

import pyarrow as pa
from hypothesis import strategies as st

from retrieval.builder import PairBuilder

ALPHABETS = {
    "en": "abcdefghijklmnopqrstuvwxyz", "fr": "abcdeéèàçùœ’", "el": "αβγδεζηθικλμνξοπρσςτυφχψω", "ru": "абвгдежзийклмн",
    "zh": "的一是在不了有和人这中大", "th": "กขคงจฉชซญฎั่", "ar": "ابتثجحخدذرزسش", "hi": "कखगघङचछजझिीु",
    "he": "אבגדהוזחט", "ja": "あいうえおアイウ漢字", "ko": "가나다라마바사", "ka": "აბგდევზთ", "hy": "աբգդեզէը",
    "sw": "habariyko", "vi": "ạảấầẩẫậắằ",
}  # fmt: skip
"""Fifteen languages of all widths of UTF-8 but four bytes."""

texts = st.text(
    st.one_of(
        st.sampled_from(list("ab c,.;\n\u00a0\u3000é’ж漢ก่😀\u0301\u200b\u202e\x1c")),
        st.characters(exclude_categories=["Cs"]),
    ),
    max_size=300,
)


def text(language: str, words: int, seed: int = 1) -> str:
    """Random words and sentences."""
    dice = random.Random(f"{language} {seed}")
    found = []
    for number in range(words):
        word = "".join(dice.choices(ALPHABETS[language], k=dice.randint(1, 9)))
        found.append(word.capitalize() if number % 11 == 0 else word + "." * (number % 11 == 10))
    return " ".join(found)


def table(texts: list[str | None], languages: list[str | None] | None = None) -> pa.Table:
    """Documents d0, d1 ... of these texts, in English unless `languages` says otherwise."""
    ids = [f"d{n}" for n in range(len(texts))]
    columns = {
        "id": ids, "text": texts, "language": languages or ["en"] * len(ids), "work": [f"id:{id}" for id in ids],
        "split": ["train"] * len(ids),
    }  # fmt: skip
    return pa.table({name: pa.array(column, pa.string()) for name, column in columns.items()})


def made(builder: PairBuilder, documents: pa.Table, **params: Any) -> tuple[list[dict[str, Any]], Counter[str]]:
    """The builder's rows of these documents, and what it counted."""
    counter: Counter[str] = Counter()
    found = list(builder.make(documents.select(builder.columns), builder.params(**params), counter))
    return [row for _, rows in found for row in rows.to_pylist()], counter
