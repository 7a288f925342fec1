from __future__ import annotations

import gzip
import os
from pathlib import Path
from typing import Any

import fsspec
import pytest

from catalog.errors import ConfigError
from catalog.files import Corpus
from extractors.warc import cuts as warc_cuts
from flows import inputs
from flows.inputs import Input, identify, list_inputs, opener
from flows.recipe import Source


def source(path: Path | str, kind: Any = "files", **more: Any) -> Source:
    return Source(name="s", kind=kind, path=str(path), **more)


def fill(folder: Path, *names: str) -> Path:
    for name in names:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"text of {name}")
    return folder


def known(
    found: list[Input], corpus: Path, cut: int = 1 << 20, kind: Any = "files", keep: bool = True
) -> dict[str, Input]:
    return {i.path: i for i in identify(found, source("x", kind), Corpus(corpus), cut, keep)}


def paths(found: list[Input]) -> list[str]:
    return [item.path for item in found]


def skips(found: list[Input]) -> dict[str, str | None]:
    return {item.path: item.skip for item in found}


def test_a_folder_is_all_its_files_by_path(tmp_path: Path) -> None:
    fill(tmp_path, "b.html", "a/z.html", "a/deep/c.pdf", ".hidden")
    found = list_inputs(source(tmp_path))
    assert paths(found) == [".hidden", "a/deep/c.pdf", "a/z.html", "b.html"]
    assert all(opener(item.uri)().read().decode() == f"text of {item.path}" for item in found)
    assert all(item.size == len(f"text of {item.path}") for item in found)


@pytest.mark.parametrize(
    ("pattern", "expected"),
    [
        ("*.html", ["a.html", "b.html"]),
        ("**/*.html", ["a.html", "b.html", "x/c.html", "x/y/d.html"]),
        ("x/*", ["c.html", "n.txt"]),
        ("x/?.html", ["c.html"]),
        ("[ab].html", ["a.html", "b.html"]),
        ("x/c.html", ["c.html"]),
        ("x", ["c.html", "n.txt", "y/d.html"]),
        ("../t/x", ["c.html", "n.txt", "y/d.html"]),
    ],
)
def test_globs_folders_and_files(tmp_path: Path, pattern: str, expected: list[str]) -> None:
    fill(tmp_path / "t", "a.html", "b.html", "x/c.html", "x/n.txt", "x/y/d.html")
    assert paths(list_inputs(source(tmp_path / "t" / pattern))) == expected


ODD = [
    "it's.html",
    "two words.html",
    "[draft].html",
    "a*b?.html",
    "a::b.html",
    "été 漢.html",
    'say "x".html',
    "a;b|c.html",
]


def test_names_may_hold_anything(tmp_path: Path) -> None:
    fill(tmp_path, *ODD)
    found = list_inputs(source(tmp_path))
    assert sorted(paths(found)) == sorted(ODD)
    assert all(opener(item.uri)().read().decode() == f"text of {item.path}" for item in found)


@pytest.mark.parametrize("name", ODD)
def test_one_file_of_any_name(tmp_path: Path, name: str) -> None:
    fill(tmp_path, name, "other.html")
    [item] = list_inputs(source(tmp_path / name))
    assert (item.path, item.skip) == (name, None)


@pytest.mark.parametrize("name", ["[2024]", "it's", "a b", "100%", "a::b"])
def test_one_folder_of_any_name(tmp_path: Path, name: str) -> None:
    fill(tmp_path / name, "page.html")
    assert paths(list_inputs(source(tmp_path / name))) == ["page.html"]


def test_a_name_that_is_no_text_is_recorded_and_not_read(tmp_path: Path) -> None:
    with open(os.fsencode(tmp_path) + b"/caf\xe9.html", "wb") as file:  # noqa: PTH123
        file.write(b"text")
    found = list_inputs(source(tmp_path))
    assert skips(found) == {"caf\\udce9.html": "file-name: not UTF-8"}
    assert known(found, tmp_path / "corpus")["caf\\udce9.html"].digest == "skipped"


