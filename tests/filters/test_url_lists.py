"""Lists of domains, addresses and words."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from filters import url_lists
from filters.url_lists import match, match_all, of_entries

TEXT = """# a list
example.org
  https://www.Shop.example/~joe/   # one user
shop.example/item.php?id=3
*Casino*

1.2.3.4
bücher.example
*.wild.example
.dot.example
b.example:8080
"""


def load(folder: Path, text: str = TEXT, sha256: str | None = None) -> url_lists.UrlList:
    path = folder / "domains"
    path.write_text(text, "utf-8")
    return url_lists.load("own", path, sha256)


@pytest.mark.parametrize(
    ("url", "listed"),
    [
        ("http://example.org/a", True),
        ("https://a.b.c.d.example.org:8080/", True),
        ("http://notexample.org/", False),
        ("http://example.org.evil.example/", False),
        ("http://shop.example/~joe", True),
        ("http://shop.example/~joe/a/b.html?x", True),
        ("http://shop.example/~joel", False),
        ("http://a.shop.example/~joe", False),
        ("http://shop.example/", False),
        ("https://www.shop.example/item.php?utm_source=a&id=3", True),
        ("http://shop.example/item.php?id=31", False),
        ("http://a.example/online-CASINO/", True),
        ("http://1.2.3.4/", True),
        ("http://9.1.2.3.4/", False),
        ("http://xn--bcher-kva.example/", True),
        ("http://a.wild.example/", True),
        ("http://dot.example/", True),
        ("http://b.example:8080/x", True),
        ("http://b.example/x", False),
        ("casino", True),
        ("", False),
        ("http://[::1]/", False),
    ],
)
def test_what_is_listed(tmp_path: Path, url: str, listed: bool) -> None:
    assert match(url, [load(tmp_path)]) == ("own" if listed else None)


def test_the_first_list_counts() -> None:
    lists = [of_entries("words", ["*qq*"]), of_entries("none", []), of_entries("sites", ["a.example", "qq.example"])]
    assert match_all(["http://a.example/", "http://qq.example/", "http://b.example/"], lists) == [
        "sites",
        "words",
        None,
    ]
    assert match_all(["http://a.example/"], lists[::-1]) == ["sites"]
    assert match_all([], lists) == []
    assert match_all(["http://a.example/"], []) == [None]


def test_adult_words() -> None:
    words = url_lists.adult_words()
    assert match("http://a.example/PornStar", [words]) == "adult-words"
    assert match("http://a.example/prose", [words]) is None


def test_a_digest_pins_the_file(tmp_path: Path) -> None:
    digest = hashlib.sha256(TEXT.encode()).hexdigest()
    assert match("http://example.org/", [load(tmp_path, sha256=digest.upper())]) == "own"
    with pytest.raises(ValueError, match=f"domains.*{digest}, not {'0' * 64}"):
        load(tmp_path, sha256="0" * 64)


def test_a_list_that_cannot_be_used(tmp_path: Path) -> None:
    with pytest.raises(OSError, match="absent"):
        url_lists.load("own", tmp_path / "absent")
    with pytest.raises(ValueError, match="1001 words"):
        of_entries("own", [f"*{number}*" for number in range(1_001)])


@pytest.mark.parametrize(
    "data", [b"", b"\0\xff\n", b"\xef\xbb\xbfa.example", b"x" * 10**6, b"*\n**\n***\n", b"\n" * 10**6]
)
def test_odd_files(tmp_path: Path, data: bytes) -> None:
    path = tmp_path / "odd"
    path.write_bytes(data)
    found = url_lists.load("own", path)
    assert match("http://b.example/", [found]) is None
    assert match("http://a.example/", [found]) == ("own" if b"a.example" in data else None)


@pytest.mark.parametrize("ends", ["", "\n"])
@pytest.mark.parametrize("length", [4_095, 4_096, 4_097, 8_192, 8_193, 20_000])
def test_of_a_long_line_nothing_becomes_an_entry(tmp_path: Path, length: int, ends: str) -> None:
    text = f"b.example\n{' ' * (length - 9)}a.example{ends}"
    if ends:
        text += "c.example"
    found = load(tmp_path, text, hashlib.sha256(text.encode()).hexdigest())
    listed = [match(f"http://{name}.example/", [found]) is not None for name in "abc"]
    assert listed == [length + len(ends) <= 4_096 and (bool(ends) or length < 4_096), True, bool(ends)]


def test_an_entry_without_a_dot_is_a_host_and_no_top_level_domain() -> None:
    for entry in ("org", ".org", "*.org", "http://org/"):
        assert match("http://a.org/", [of_entries("own", [entry])]) is None
    assert match("http://localhost/a", [of_entries("own", ["localhost"])]) == "own"


def test_paths_are_listed_to_sixteen_segments() -> None:
    for depth, listed in ((16, "own"), (17, None)):
        path = "a.example" + "/x" * depth
        assert match(f"http://{path}/y", [of_entries("own", [path])]) == listed


@given(st.text(), st.lists(st.text()))
def test_nothing_raises(url: str, entries: list[str]) -> None:
    lists = [of_entries("own", entries)]
    assert match(url, lists) in {"own", None}
    assert match(f"http://{url}", lists) in {"own", None}


def test_many_entries_take_eight_bytes_each() -> None:
    made = of_entries("own", (f"s{number}.example" for number in range(200_000)))
    assert made.keys.nbytes == 1_600_000
    assert match("http://s199999.example/", [made]) == "own"
    assert match("http://s200000.example/", [made]) is None
