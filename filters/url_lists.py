"""Lists of domains, addresses and words that the user has: adult, spam, own. Nothing here downloads one.

A list is a text file, one entry a line, `#` begins a comment (UT1's `domains` and `urls` files are such lists):

- `example.org` is the site with all its sub-domains (HPLT 3.0 strips two at most);
- `org` is that host alone, and no top-level domain;
- `example.org/~joe` is what stands under that path, which may be 16 segments deep at most, or an address with its
  query, on that host alone;
- `*word*` is every address that contains the word.

Scheme, `www.` and case of the host do not matter. Lines of more than 4,096 bytes are passed over. Entries are kept as
64-bit hashes: 8 bytes each.
"""

from __future__ import annotations

import hashlib
import re
from array import array
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import xxhash

from filters import urls

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

ADULT_WORDS = ("porn", "sex", "tube", "cams", "camgirls", "mature")
"""Words that HPLT 3.0 takes for signs of adult pages. They hit Essex and YouTube too."""
MAX_WORDS = 1_000
_MAX_LINE = 4_096
_MAX_SEGMENTS = 16
_DOMAIN = re.compile(r"(?!www\.)[a-z0-9-]{1,63}(?:\.[a-z0-9-]{1,63}){1,9}")
_SCHEME = re.compile(r"[a-z][a-z0-9+.-]*://", re.I)


@dataclass(frozen=True, slots=True)
class UrlList:
    """A list in memory. `keys`: sorted hashes of domains and addresses; `words`: a pattern of the words, or None."""

    name: str
    keys: NDArray[np.uint64]
    words: re.Pattern[str] | None = None


def load(name: str, path: str | Path, sha256: str | None = None) -> UrlList:
    """Reads a list's file; `sha256` pins its content.

    Raises OSError if it cannot be read, and ValueError if its digest is another or it has over MAX_WORDS words.
    """
    digest = hashlib.sha256()
    made = of_entries(name, _lines(Path(path), digest))
    if sha256 is not None and digest.hexdigest() != sha256.strip().lower():
        raise ValueError(
            f"URL list {name}: {path} is not the file that the recipe names: "
            f"its sha256 is {digest.hexdigest()}, not {sha256}"
        )
    return made


def of_entries(name: str, entries: Iterable[str]) -> UrlList:
    """A list of entries as they stand in a file."""
    import numpy as np

    keys, words = array("Q"), set()
    for entry in entries:
        if len(entry) > 2 and entry[0] == entry[-1] == "*":
            words.add(entry.strip("*").lower())
        elif key := _entry(entry):
            keys.append(xxhash.xxh3_64_intdigest(key))
    if len(words) > MAX_WORDS:
        raise ValueError(f"URL list {name}: {len(words)} words, but at most {MAX_WORDS} can be looked for")
    pattern = re.compile("|".join(map(re.escape, sorted(words - {""})))) if words - {""} else None
    found = np.frombuffer(keys, np.uint64)
    found.sort()
    return UrlList(name, found, pattern)


def adult_words() -> UrlList:
    """The list `adult-words`: every address that contains one of ADULT_WORDS."""
    return of_entries("adult-words", [f"*{word}*" for word in ADULT_WORDS])


def match(url: str, lists: Sequence[UrlList]) -> str | None:
    """The name of the first list that an http(s) address is on."""
    return match_all([url], lists)[0]


def match_all(addresses: Sequence[str], lists: Sequence[UrlList]) -> list[str | None]:
    """`match` for each address; much faster for many at once."""
    import numpy as np

    found: list[str | None] = [None] * len(addresses)
    owners, hashes = array("q"), array("Q")
    if any(len(one.keys) for one in lists):
        for number, address in enumerate(addresses):
            for form in _forms(address):
                owners.append(number)
                hashes.append(xxhash.xxh3_64_intdigest(form))
    order = np.argsort(np.frombuffer(hashes, np.uint64))
    asked, asker = np.frombuffer(hashes, np.uint64)[order], np.frombuffer(owners, np.int64)[order]
    for one in lists:
        if len(one.keys) and len(asked):
            at = np.minimum(np.searchsorted(one.keys, asked), len(one.keys) - 1)
            for number in asker[one.keys[at] == asked]:
                found[number] = found[number] or one.name
        if one.words is not None:
            for number, address in enumerate(addresses):
                if found[number] is None and one.words.search(address.lower()):
                    found[number] = one.name
    return found


def _lines(path: Path, digest: hashlib._Hash) -> Iterator[str]:
    with path.open("rb") as file:
        whole = True  # what was read last is a line to its end
        while line := file.readline(_MAX_LINE):
            digest.update(line)
            begins, whole = whole, line.endswith(b"\n") or len(line) < _MAX_LINE
            if not begins or not whole:
                continue
            text = line.decode("utf-8", "replace").lstrip("\ufeff").partition(" #")[0].strip()
            if text and not text.startswith("#"):
                yield text


def _entry(text: str) -> str | None:
    """The form under which an entry is kept: as `_forms` gives it for the addresses that it covers."""
    if _DOMAIN.fullmatch(text):
        return text
    if scheme := _SCHEME.match(text):
        text = text[scheme.end() :]
    normal = urls.normalise("http://" + text.removeprefix("*.").lstrip("."))
    return None if normal is None else normal.removeprefix("http://").rstrip("/")


def _forms(url: str) -> Iterator[str]:
    """What an address may be listed as: its host, the domains above it, the paths above it, and itself."""
    normal = urls.normalise(url)
    if normal is None:
        return
    whole = normal.removeprefix("http://")
    path, question, _ = whole.partition("?")
    site, slash, rest = path.partition("/")
    name = site if site.startswith("[") else site.partition(":")[0]
    yield from {name, site}
    if not name[-1:].isdigit() and not name.startswith("["):
        for _ in range(name.count(".") - 1):
            name = name.partition(".")[2]
            yield name
    at = -1
    for _ in range(_MAX_SEGMENTS):
        at = rest.find("/", at + 1)
        if at < 0:
            break
        yield f"{site}{slash}{rest[:at]}"
    if rest:
        yield path
    if question:
        yield whole