def test_excluded_files_are_skipped(tmp_path: Path) -> None:
    """And so take the place of what was read of them before."""
    fill(tmp_path, "a.html", "b.tmp", "old/c.html")
    found = list_inputs(source(tmp_path, exclude=["*.tmp", "old/*"]))
    assert [item.path for item in found if item.skip is None] == ["a.html"]
    assert {item.skip for item in found if item.path != "a.html"} == {"excluded by the recipe"}


def test_symbolic_links_stay_in_the_source(tmp_path: Path) -> None:
    fill(tmp_path, "secret.html", "secrets/deep.html", "in/a.html")
    for name, target in (
        ("in/out.html", tmp_path / "secret.html"),
        ("in/up.html", Path("../secret.html")),
        ("in/folder", tmp_path / "secrets"),
        ("in/dangling.html", tmp_path / "nothing"),
        ("in/same.html", tmp_path / "in" / "a.html"),
    ):
        (tmp_path / name).symlink_to(target)
    (tmp_path / "in" / "loop").symlink_to(tmp_path / "in")
    out = "symbolic link out of the source"
    for pattern in ("in", "in/**"):
        assert skips(list_inputs(source(tmp_path / pattern))) == {
            "a.html": None, "dangling.html": out, "folder": out, "loop": "no regular file", "out.html": out,
            "same.html": None, "up.html": out,
        }  # fmt: skip


def test_a_link_that_the_recipe_names_is_followed(tmp_path: Path) -> None:
    fill(tmp_path, "elsewhere/a.html")
    (tmp_path / "latest.html").symlink_to(tmp_path / "elsewhere" / "a.html")
    (tmp_path / "folder").symlink_to(tmp_path / "elsewhere")
    assert skips(list_inputs(source(tmp_path / "latest.html"))) == {"latest.html": None}
    assert skips(list_inputs(source(tmp_path / "folder"))) == {"a.html": None}


def test_a_pipe_is_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.html")
    (tmp_path / "link.html").symlink_to(tmp_path / "pipe.html")
    found = list_inputs(source(tmp_path))
    assert set(skips(found).values()) == {"no regular file"}
    assert {item.digest for item in known(found, tmp_path / "corpus").values()} == {"skipped"}


@pytest.mark.parametrize(
    ("path", "said"),
    [
        ("none", "no such file or folder"),
        ("empty", "no file matches"),
        ("*.pdf", "no file matches"),
        ("no/*.x", "no file matches"),
    ],
)
def test_nothing_there_is_named(tmp_path: Path, path: str, said: str) -> None:
    (tmp_path / "empty").mkdir()
    with pytest.raises(ConfigError, match=said) as caught:
        list_inputs(source(tmp_path / path))
    assert "source s: path = " in str(caught.value)
    assert path in str(caught.value)


def test_an_fsspec_url(tmp_path: Path) -> None:
    memory = fsspec.filesystem("memory")
    memory.pipe(
        {"/florilege-test/a.html": b"one", "/florilege-test/x/b.html": b"two", "/florilege-test/n.txt": b"three"}
    )
    try:
        assert paths(list_inputs(source("memory://florilege-test"))) == ["a.html", "n.txt", "x/b.html"]
        found = list_inputs(source("memory://florilege-test/**/*.html"))
        assert paths(found) == ["a.html", "x/b.html"]
        assert [opener(item.uri)().read() for item in found] == [b"one", b"two"]
        before = known(found, tmp_path)
        memory.pipe("/florilege-test/a.html", b"another")
        after = known(list_inputs(source("memory://florilege-test/**/*.html")), tmp_path)
        assert [before[p].digest == after[p].digest for p in ("a.html", "x/b.html")] == [False, True]
    finally:
        memory.rm("/florilege-test", recursive=True)


