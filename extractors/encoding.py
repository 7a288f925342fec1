"""Bytes to characters: which encoding a document is in, whatever it says about itself."""

from __future__ import annotations

import codecs
import re

_LABELS = {
    "utf-8": "utf-8 utf8 unicode-1-1-utf-8 x-unicode20utf8 utf-16 utf-16le utf-16be unicode ucs-2 iso-10646-ucs-2",
    "windows-1252": "windows-1252 cp1252 x-cp1252 iso-8859-1 iso8859-1 iso88591 iso_8859-1 latin1 latin-1 l1 "
    "ascii us-ascii ansi_x3.4-1968 cp819 ibm819 x-user-defined",
    "windows-1250": "windows-1250 cp1250 x-cp1250",
    "windows-1251": "windows-1251 cp1251 x-cp1251 win-1251",
    "windows-1253": "windows-1253 cp1253 x-cp1253",
    "windows-1254": "windows-1254 cp1254 x-cp1254 iso-8859-9 iso8859-9 latin5 l5",
    "windows-1255": "windows-1255 cp1255 x-cp1255",
    "windows-1256": "windows-1256 cp1256 x-cp1256",
    "windows-1257": "windows-1257 cp1257 x-cp1257",
    "windows-1258": "windows-1258 cp1258 x-cp1258",
    "windows-874": "windows-874 dos-874 iso-8859-11 tis-620",
    "iso-8859-2": "iso-8859-2 iso8859-2 iso_8859-2 latin2 l2",
    "iso-8859-3": "iso-8859-3 iso8859-3 latin3",
    "iso-8859-4": "iso-8859-4 iso8859-4 latin4",
    "iso-8859-5": "iso-8859-5 iso8859-5 cyrillic",
    "iso-8859-6": "iso-8859-6 iso8859-6 arabic",
    "iso-8859-7": "iso-8859-7 iso8859-7 greek",
    "iso-8859-8": "iso-8859-8 iso8859-8 iso-8859-8-i hebrew visual logical",
    "iso-8859-10": "iso-8859-10 iso8859-10 latin6",
    "iso-8859-13": "iso-8859-13 iso8859-13",
    "iso-8859-14": "iso-8859-14 iso8859-14",
    "iso-8859-15": "iso-8859-15 iso8859-15 latin-9 latin9 l9",
    "iso-8859-16": "iso-8859-16",
    "koi8-r": "koi8-r koi koi8 koi8_r",
    "koi8-u": "koi8-u koi8-ru",
    "ibm866": "ibm866 cp866 866",
    "macintosh": "macintosh mac x-mac-roman",
    "x-mac-cyrillic": "x-mac-cyrillic x-mac-ukrainian",
    "gb18030": "gb18030 gbk gb2312 gb_2312 gb_2312-80 chinese csgb2312 x-gbk",
    "big5": "big5 big5-hkscs cn-big5 x-x-big5",
    "shift_jis": "shift_jis shift-jis sjis x-sjis ms932 windows-31j ms_kanji",
    "euc-jp": "euc-jp x-euc-jp",
    "iso-2022-jp": "iso-2022-jp csiso2022jp",
    "euc-kr": "euc-kr cseuckr ks_c_5601-1987 ks_c_5601-1989 ksc5601 korean windows-949",
}
"""The Encoding Standard's names and the labels that mean them (https://encoding.spec.whatwg.org/#names-and-labels).

UTF-16 labels stand under UTF-8: markup that can be read as ASCII far enough to find the label is not UTF-16.
"""

_ENCODINGS = {label: name for name, labels in _LABELS.items() for label in labels.split()}

_CODECS = {
    "windows-874": "cp874",
    "gb18030": "gb18030",
    "big5": "big5hkscs",
    "shift_jis": "cp932",
    "euc-kr": "cp949",
    "macintosh": "mac_roman",
    "x-mac-cyrillic": "mac_cyrillic",
}
"""Python's codec where its name differs from the standard's, or a superset is what the web means by it."""

_UNDETECTED = {"utf-8", "macintosh", "x-mac-cyrillic"} | {f"iso-8859-{part}" for part in (3, 4, 10, 13, 14, 16)}
"""Believed when declared, never guessed: so rare that a guess is mostly wrong."""

_NAMES = {codecs.lookup(_CODECS.get(n, n)).name.replace("-", "_"): n for n in _LABELS if n not in _UNDETECTED}

_BOMS = ((b"\xef\xbb\xbf", "utf-8"), (b"\xff\xfe", "utf-16-le"), (b"\xfe\xff", "utf-16-be"))
_LATIN = {"windows-1250", "windows-1252", "windows-1254", "windows-1257", "windows-1258", "macintosh"} | {
    f"iso-8859-{part}" for part in (2, 3, 4, 10, 13, 14, 15, 16)
}
_MULTIBYTE = {"gb18030", "big5", "shift_jis", "euc-jp", "euc-kr", "iso-2022-jp", "utf-8"}
_CP1252 = {i: bytes([i]).decode("cp1252", "ignore") or chr(i) for i in range(0x80, 0xA0)}

_META = re.compile(rb"<meta\b[^<>]{0,500}?\bcharset\s*=\s*[\"']?\s*([\w.:+-]{2,40})", re.I)
_XML = re.compile(rb"^\s*<\?xml\b[^<>]{0,200}?\bencoding\s*=\s*[\"']\s*([\w.:+-]{2,40})")
_TEXT = re.compile(rb"[^<>\r\n\x80-\xff]{0,80}[\x80-\xff][^<>\r\n]*")
_HIGH = re.compile(rb"[\x80-\xff]+")
_DECLARED_WITHIN = 4096
_SAMPLE = 1 << 18
_DETECT = 6000
_FEW_BAD = 20
"""One undecodable byte in this many non-ASCII ones is damage; more is another encoding."""


