import pytest

from benchmarks.wds_curves import BYTES, curves, letters


def test_curves_by_script_and_size() -> None:
    found = curves(iter(["casa " * 100, "дом " * 100, "mesa " * 100]))
    assert set(found) == {"latin", "alphabet"}
    (share, texts), *_ = found["latin"]
    assert texts == 2
    assert share is not None
    assert 0 < share < 1
    assert found["latin"][BYTES.index(1_000)] == (None, 0)


@pytest.mark.parametrize(("text", "expected"), [("Año 12.", 3), ("法律1", 2), ("e\u0301", 1)])
def test_letters(text: str, expected: int) -> None:
    assert letters(text) == expected