def test_a_folder_of_archives_holds_other_files_too(tmp_path: Path) -> None:
    fill(tmp_path, "a.warc.gz", "b.arc", "c.WARC.zst", "notes.txt", "crawl.log")
    assert skips(list_inputs(source(tmp_path, "warc"))) == {
        "a.warc.gz": None, "b.arc": None, "c.WARC.zst": None,
        "notes.txt": "file-name: no archive", "crawl.log": "file-name: no archive",
    }  # fmt: skip
    assert skips(list_inputs(source(tmp_path / "notes.txt", "warc"))) == {"notes.txt": None}


def test_acts_are_measured_against_their_html(tmp_path: Path) -> None:
    fill(tmp_path, "32020R0001/fr.html", "32020R0001/fr.pdf", "32020R0001/de.pdf", "flat/32020R0002_en.pdf",
         "flat/32020R0002_en.html", "readme.txt")  # fmt: skip
    found = {item.path: item for item in list_inputs(source(tmp_path, "eurlex"))}
    assert found["32020R0001/fr.pdf"].reference == "32020R0001/fr.html"
    assert found["32020R0001/fr.html"].reference is None
    assert found["32020R0001/de.pdf"].reference is None
    assert found["flat/32020R0002_en.pdf"].reference == "flat/32020R0002_en.html"
    assert found["32020R0001/fr.pdf"].meta == {"celex": "32020R0001", "language": "fr"}
    assert found["readme.txt"].skip == "file-name: no CELEX number and language"


def test_articles_are_measured_against_their_xml(tmp_path: Path) -> None:
    fill(tmp_path, "a/1.xml", "a/1.pdf", "b/1.pdf", "a/2.PDF", "a/2.XML")
    found = {item.path: item.reference for item in list_inputs(source(tmp_path, "erudit"))}
    assert found == {"a/1.pdf": "a/1.xml", "a/1.xml": None, "b/1.pdf": None, "a/2.PDF": "a/2.XML", "a/2.XML": None}


def test_files_are_measured_against_the_reference_beside_them(tmp_path: Path) -> None:
    names = (
        "a.html",
        "a.truth.txt",
        "b.html",
        "[x].html",
        "[x].truth.txt",
        "x.truth.txt",
        "deep/a.html",
        "deep/c.truth.md",
    )
    fill(tmp_path, *names)
    found = {i.path: (i.reference, i.skip) for i in list_inputs(source(tmp_path, reference="{stem}.truth.*"))}
    assert found == {
        "a.html": ("a.truth.txt", None),
        "a.truth.txt": (None, "reference of another file"),
        "b.html": (None, None),
        "[x].html": ("[x].truth.txt", None),
        "[x].truth.txt": (None, "reference of another file"),
        "x.truth.txt": (None, None),
        "deep/a.html": (None, None),
        "deep/c.truth.md": (None, None),
    }


