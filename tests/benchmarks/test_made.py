from pathlib import Path

import made

from extractors import warc
from extractors.record import Record


def records(path: Path) -> list[Record]:
    return list(warc.read(lambda: path.open("rb"), source="s", path=path.name, max_payload=64 << 20))


def write(path: Path, bodies: list[bytes]) -> None:
    path.write_bytes(b"".join(made._member(made._response(n, "text/html", b)) for n, b in enumerate(bodies)))


BODIES = [b"<html><body><p>one</p></body></html>", b"<html><body><p>two</p></body></html>" * 50]


def test_copies_have_the_same_payloads_under_other_urls(tmp_path: Path) -> None:
    write(tmp_path / "in.warc.gz", BODIES)
    made.copies(tmp_path / "in.warc.gz", tmp_path / "out.warc.gz", 3)
    found = records(tmp_path / "out.warc.gz")
    assert [r.payload for r in found] == BODIES * 3
    urls = [r.url or "" for r in found]
    assert len(set(urls)) == 6
    assert [made.original(url) for url in urls] == urls[:2] * 3


def test_one_copy_is_the_file_itself(tmp_path: Path) -> None:
    write(tmp_path / "in.warc.gz", BODIES)
    made.copies(tmp_path / "in.warc.gz", tmp_path / "out.warc.gz", 1)
    assert (tmp_path / "in.warc.gz").read_bytes() == (tmp_path / "out.warc.gz").read_bytes()


def test_halves_hold_every_record_once(tmp_path: Path) -> None:
    write(tmp_path / "in.warc.gz", [f"<html><p>{n}</p></html>".encode() for n in range(20)])
    made.halves(tmp_path / "in.warc.gz", tmp_path / "halves")
    first, second = (records(tmp_path / "halves" / f"half-{n}.warc.gz") for n in (1, 2))
    assert first and second
    assert [r.url for r in first + second] == [r.url for r in records(tmp_path / "in.warc.gz")]


def test_the_large_archive_is_as_large_and_holds_as_many_records_as_it_says(tmp_path: Path) -> None:
    path = tmp_path / "large.warc.gz"
    count = made.large(path, 1_000_000)
    assert path.stat().st_size > 1_000_000
    found = records(path)
    assert len(found) == count
    assert sum(r.format == "html" and r.error is None for r in found) == 61
    assert max(len(r.payload) for r in found) > 10_000_000
