"""A document's own words: the evidence for what is one word at a line's end, and what is two that stuck together."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import replace
from itertools import pairwise

from extractors.pdf_page import Line

HYPHENS = "-\u2010\xad\ufffe"
BREAK_BEFORE = re.compile(rf"(?<![^\W\d_])([^\W\d_]+)[{HYPHENS}]$")
"""What stands before a hyphen at a line's end."""
FIRST_WORD = re.compile(r"[^\W\d_]+")
KNOWN = 3
"""Times that a document writes a word alone, at least, where a longer one is taken for two."""

_CONJUNCTIONS = (
    ("und", "oder", "bzw", "sowie", "bis"),
    ("en", "of", "tot"),
    ("og", "och", "eller", "samt"),
    ("and", "or", "to"),
    ("et", "ou"),
    ("y", "e", "o", "u", "ou"),
    ("i", "lub", "oraz", "ili", "a", "nebo"),
)
"""Words after a suspended hyphen (`Haupt- und Nebensatz`), by language: what is a word in one ends words in another."""


_KEEPING = frozenset(
    {"twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety", "self", "quasi", "vice"}
)
"""What keeps its hyphen before any word."""
_PREFIXES = frozenset({"co", "multi", "macro", "micro", "socio", "spatio", "non", "semi"})
"""What mostly keeps its hyphen before a word that stands alone elsewhere."""
_ENCLITICS = frozenset(
    {"après", "ci", "là", "il", "elle", "on", "ils", "elles", "je", "nous", "vous", "moi", "toi", "même", "mêmes"}
    | {"dessus", "dessous", "delà"}
)
"""What keeps its hyphen in French, where no other word ends like that."""

_WORD = re.compile(r"[^\W\d_]+(?:[-\u2010][^\W\d_]+)*")
_WHOLE = re.compile(r"([^\W\d_]+)\.?(?:\s|$)")
# A small letter or number before a capital, a stop without its space.
_SEAM = re.compile(r"(?<=[^\W\d_])(?<=[a-zß-öø-ÿ])(?=[A-ZÀ-ÖØ-Þ][^\W\d_])|(?<=\d)(?=[A-ZÀ-ÖØ-Þ][a-zß-öø-ÿ])"
                   r"|(?<=[a-zß-öø-ÿ][.;:,)])(?=[A-ZÀ-ÖØ-Þ][^\W\d_])")  # fmt: skip
_MAY_BE_SEAM = re.compile("[a-zß-öø-ÿ][A-ZÀ-ÖØ-Þ]|[0-9][A-ZÀ-ÖØ-Þ][a-zß-öø-ÿ]|[a-zß-öø-ÿ][.;:,)][A-ZÀ-ÖØ-Þ]")
_CAPITALISED = re.compile("[A-ZÀ-ÖØ-Þ]+[^\\W\\d_A-ZÀ-ÖØ-Þ]*")
_LAST_WORD = re.compile(r"(?<![^\W\d_])([^\W\d_]+)[.;:,)]?$")
_LONGEST = 200
"""Characters of what stands between two spaces that is looked at for seams; the search takes its square."""
_ADDRESS = re.compile(r"://|www\.|@|\w/\w|_")


