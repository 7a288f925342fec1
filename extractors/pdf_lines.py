"""Lines of pages to text: characters cleaned, running lines removed, words and paragraphs joined."""

from __future__ import annotations

import re
import unicodedata
from bisect import bisect_left, bisect_right
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from itertools import pairwise
from operator import attrgetter
from typing import NamedTuple

EDGE = 5
"""Lines at either end of a page that may be running heads or feet."""
REACH = 4
"""Pages on either side on which a running line has to be seen again (chapters change their heads)."""

Signature = tuple[str, ...]

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

_HEADING = re.compile(
    r"(ann?ex[eo]?|anhang|allegato|bijlage|bilaga?|article|art[ií]culo|artigo|artikel|articolo|chapter|chapitre"
    r"|cap[ií]tulo|capitolo|kapitel|hoofdstuk|section|secci[oó]n|sec[cç][aã]o|sezione|abschnitt|afdeling|table"
    r"|tableau|tab(?:l|el|ell)a|tabelle?|figur[ae]?|abbildung|part[ei]?|teil)\W*#",
    re.I,
)
_YEARS = range(1501, 2101)
"""Where a number alone that counts pages starts, if it is no page number: one page for each year."""

_LIGATURES = {code: unicodedata.normalize("NFKC", chr(code)) for code in range(0xFB00, 0xFB07)}
_DROPPED = dict.fromkeys((*range(9), *range(0x0E, 0x20), *range(0x7F, 0xA0), *range(0xD800, 0xE000)))
# PDFium writes a hyphen at the end of a line as U+FFFE or U+0002, and leaves the line end out.
_BROKEN = {0xFFFE: "\ufffe\n", 0x02: "\ufffe\n"}
_CLEAN: dict[int, str | None] = {0xFEFF: None, 0xFFFF: None} | _DROPPED | _BROKEN | _LIGATURES

_BREAKS = ("\xad", "\ufffe")
_HYPHENS = "-\u2010\xad\ufffe"
_NUMBER = re.compile(r"\d+")
_WORD = re.compile(r"[^\W\d_]+(?:[-\u2010][^\W\d_]+)*")
_BREAK = re.compile(rf"([^\W\d_]+)[{_HYPHENS}]$")
_HEAD = re.compile(r"[^\W\d_]+")
_WHOLE = re.compile(r"([^\W\d_]+)\.?(?:\s|$)")
_ITEM = re.compile(r"[•·▪■●◦‣–—\uf0a7\uf0b7-]\s|\(?(?:\d{1,3}|[a-zA-Z]|[ivxIVX]{1,5})[.)°]\s|[§(]\s?\d")
_SPACELESS = re.compile(r"[\u3001-\u3029\u3041-\u3096\u30a1-\u30fe\u3400-\u9fff\uff01-\uff5e]")
_ATTACHED = re.compile(r"[,.)\]](?:\s|$)")
_TERMINAL = tuple('.!?:;…»”"。！？')


def page_lines(text: str) -> list[str]:
    """Non-empty lines of a page: NFC, ligatures spelled out, no controls, single spaces.

    A word break that the engine or the typesetter marks stays at the line's end as U+FFFE or U+00AD.
    """
    lines = map(_clean_line, text.translate(_CLEAN).splitlines())
    return [line for line in lines if line]


def _clean_line(line: str) -> str:
    line = line.rstrip()
    mark = line[-1:] if line.endswith(_BREAKS) and line[-2:-1].isalnum() else ""
    body = line.removesuffix(mark).replace("\xad", "").replace("\ufffe", "-")
    return unicodedata.normalize("NFC", " ".join(body.split())) + mark


def drop_running(pages: list[list[str]]) -> tuple[list[list[str]], list[str]]:
    """Pages without running heads, running feet and page numbers; and the distinct lines removed, in order.

    A line is running when it comes back at the edge of near pages, word for word or with a number that counts
    pages. Numbers that change in any other way (Article 5, Article 9) make it text, and so do those of headings
    (Annex 1, Annex 2) and years alone. So does a place of its own on the first page (the title which the heads
    repeat), or standing within pages more often than at an edge.
    """
    running = _running_places(pages)
    everywhere = Counter(_NUMBER.sub("#", line) for lines in pages for line in lines)
    at_edge = Counter(_NUMBER.sub("#", pages[place.page][place.top]) for place in running)
    removed: dict[str, str] = {}
    for place in running:
        line = pages[place.page][place.top]
        shape = _NUMBER.sub("#", line)
        # A number alone also stands in tables.
        if 2 * at_edge[shape] > everywhere[shape] or not any(map(str.isalpha, shape)):
            removed.setdefault(shape, _finished(line))
    gone = {(p.page, p.top) for p in running if _NUMBER.sub("#", pages[p.page][p.top]) in removed}
    kept = [[line for i, line in enumerate(lines) if (n, i) not in gone] for n, lines in enumerate(pages)]
    # Pages that are all alike would lose everything.
    return (kept, list(removed.values())) if any(kept) else (pages, [])


def _running_places(pages: list[list[str]]) -> list[Place]:
    seen: dict[Signature, list[Place]] = defaultdict(list)
    for page, lines in enumerate(pages):
        for place in _edges(page, lines):
            for signature in _signatures(lines[place.top], page):
                if not seen[signature] or seen[signature][-1].page < page:
                    seen[signature].append(place)
    need = 2 if len(pages) <= 3 else 3
    return [
        place
        for page, lines in enumerate(pages)
        for place in _edges(page, lines)
        if any(_is_running(place, seen[s], need) for s in _signatures(lines[place.top], page))
    ]


class Place(NamedTuple):
    """Where a line stands: its page, and its number from the page's top (0 ...) and bottom (-1 ...)."""

    page: int
    top: int
    bottom: int


