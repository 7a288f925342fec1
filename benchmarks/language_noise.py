"""Made lines that are in no language: what `benchmarks/train_language.py` teaches the model to call `zxx` or `und`."""

from __future__ import annotations

import base64
import random
import string
from collections.abc import Callable, Sequence

# Blocks of letters that no training language uses: without them, such text falls to a language at random.
OTHER_SCRIPTS = (
    (0x0710, 0x072F), (0x0780, 0x07A5), (0x07CA, 0x07EA), (0x0B05, 0x0B39), (0x0C85, 0x0CB9),
    (0x0D05, 0x0D39), (0x0D85, 0x0DC6), (0x0E81, 0x0EB0), (0x0F40, 0x0F6C), (0x1000, 0x102A),
    (0x1200, 0x1357), (0x13A0, 0x13EF), (0x1401, 0x1676), (0x1780, 0x17B3), (0x1820, 0x1877),
    (0x1C5A, 0x1C77), (0x2D30, 0x2D67), (0xA000, 0xA48C),
)  # fmt: skip
# Letters that are written by languages the model knows: random ones are no language all the same.
KNOWN_SCRIPTS = (
    (0x61, 0x7A), (0x61, 0x17F), (0xDF, 0xFF), (0x430, 0x44F), (0x430, 0x45F), (0x3B1, 0x3C9), (0x5D0, 0x5EA),
    (0x621, 0x64A), (0x905, 0x939), (0xE01, 0xE2E), (0x3041, 0x3093), (0x4E00, 0x9FFF), (0xAC00, 0xD7A3),
    (0x561, 0x586), (0x10D0, 0x10F0), (0x20, 0x2FFF), (0xA0, 0xFFFF),
)  # fmt: skip
FOREIGN_SCRIPTS = ("ru", "uk", "bg", "el", "he", "ar", "hi", "zh", "ja", "ko", "th", "ka", "hy")
CODE_WORDS = [
    "var", "let", "const", "function", "return", "if", "else", "for", "while", "new", "this", "null", "true", "false",
    "undefined", "typeof", "int", "char", "void", "public", "static", "class", "def", "self", "import", "from",
    "print", "lambda", "none", "elif", "try", "catch", "except", "end", "begin", "div", "span", "href", "src", "img",
    "class", "style", "width", "height", "px", "em", "rem", "margin", "padding", "border", "color", "rgba", "auto",
    "none", "block", "inline", "flex", "display", "position", "absolute", "relative", "float", "left", "right", "top",
    "bottom", "hover", "font", "family", "size", "weight", "bold", "background", "url", "svg", "path", "http", "json",
    "id", "name", "type", "value", "key", "data", "index", "length", "push", "map", "filter", "select", "insert",
    "where", "join", "and", "or", "not", "null", "struct", "include", "define", "endif", "fn", "pub", "impl", "mut",
    "async", "await", "promise", "document", "window", "get", "set", "put", "post", "err", "ctx", "args", "kwargs",
    "str", "len", "obj", "tmp", "ptr", "idx", "num", "arr", "utf", "xml", "xmlns", "html", "body", "head", "script",
    "link", "rel", "meta",
]  # fmt: skip


def _word(rng: random.Random, low: int, high: int) -> str:
    return "".join(rng.choices(string.ascii_lowercase, k=rng.randint(low, high)))


def non_text(rng: random.Random) -> str:
    """A line without language: digests, encoded bytes, addresses, identifiers, keyboard noise."""

    def word(low: int, high: int) -> str:
        return _word(rng, low, high)

    makers: tuple[Callable[[], str], ...] = (
        lambda: rng.randbytes(rng.randint(4, 32)).hex(),
        lambda: base64.b64encode(rng.randbytes(rng.randint(6, 60))).decode(),
        lambda: f"https://www.{word(3, 9)}.{rng.choice(['com', 'org', 'eu', 'net'])}/{word(2, 8)}?{word(1, 3)}=1",
        lambda: f"{word(1, 4)}_{word(1, 6)}({word(1, 2)}, {word(1, 2)});",
        lambda: f"{rng.randint(1, 9999)} {rng.choice(['kg', 'mm', 'px', 'kb', 'mhz', 'x', 'v', 'ml'])}",
        lambda: "".join(rng.choices("bcdfghjklmnpqrstvwxz", k=rng.randint(3, 10))),
    )
    return " ".join(maker() for maker in rng.choices(makers, k=rng.randint(1, 12)))


def code(rng: random.Random) -> str:
    """Words of programs, style sheets and markup among identifiers, glued as the loss of punctuation glues them."""
    parts = []
    for _ in range(rng.randint(8, 60)):
        kind = rng.random()
        if kind < 0.5:
            part = rng.choice(CODE_WORDS)
        elif kind < 0.75:
            part = _word(rng, 1, 8)
        else:
            glue = rng.choice(["", "", "_", "-", "."])
            part = glue.join(rng.choice(CODE_WORDS) for _ in range(rng.randint(2, 5)))
        parts.append(part)
    return " ".join(parts)


def random_letters(rng: random.Random) -> str:
    """Random words, long enough to be told from a name, of one known script or of a few of its letters."""
    first, last = rng.choice(KNOWN_SCRIPTS)
    letters = [chr(point) for point in range(first, last + 1) if chr(point).isalpha()]
    if rng.random() < 0.3:
        letters = rng.sample(letters, rng.randint(2, min(6, len(letters))))
    longest = rng.choice([10, 10, 80])
    return " ".join("".join(rng.choices(letters, k=rng.randint(2, longest))) for _ in range(rng.randint(6, 30)))


def misread(rng: random.Random, sentences: dict[str, list[str]]) -> str:
    """A sentence in another script whose bytes were taken for Latin-1."""
    lines: Sequence[str] = sentences.get(rng.choice(FOREIGN_SCRIPTS)) or [""]
    data = rng.choice(lines).encode(rng.choice(["utf-8", "utf-8", "cp1251", "iso-8859-7", "gbk"]), "ignore")
    return data.decode(rng.choice(["latin-1", "cp1252"]), "ignore")


def other_script(rng: random.Random) -> str:
    """Random words of one script that no training language is written in."""
    first, last = rng.choice(OTHER_SCRIPTS)
    letters = [chr(point) for point in range(first, last + 1) if chr(point).isalpha()]
    return " ".join("".join(rng.choices(letters, k=rng.randint(2, 9))) for _ in range(rng.randint(1, 15)))
