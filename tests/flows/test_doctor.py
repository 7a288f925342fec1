from __future__ import annotations

from pathlib import Path

import pytest

from extractors import ocr
from flows import doctor


def tesseract(folder: Path) -> doctor.Finding:
    (found,) = [finding for finding in doctor.examine(folder) if finding.check == "tesseract"]
    return found


def test_a_machine_that_runs_the_tests_is_fit(tmp_path: Path) -> None:
    found = doctor.examine(tmp_path)
    assert [finding for finding in found if finding.state == "error"] == []
    assert all(finding.remedy for finding in found if finding.state != "ok")


def test_the_languages_of_tesseract_are_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ocr, "_installation", lambda: ("tesseract 5.3.0", frozenset({"fra", "eng", "osd"})))
    assert tesseract(tmp_path).found == "tesseract 5.3.0; languages: en, fr"


def test_an_absent_tesseract_is_no_error_and_has_a_remedy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def absent() -> tuple[str, frozenset[str]]:
        raise ocr.OcrError("the program tesseract is absent: apt-get install tesseract-ocr")

    monkeypatch.setattr(ocr, "_installation", absent)
    found = tesseract(tmp_path)
    assert found.state == "ok"
    assert "only for extract.ocr" in found.found and "apt-get install tesseract-ocr" in found.found