def _edges(page: int, lines: list[str]) -> Iterator[Place]:
    for top in range(len(lines)):
        bottom = top - len(lines)
        if top < EDGE or bottom >= -EDGE:
            yield Place(page, top, bottom)


def _is_running(place: Place, seen: list[Place], need: int) -> bool:
    first = bisect_left(seen, place.page - REACH, key=attrgetter("page"))
    last = bisect_right(seen, place.page + REACH, key=attrgetter("page"))
    if last - first < need:
        return False
    if place.page > seen[0].page:
        return True
    nearer = attrgetter("top" if place.top <= -place.bottom else "bottom")
    return any(nearer(p) == nearer(place) for p in seen[1:last])


def _signatures(line: str, page: int) -> Iterator[Signature]:
    """Readings of a line that stay from page to page: as printed, or one number as page + constant."""
    # Longer digit strings are no page numbers, and int() refuses thousands of digits.
    numbers = [n if len(n) < 10 else "0" for n in _NUMBER.findall(line)[:12]]
    shape = _NUMBER.sub("#", line)
    wordless = not any(map(str.isalpha, line))
    if not wordless:
        yield (shape, *numbers)
    heading = _HEADING.match(shape)
    for i, moving in enumerate(numbers):
        first = int(moving) - page
        if (heading and i == 0) or (wordless and len(numbers) == 1 and first in _YEARS):
            continue
        label = f"+{first}"
        yield (shape, *numbers[:i], label, *numbers[i + 1 :])
        if numbers.index(moving) == i < len(numbers) - 1:
            yield (shape, *(label if n == moving else n for n in numbers))


class Vocabulary:
    """Words and hyphenated pairs that a document has within its lines: the evidence for line ends."""

    def __init__(self, pages: Iterable[list[str]]) -> None:
        self.words: Counter[str] = Counter()
        self.pairs: Counter[str] = Counter()
        self.writes_u2010 = False
        tokens: Counter[str] = Counter()
        breaks: list[tuple[str, str]] = []
        for lines in pages:
            left = None
            for line in lines:
                if left and (right := _HEAD.match(line)):
                    breaks.append((left[1], right[0]))
                left = _BREAK.search(line) if line[-1] in _HYPHENS else None
                tokens.update(_WORD.findall(line[: left.start()] if left else line))
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
        self.conjunctions = max(_CONJUNCTIONS, key=lambda group: sum(self.words[word] for word in group))

    def joins(self, left: str, hyphen: str, right: str) -> bool:
        """Whether `left` at a line's end and `right` at the next one's start are a word without hyphen."""
        if self._typeset(hyphen):
            return True
        evidence = self._evidence(left, right)
        if evidence is not None:
            return evidence
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


def join_lines(pages: list[list[str]]) -> tuple[str, list[int]]:
    """Text with one paragraph a line, and for each page the characters before its text.

    A word broken between two pages belongs to the first of them.
    """
    vocabulary = Vocabulary(pages)
    out: list[str] = []
    offsets: list[int] = []
    length = owner = width = 0
    pending = ""
    for page, lines in enumerate(pages):
        widths = _widths(lines)
        for i, line in enumerate(lines):
            done, rest = _seam(pending, line, width, vocabulary, new_page=i == 0)
            if done:
                offsets += [length] * (owner + 1 - len(offsets))
                out.append(done)
                length += len(done)
            if done or not pending:
                owner = page
            pending, width = rest, widths[i]
    offsets += [length] * (owner + 1 - len(offsets))
    out.append(_finished(pending))
    text = "".join(out)
    offsets += [len(text)] * (len(pages) - len(offsets))
    return text, offsets[: len(pages)]


def _widths(lines: list[str]) -> list[int]:
    """Width of the column around each line, in characters: its longest near line; a line alone is short."""
    lengths = [len(line) for line in lines]
    if len(lines) == 1:
        return [2 * lengths[0]]
    return [max(lengths[max(0, i - 3) : i + 4]) for i in range(len(lengths))]


def _seam(line: str, following: str, width: int, vocabulary: Vocabulary, new_page: bool) -> tuple[str, str]:
    """What of `line` is finished, with its separator, and what is still open, when `following` comes next."""
    if not line:
        return "", following
    if line[-1] in _HYPHENS and len(line) > 1 and line[-2].isalnum() and following[0].isalnum():
        stem = _stem(line, following, vocabulary)
        if not new_page or stem.endswith(" "):
            return stem, following
        fragment, _, rest = following.partition(" ")
        return (f"{stem}{fragment} ", rest) if rest else ("", stem + fragment)
    line = _finished(line)
    if _ends_paragraph(line, following, width):
        return line + "\n", following
    attached = _ATTACHED.match(following) or (_SPACELESS.match(line[-1]) and _SPACELESS.match(following))
    return (line if attached and not new_page else line + " "), following


def _stem(line: str, following: str, vocabulary: Vocabulary) -> str:
    """The line without its last hyphen, or with a plain one where that belongs to the word or stands for one."""
    left, right = _BREAK.search(line), _HEAD.match(following)
    if left and vocabulary.suspends(left[1], line[-1], following):
        return _finished(line) + " "
    if left and right and vocabulary.joins(left[1], line[-1], right[0]):
        return line[:-1]
    return _finished(line)


def _finished(line: str) -> str:
    return line[:-1] + "-" if line.endswith(_BREAKS) else line


def _ends_paragraph(line: str, following: str, width: int) -> bool:
    item = bool(_ITEM.match(following))
    if not item and (following[0].islower() or following[0] in ",.;:)]"):
        return False
    if len(line) < 0.6 * width:
        return True
    return line.endswith(_TERMINAL) and (item or len(line) < 0.9 * width)