class Vocabulary:
    """Words and hyphenated pairs that a document has within its lines: the evidence for line ends."""

    def __init__(self, pages: Iterable[list[Line]]) -> None:
        self.words: Counter[str] = Counter()
        self.pairs: Counter[str] = Counter()
        self.writes_u2010 = False
        tokens: Counter[str] = Counter()
        breaks: list[tuple[str, str]] = []
        for lines in pages:
            left = None
            for line in (line.text for line in lines):
                start = 0
                if left and (right := FIRST_WORD.match(line)):
                    breaks.append((left[1], right[0]))
                    start = right.end()
                left = BREAK_BEFORE.search(line) if line[-1] in HYPHENS else None
                # What stands on either side of a broken word's hyphen is no evidence for a word.
                tokens.update(_WORD.findall(line, start, left.start() if left else len(line)))
        for token, count in tokens.items():
            self.writes_u2010 = self.writes_u2010 or "\u2010" in token
            parts = re.split("[-\u2010]", token.casefold())
            if len(parts) == 1:
                self.words[parts[0]] += count
            for left_part, right_part in pairwise(parts):
                self.pairs[f"{left_part}-{right_part}"] += count
        verdicts = {self._evidence(*parts) for parts in breaks}
        # Word processors that do not hyphenate break compounds only.
        self.hyphenates = True in verdicts or False not in verdicts
        self.french = 2 * self.words["et"] > self.words["and"] + self.words["y"] and self.words["les"] > 2
        seen = self.words + Counter(right.casefold() for _, right in breaks)
        self.conjunctions = max(_CONJUNCTIONS, key=lambda group: sum(seen[word] for word in group))

    def joins(self, left: str, hyphen: str, right: str) -> bool:
        """Whether `left` at a line's end and `right` at the next one's start are a word without hyphen."""
        if self._typeset(hyphen):
            return True
        evidence = self._evidence(left, right)
        if evidence is not None:
            return evidence
        if left.casefold() in _PREFIXES and self.words[right.casefold()]:
            return False
        if left.casefold() in _KEEPING or (self.french and right.casefold() in _ENCLITICS):
            return False
        if right[0].isupper():
            return left.isupper() and right.isupper()
        return self.hyphenates and not (self.words[left.casefold()] and self.words[right.casefold()])

    def suspends(self, left: str, hyphen: str, following: str) -> bool:
        """Whether the line after `left` starts with a conjunction, and what ends the word comes later."""
        word = _WHOLE.match(following)
        if not word or word[1].casefold() not in self.conjunctions:
            return False
        return not self._typeset(hyphen) and self._evidence(left, word[1]) is None

    def _typeset(self, hyphen: str) -> bool:
        """Whether it is a typesetter's own hyphen: a sign that the document never writes inside a line."""
        return hyphen == "\xad" or (hyphen == "\u2010" and not self.writes_u2010)

    def _evidence(self, left: str, right: str) -> bool | None:
        """True when the document writes the joined form elsewhere, False for the hyphenated one."""
        joined = self.words[(left + right).casefold()]
        pair = self.pairs[f"{left}-{right}".casefold()]
        return joined >= pair if joined or pair else None

    def parted(self, line: Line) -> Line:
        """The line with a space where two words of the document stick together: `provisionsArticle`, `1The`."""
        text = line.text
        if not _MAY_BE_SEAM.search(text):
            return line
        tokens = [
            token if len(token) > _LONGEST or _ADDRESS.search(token) else self._parts(token)
            for token in text.split(" ")
        ]
        parted = " ".join(tokens)
        if parted == text:
            return line
        marks = tuple((_moved(text, parted, a), _moved(text, parted, b)) for a, b in line.marks)
        return replace(line, text=parted, marks=marks)

    def _parts(self, token: str) -> str:
        """`token` with its seams open, where both sides are words that the document often writes alone."""
        out: list[str] = []
        at = 0
        for seam in _SEAM.finditer(token):
            before = _LAST_WORD.search(token[at : seam.start()])
            readings = (FIRST_WORD.match(token, seam.start()), _CAPITALISED.match(token, seam.start()))
            after = next((word for word in readings if word and self.words[word[0].casefold()] >= KNOWN), None)
            if not after:
                continue
            if before and (len(before[1]) < 2 or self.words[before[1].casefold()] < KNOWN):
                continue
            # JavaScript, where the document has Java and scripts too.
            if before and self.words[(before[1] + after[0]).casefold()] >= min(
                self.words[before[1].casefold()], self.words[after[0].casefold()]
            ):
                continue
            out.append(token[at : seam.start()])
            at = seam.start()
        return " ".join([*out, token[at:]])


def _moved(text: str, parted: str, place: int) -> int:
    """Where a place of `text` is in `parted`, which has more spaces."""
    j = 0
    for i in range(place):
        while parted[j] != text[i]:
            j += 1
        j += 1
    return j
