"""Is the text layer of a PDF page sound? Signs that its characters are not those which the page shows.

A broken character map gives no characters (U+FFFD, private use, controls, pdfminer's `(cid:7)`), signs in the place
of letters, or other letters. The last are seen by letter pairs that no language has: each language of a script
uses a small part of all pairs, and a letter put in another's place leaves it.
"""

from __future__ import annotations

import re
import unicodedata
from functools import cache
from importlib.resources import files
from typing import Any, NamedTuple

BAD_SHARE = 0.02
"""Share of a page's characters that may be unreadable."""
MIN_SIGNS = 100
"""Characters from which on a page of signs is no accident."""
BLOCK = 200
"""Letter pairs judged together: some forty words."""
MIN_PAIRS = 100
"""Letter pairs below which letters say nothing: names, abbreviations and codes look like anything."""
BAD_BLOCKS = 0.2
"""Share of a page's letter pairs in implausible blocks from which on the page is bad."""

SCRIPTS = {
    "latin": "abcdefghijklmnopqrstuvwxyz",
    "greek": "αβγδεζηθικλμνξοπρστυφχψω",
    "cyrillic": "абвгдежзийклмнопрстуфхцчшщъыьэюя",
}
LIMITS = {"latin": 3.1, "greek": 4.8, "cyrillic": 4.8}
"""Mean cost of a block's letter pairs that is implausible. Sound text of any official language of the Union has at
most 2.8, 3.7 and 3.6, letters moved in the alphabet or exchanged at random nearly always more than these limits."""

_SPACE, _NEUTRAL, _SIGN, _UNREADABLE, _LETTER = range(5)
_PLAIN = frozenset(".,…·•|–—-\ufffe\x02\xad")  # PDFium marks line ends with two of these; rulings are made of others
_CID = re.compile(r"\(cid:\d+\)")
_SPACED = re.compile(r"(?:(?<!\S)[^\W\d_]\s){5,}")
_LEAD = re.compile("[ÂÃÄÅâÎÏÐÑ]")
# What bytes 80 to BF become in Windows-1252 and in Latin-1.
_MOJIBAKE = re.compile("[ÂÃÄÅÎÏÐÑ][\x80-\xbf€‚ƒ„…†‡ˆ‰Š‹Œ‘’“”•–—˜™š›œžŸ]|â[\x80€][\x80-\x9f\xa0-\xbf‘’“”¢¦œ™˜]")
_OWN_BASE = {"ł": "l", "ø": "o", "đ": "d", "ı": "i", "æ": "e", "œ": "e", "ħ": "h", "ð": "d", "þ": "t", "ß": "s"}


class Health(NamedTuple):
    """How sound a page's text is."""

    share: float
    """Share of the page that is bad, 0 to 1: of its characters, or of its letters where these are the wrong ones."""
    reason: str | None
    """`unreadable characters`, `mostly no letters`, `implausible letters`, `isolated letters` or `mojibake`; None for
    sound text.

    Mojibake is UTF-8 read as a one-byte encoding before the page was set: no other engine will see anything else.
    """


def health(text: str) -> Health:
    """Judge the text of one page, in any script.

    Languages of other scripts than Latin, Greek and Cyrillic are judged by unreadable characters and signs alone.
    """
    import numpy as np

    units = np.frombuffer(text.encode("utf-16-le", "surrogatepass"), np.uint16)
    classes = _classes()[units]
    space, _, signs, unreadable = np.bincount(classes, minlength=_LETTER)[:_LETTER].tolist()
    size = len(classes) - space
    if not size:
        return Health(0.0, None)
    if "(cid:" in text:
        unreadable += sum(map(len, _CID.findall(text)))
    share = min(1.0, unreadable / size)
    if share > BAD_SHARE:
        return Health(share, "unreadable characters")
    if size >= MIN_SIGNS and signs > size / 2:
        return Health(signs / size, "mostly no letters")
    if (wrong := max(_implausible(classes), _accented(units))) > BAD_BLOCKS:
        return Health(wrong, "implausible letters")
    if (alone := _isolated(classes, text)) > 0.5:
        return Health(alone, "isolated letters")
    if mojibake := _mojibake(text):
        return Health(min(1.0, mojibake / size), "mojibake")
    return Health(share, None)


