"""Collections whose texts have line numbers for ids, and the file that says which id each line has."""

from __future__ import annotations

from collections.abc import Iterable

from catalog.exports.lists import Query, Register, Text
from catalog.exports.output import Output


class Collection:
    """`collection.tsv` (number, text) and `documents.ids.tsv` (number, id); numbers count lines from 0."""

    def __init__(self, made: Output, titles: bool) -> None:
        self._made, self._titles = made, titles
        self._register = Register()
        self._texts, self._ids = made.lines("collection.tsv"), made.lines("documents.ids.tsv")

    def numbers(self, texts: Iterable[Text]) -> list[int]:
        """The number of each text; new ones are written."""
        return [self._number(text) for text in texts]

    def _number(self, text: Text) -> int:
        if self._register.add(text):
            number = self._texts.rows
            self._texts.text(f"{number}\t{self._made.flat(text.joined(self._titles))}")
            self._ids.text(f"{number}\t{self._made.flat(text.id)}")
            return number
        return self._register.number(text.id)


class Queries:
    """`queries.{split}.tsv` (number, text) and `queries.ids.tsv` (number, id); one count for all splits."""

    def __init__(self, made: Output) -> None:
        self._made = made
        self._ids = made.lines("queries.ids.tsv")

    def number(self, query: Query) -> int:
        """Write the query; its number."""
        number = self._ids.rows
        self._made.lines(f"queries.{query.split}.tsv").text(f"{number}\t{self._made.flat(query.text)}")
        self._ids.text(f"{number}\t{self._made.flat(query.id)}")
        return number
