import gzip
import json

from benchmarks import pii


def row(text, *spans):
    return {
        "full_text": text,
        "spans": [
            {"entity_type": kind, "entity_value": value, "start_position": text.index(value),
             "end_position": text.index(value) + len(value)}
            for kind, value in spans
        ],
    }  # fmt: skip


ROWS = [
    row(
        "Ann, ann@b.org, Tel. 02 295 12 34",
        ("PERSON", "Ann"),
        ("EMAIL_ADDRESS", "ann@b.org"),
        ("PHONE_NUMBER", "02 295"),
    ),
    row("card 4111111111111111 or 4111111111111112", ("CREDIT_CARD", "4111111111111112")),
]


def test_scores():
    counts = pii.scores(ROWS)
    assert counts["email"] == {"wanted": 1, "hit": 1, "exact": 1, "found": 1, "right": 1}
    assert counts["phone"] == {"wanted": 1, "hit": 1, "exact": 0, "found": 1, "right": 1}
    assert counts["card"] == {"wanted": 1, "hit": 0, "exact": 0, "found": 1, "right": 0}
    assert counts["iban"] == {}


def test_calibration_and_invalid_values():
    by_score = pii.calibration(ROWS)
    assert sum(n["found"] for n in by_score.values()) == 3 and sum(n["right"] for n in by_score.values()) == 2
    assert pii.invalid(ROWS) == {"card": (1, 1)}


def test_report(tmp_path):
    (tmp_path / pii.SYNTHETIC).parent.mkdir(parents=True)
    (tmp_path / pii.SYNTHETIC).write_text(json.dumps(ROWS))
    (tmp_path / "html").mkdir()
    (tmp_path / "erudit").mkdir()
    (tmp_path / "erudit" / "a.xml").write_text("<article><corps>Call +32 2 295 12 34</corps></article>")
    (tmp_path / "eurlex" / "1").mkdir(parents=True)
    (tmp_path / "eurlex" / "1" / "EN.html").write_text("<html><body><p>No act</p></body></html>")
    with gzip.open(tmp_path / "html" / "gold.jsonl.gz", "wt") as lines:
        lines.write(json.dumps({"text": "write to me@here.org"}) + "\n")
    shown = pii.report(tmp_path, 5, 1)
    assert "| email | 1 | 1 | 1.000" in shown and "[[me@here.org]]" in shown and "[[+32 2 295 12 34]]" in shown