@pytest.fixture
def reads(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Names of the files whose bytes were read, in order."""
    seen: list[str] = []
    real = inputs._digest

    def counted(uri: str) -> str:
        seen.append(Path(uri).name)
        return real(uri)

    monkeypatch.setattr(inputs, "_digest", counted)
    return seen


def test_a_file_that_did_not_change_is_not_read_again(tmp_path: Path, reads: list[str]) -> None:
    folder, corpus = fill(tmp_path / "in", "a.html", "b.html"), tmp_path / "corpus"
    first = known(list_inputs(source(folder)), corpus)
    assert reads == ["a.html", "b.html"]
    (folder / "b.html").write_text("something else")
    second = known(list_inputs(source(folder)), corpus)
    assert reads == ["a.html", "b.html", "b.html"]
    assert second["a.html"].digest == first["a.html"].digest
    assert second["b.html"].digest != first["b.html"].digest


def test_a_file_of_the_same_size_is_known_by_its_time(tmp_path: Path, reads: list[str]) -> None:
    folder, corpus = fill(tmp_path / "in", "a.html"), tmp_path / "corpus"
    before = known(list_inputs(source(folder)), corpus)["a.html"].digest
    (folder / "a.html").write_text("TEXT OF a.html")
    os.utime(folder / "a.html", (1, 1))
    assert known(list_inputs(source(folder)), corpus)["a.html"].digest != before


def test_nothing_is_kept_when_nothing_shall_be(tmp_path: Path, reads: list[str]) -> None:
    folder, corpus = fill(tmp_path / "in", "a.html"), tmp_path / "corpus"
    for _ in range(2):
        known(list_inputs(source(folder)), corpus, keep=False)
    assert reads == ["a.html", "a.html"]
    assert not corpus.exists()


def test_the_digest_is_that_of_the_bytes_wherever_they_lie(tmp_path: Path) -> None:
    first = known(list_inputs(source(fill(tmp_path / "one", "a.html"))), tmp_path / "c1")
    second = known(list_inputs(source(fill(tmp_path / "two", "a.html"))), tmp_path / "c2")
    assert first["a.html"].digest == second["a.html"].digest
    assert len(first["a.html"].digest) == 32


def test_a_file_that_cannot_be_read_is_tried_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder, corpus = fill(tmp_path / "in", "a.html"), tmp_path / "corpus"

    def refuse(uri: str) -> Any:
        def open_it() -> Any:
            raise PermissionError(13, "Permission denied", uri)

        return open_it

    with monkeypatch.context() as patch:
        patch.setattr(inputs, "opener", refuse)
        assert known(list_inputs(source(folder)), corpus)["a.html"].digest == "unreadable"
    assert len(known(list_inputs(source(folder)), corpus)["a.html"].digest) == 32


def test_a_reference_has_a_digest_and_another_one_as_a_document(tmp_path: Path) -> None:
    folder, corpus = fill(tmp_path / "in", "a.html", "a.truth.txt"), tmp_path / "corpus"
    with_reference = source(folder, reference="{stem}.truth.*")
    first = known(list_inputs(with_reference), corpus)["a.truth.txt"].digest
    (folder / "a.truth.txt").write_text("another truth")
    second = known(list_inputs(with_reference), corpus)["a.truth.txt"].digest
    alone = known(list_inputs(source(folder)), corpus)["a.truth.txt"].digest
    assert len({first, second, alone}) == 3
    assert second == f"skipped {alone}"


def archive(records: int) -> bytes:
    """A WARC of gzip members, each of about 1 kB stored."""
    members = []
    for n in range(records):
        body = b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n\r\n" + os.urandom(1000)
        head = (
            f"WARC/1.0\r\nWARC-Type: response\r\nWARC-Record-ID: <urn:uuid:{n:032d}>\r\n"
            f"WARC-Date: 2024-01-01T00:00:00Z\r\nWARC-Target-URI: http://a.example/{n}\r\n"
            f"Content-Type: application/http; msgtype=response\r\nContent-Length: {len(body)}\r\n\r\n"
        ).encode()
        members.append(gzip.compress(head + body + b"\r\n\r\n", mtime=0))
    return b"".join(members)


def test_archives_are_cut_and_the_cuts_remembered(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder, corpus = tmp_path / "in", tmp_path / "corpus"
    folder.mkdir()
    (folder / "big.warc.gz").write_bytes(archive(20))
    (folder / "small.warc.gz").write_bytes(archive(1))
    found = known(list_inputs(source(folder, "warc")), corpus, cut=5_000, kind="warc")
    assert found["small.warc.gz"].cuts == [0]
    assert found["big.warc.gz"].cuts == warc_cuts(opener(found["big.warc.gz"].uri), 5_000)
    assert 3 <= len(found["big.warc.gz"].cuts) <= 6
    monkeypatch.setattr("extractors.warc.cuts", lambda *_: pytest.fail("cut again"))
    assert known(list_inputs(source(folder, "warc")), corpus, cut=5_000, kind="warc") == found
    with pytest.raises(pytest.fail.Exception, match="cut again"):
        known(list_inputs(source(folder, "warc")), corpus, cut=6_000, kind="warc")