def decode(payload: bytes, charset: str | None = None) -> tuple[str, str]:
    """Text of `payload` without NULs, and what decided its encoding.

    `charset` is what the transport declares. Tried in turn: byte order mark, UTF-8 validity, `charset`, the
    document's own declaration, a statistical detector; a declaration that the bytes contradict is passed over.
    The second value is `bom utf-16-le`, `utf-8`, `header windows-1252`, `meta gb18030`, `detector windows-1251`
    or `fallback windows-1252`, with the Encoding Standard's names. Never raises; undecodable bytes become U+FFFD.
    """
    text, how = _decode(payload, charset)
    return text.replace("\0", ""), how


def _decode(payload: bytes, charset: str | None) -> tuple[str, str]:
    for mark, name in _BOMS:
        if payload.startswith(mark):
            return payload[len(mark) :].decode(name, "replace"), f"bom {name}"
    if wide := _utf16(payload):
        return payload.decode(wide, "replace"), f"detector {wide}"
    declared = list(_declarations(payload, charset))
    if b"\x1b$" in payload[:_SAMPLE] and (how := next((d for d in declared if d.endswith("iso-2022-jp")), None)):
        return payload.decode("iso-2022-jp", "replace"), how
    if (text := _attempt(payload, "utf-8")) is not None:
        return text, "utf-8"
    for how in _plausible(payload, declared):
        if (text := _attempt(payload, how.partition(" ")[2])) is not None:
            return text, how
    return _detected(payload)


def _utf16(payload: bytes) -> str | None:
    """UTF-16 without a mark: every other byte of its markup is NUL."""
    sample = payload[:2000]
    even, odd = sample[::2].count(0), sample[1::2].count(0)
    if max(even, odd) * 4 < len(sample) or not sample or min(even, odd) * 10 > max(even, odd):
        return None
    return "utf-16-le" if odd > even else "utf-16-be"


def _declarations(payload: bytes, charset: str | None) -> list[str]:
    """What is declared, best first, as `header NAME` and `meta NAME`; unknown labels are left out."""
    head = payload[:_DECLARED_WITHIN]
    labels = [("header", charset or "")]
    labels += [("meta", m[1].decode("ascii", "ignore")) for p in (_XML, _META) for m in [p.search(head)] if m]
    names = [(source, _ENCODINGS.get(label.strip(" \t\n\r\f\"'").lower())) for source, label in labels]
    return [f"{source} {name}" for source, name in names if name]


def _plausible(payload: bytes, declared: list[str]) -> list[str]:
    """The declarations that the pattern of non-ASCII bytes does not contradict, best first.

    Latin scripts have such bytes one by one among ASCII letters, all others have them in runs; a server's default
    of windows-1252 is found out by this. Where one declaration is multi-byte and fits, it is no accident.
    """
    runs = _HIGH.findall(payload[:_SAMPLE])
    high, long = sum(map(len, runs)), sum(len(run) for run in runs if len(run) >= 4)
    fit = []
    for how in declared:
        name = how.partition(" ")[2]
        contradicted = long * 2 > high if name in _LATIN else long * 5 < high and name not in _MULTIBYTE
        if high < _FEW_BAD or not contradicted:
            fit.append(how)
    return sorted(fit, key=lambda how: how.partition(" ")[2] not in _MULTIBYTE)


def _attempt(payload: bytes, name: str) -> str | None:
    """`payload` in the encoding, damage replaced; None when there is too much to be damage."""
    if name == "windows-1252":
        # Python leaves five bytes undefined that the standard maps to control characters.
        return payload.decode("latin-1").translate(_CP1252)
    codec = _CODECS.get(name, name)
    try:
        return payload.decode(codec)
    except UnicodeDecodeError:
        text = payload.decode(codec, "replace")
    high = len(payload) - len(payload.translate(None, bytes(range(0x80, 0x100))))
    bad = text.count("\ufffd")
    # A cut-off document ends in half a character.
    return text if bad * _FEW_BAD <= high or (bad == 1 and text.endswith("\ufffd")) else None


def _detected(payload: bytes) -> tuple[str, str]:
    # Imported here: most documents are UTF-8 and never need it.
    from charset_normalizer import from_bytes

    sample = _sample(payload)
    # The sample may end within a character, which a strict detector holds against the right encoding.
    for cut in range(4):
        guesses = list(from_bytes(sample[: len(sample) - cut], cp_isolation=list(_NAMES)))
        # Between equals the commonest by far.
        guesses.sort(key=lambda guess: (guess.chaos, -guess.coherence, guess.encoding != "cp1252"))
        name = _NAMES.get(guesses[0].encoding) if guesses else None
        if name and (text := _attempt(payload, name)) is not None:
            return text, f"detector {name}"
    return payload.decode("latin-1").translate(_CP1252), "fallback windows-1252"


def _sample(payload: bytes) -> bytes:
    """The stretches between tags and line ends that are not ASCII, a few kilobytes of them.

    Markup and scripts look the same in every candidate and only dilute the sample.
    """
    found: list[bytes] = []
    for stretch in _TEXT.findall(payload[:_SAMPLE]):
        found.append(stretch[:_DETECT])
        if sum(map(len, found)) >= _DETECT:
            break
    return b"\n".join(found)
