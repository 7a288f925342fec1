import gzip
import io
import json
from pathlib import Path

import pytest
from warcio.statusandheaders import StatusAndHeaders
from warcio.warcwriter import WARCWriter

from benchmarks import fidelity_html
from extractors.record import Extract, Record

SENTENCES = [
    "The harbour master keeps the book of tides and reads from it to whoever comes to ask him.",
    "Most of those who come are children, who like the names of the stars that are in it as well.",
    "On Sundays he closes the office, and the tides of that day are read out in the church instead.",
    "Nobody remembers who began with this, but it is said that the pilots wanted it to be so.",
]


@pytest.fixture
def data(tmp_path: Path) -> Path:
    folder = tmp_path / "html"
    folder.mkdir()
    body = "<title>Tides</title><h1>Tides</h1>" + "".join(f"<p>{sentence}</p>" for sentence in SENTENCES)
    gold = {"text": " ".join(SENTENCES), "title": "Tides", "date": "20120117"}
    entries = [
        {"url": "http://one.example/2012/01/17/tides", "set": "a", "lang": "English", **gold},
        {"url": "http://two.example/", "set": "a", "page_type": "forum", **gold},
        {"url": "http://three.example/", "set": "b", **gold, "title": "Ebb", "text": "nothing of this"},
    ]
    with (folder / "pages.warc.gz").open("wb") as file:
        writer = WARCWriter(file, gzip=True)
        for entry in [*entries, {"url": "http://unknown.example/"}]:
            headers = StatusAndHeaders("200 OK", [("Content-Type", "text/html")], protocol="HTTP/1.1")
            payload = io.BytesIO(f"<html><body>{body}</body></html>".encode())
            writer.write_record(
                writer.create_warc_record(str(entry["url"]), "response", payload=payload, http_headers=headers)
            )
    with gzip.open(folder / "gold.jsonl.gz", "wt", encoding="utf-8") as lines:
        lines.writelines(json.dumps(entry) + "\n" for entry in entries)
    return tmp_path


@pytest.mark.parametrize(
    ("found", "gold", "scores"),
    [
        ("A b b c", "a B", (2 / 3, 0.5, 1.0)),
        ("潮汐表", "潮水", (0.4, 1 / 3, 0.5)),
        ("Cafe\u0301", "café", (1.0, 1.0, 1.0)),
        ("", "a", (0.0, 0.0, 0.0)),
        ("a", "", (0.0, 0.0, 0.0)),
    ],
)
def test_score(found: str, gold: str, scores: tuple[float, float, float]) -> None:
    assert fidelity_html.score(found, gold) == pytest.approx(scores)


def test_tables_have_all_engines_and_sets(data: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    def broken(record: Record) -> Extract:
        raise ValueError("no")

    engines = {"ours": fidelity_html.ours, "broken": broken}
    monkeypatch.setattr(fidelity_html, "_engines", lambda: (engines, ["absent"]))
    found = fidelity_html.tables(data, tmp_path / "texts")
    rows = [[cell.strip() for cell in line.split("|")[1:-1]] for line in found.splitlines() if line.startswith("|")]
    texts = {row[0]: row[1:] for row in rows if "/" in row[-1]}
    assert texts["a"] == ["2", "1.000 / 1.000 / 1.000", "0.000 / 0.000 / 0.000"]
    assert texts["b"][0] == "1"
    assert {"ALL", "a: English", "a: forum"} <= set(texts)
    metadata = {row[0]: row[1:] for row in rows if len(row) == 4 and row[0] in engines}
    assert metadata["ours"] == ["0.667 / 0.667", "0.333 / 0.333", "0.000"]
    assert metadata["broken"] == ["0.000 / 0.000", "0.000 / 0.000", "0.000"]
    assert "absent: not installed" in found
    lines = (tmp_path / "texts" / "ours.jsonl").read_text().splitlines()
    assert json.loads(lines[1]) == {"url": "http://two.example/", "text": "\n".join(SENTENCES)}


def test_engines_read_a_page(data: Path) -> None:
    record, known = next(fidelity_html.pages(data))
    for engine in fidelity_html._engines()[0].values():
        assert SENTENCES[1] in engine(record).text
    assert fidelity_html.with_metadata(record).title == known["title"]


def test_a_folder_without_pages_is_refused(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match=r"pages\.warc\.gz"):
        fidelity_html.tables(tmp_path)