def _implausible(classes: Any) -> float:
    """Share of the letter pairs that stand in implausible blocks."""
    import numpy as np

    first, second = classes[:-1], classes[1:]
    bad = pairs = 0
    for costs, start, end, limit in _costs():
        among = (first >= start) & (first < end) & (second >= start) & (second < end)
        found = costs[first[among] - start, second[among] - start]
        if len(found) < MIN_PAIRS:
            continue
        starts = np.arange(0, max(1, len(found) - BLOCK // 2), BLOCK)
        lengths = np.diff(np.append(starts, len(found)))
        pairs += len(found)
        bad += int(lengths[np.add.reduceat(found, starts) > limit * lengths].sum())
    return bad / pairs if pairs else 0.0


def _accented(units: Any) -> float:
    """Share of accented letters where most Latin letters are: Greek or Cyrillic of one byte read as Latin-1."""
    accented = int(((units >= 0xC0) & (units < 0x180)).sum())
    plain = int((((units | 0x20) >= 0x61) & ((units | 0x20) <= 0x7A)).sum())
    return accented / (accented + plain) if accented > max(MIN_PAIRS, plain) else 0.0


def _isolated(classes: Any, text: str) -> float:
    """Share of the letters that are words of their own, one after the other; formulas put signs between them."""
    letter = classes > _LETTER
    letters = int(letter.sum())
    alone = letter.copy()
    alone[1:] &= ~letter[:-1]
    alone[:-1] &= ~letter[1:]
    if letters < MIN_PAIRS or int(alone.sum()) <= letters / 2:
        return 0.0
    return min(1.0, sum(len(run) // 2 for run in _SPACED.findall(text)) / letters)


def _mojibake(text: str) -> int:
    """Sequences of UTF-8 read as Latin letters, where most letters that may start one do; 0 for a stray one."""
    found = len(_MOJIBAKE.findall(text))
    return found if found >= 3 and 2 * found > len(_LEAD.findall(text)) else 0


def base_letter(sign: str) -> str | None:
    """The letter of SCRIPTS that a letter is a form of, or None."""
    letter = sign.lower()
    letter = _OWN_BASE.get(letter) or ("й" if letter == "й" else unicodedata.normalize("NFD", letter)[0])
    letter = "σ" if letter == "ς" else letter
    return letter if any(letter in alphabet for alphabet in SCRIPTS.values()) else None


@cache
def _classes() -> Any:
    """For each UTF-16 unit its class; letters of SCRIPTS are numbered from _LETTER + 1 on."""
    import numpy as np

    numbers = {letter: i for i, letter in enumerate("".join(SCRIPTS.values()), _LETTER + 1)}
    table = np.full(1 << 16, _NEUTRAL, np.uint8)
    for code in range(1 << 16):
        sign = chr(code)
        category = unicodedata.category(sign)
        if sign.isspace():
            table[code] = _SPACE
        # The last planes, of private use, start with these surrogates.
        elif sign == "\ufffd" or category == "Co" or (category == "Cc" and sign != "\x02") or 0xDB80 <= code < 0xDC00:
            table[code] = _UNREADABLE
        elif sign.isalpha():
            table[code] = numbers.get(base_letter(sign) or "", _LETTER)
        elif category[0] in "PS" and sign not in _PLAIN:
            table[code] = _SIGN
    return table


@cache
def _costs() -> list[tuple[Any, int, int, float]]:
    """Per script: the cost of each letter pair, the classes from and up to which its letters go, and the limit."""
    import numpy as np

    lines = files(__package__).joinpath("letter_pairs.tsv").read_text("utf-8").splitlines()
    rows = [line.split("\t")[1] for line in lines if not line.startswith("#")]
    found, start = [], _LETTER + 1
    for script, alphabet in SCRIPTS.items():
        costs = np.array([list(row) for row in rows[: len(alphabet)]]).astype(np.int64)
        found.append((costs, start, start + len(alphabet), LIMITS[script]))
        rows, start = rows[len(alphabet) :], start + len(alphabet)
    return found
