from pathlib import Path

import pytest

from benchmarks import neardup
from filters.words import words

DATA = Path(__file__).resolve().parents[2] / ".." / "shared" / "data" / "neardup"
needs_data = pytest.mark.skipif(not DATA.exists(), reason="the real data is not beside the project")


@pytest.fixture(scope="module")
def judged() -> list[neardup.Pair]:
    return neardup.pairs(DATA / neardup.JUDGEMENTS)


def test_scores() -> None:
    values, near = [0.9, 0.8, 0.6, 0.1], [True, False, True, False]
    assert neardup.score(values, near, 0.8) == (0.5, 0.5, 0.5)
    assert neardup.score(values, near, 0.5) == (2 / 3, 1.0, 0.8)
    assert neardup.score(values, near, 0.95) == (1.0, 0.0, 0.0)
    assert 0.1 < neardup.best(values, near) <= 0.6
    assert neardup.area(values, near) == 0.75
    assert neardup.area([0.5, 0.5], [True, False]) == 0.5


def test_pairs_are_read(tmp_path: Path) -> None:
    texts = ("one two three four five six", "One, two three four five six!")
    for name, label in (("a__to__b", "3\n"), ("c__to__d", "unkown\n")):
        (tmp_path / name).mkdir()
        for file, text in zip(
            ("label", "metadata", "src-doc", "target-doc"), (label, "S3: 0.5\n", *texts), strict=True
        ):
            (tmp_path / name / file).write_text(text)
    first, second = neardup.pairs(tmp_path)
    assert (first.grade, second.grade) == (3.0, None)
    assert first.similarity == {"word 5-grams": 1.0, "estimated": 1.0, "words": 1.0, "S3": 0.5}
    assert set(first.found.values()) == {True}


def test_lines_that_two_texts_have_are_marked() -> None:
    shared = "Accept all cookies and go on"
    found = neardup.repeated_lines({"a": f"{shared}\nfirst", "b": f"second\n  {shared.upper()} ", "c": "third"})
    assert found == {"a": [shared], "b": [shared.upper()], "c": []}


@pytest.mark.real
@needs_data
def test_the_grades_and_their_score(judged: list[neardup.Pair]) -> None:
    grades = [pair.grade for pair in judged]
    assert {grade: grades.count(grade) for grade in set(grades)} == {None: 41, 0.5: 62, 1.0: 31, 2.0: 20, 3.0: 31}
    place = sorted((DATA / neardup.JUDGEMENTS).glob("*/label"))[0].parent
    a, b = (set(eights(place / name)) for name in ("src-doc", "target-doc"))
    assert 2 * len(a & b) / (len(a) + len(b)) == pytest.approx(judged[0].similarity["S3"], abs=0.02)


def eights(path: Path) -> list[tuple[str, ...]]:
    found = words(path.read_text("utf-8"))
    return list(zip(*(found[k:] for k in range(8)), strict=False))


@pytest.mark.real
@needs_data
@pytest.mark.parametrize(("least", "f1", "area"), [(3.0, 0.72, 0.92), (2.0, 0.74, 0.88)])
def test_shingles_tell_near_duplicates_apart(judged: list[neardup.Pair], least: float, f1: float, area: float) -> None:
    known = [pair for pair in judged if pair.grade is not None]
    near = [pair.grade is not None and pair.grade >= least for pair in known]
    for name in ("word 5-grams", "estimated"):
        values = [pair.similarity[name] for pair in known]
        assert neardup.score(values, near, neardup.best(values, near)).f1 > f1
        assert neardup.area(values, near) > area > 0.5
        assert neardup.area(values, near) > neardup.area([pair.similarity["S3"] for pair in known], near)


@pytest.mark.real
@needs_data
def test_bands_find_what_the_formula_says(judged: list[neardup.Pair]) -> None:
    from filters.minhash import collision

    for scheme in neardup.SCHEMES:
        hoped = [collision(pair.similarity["word 5-grams"], *scheme) for pair in judged]
        spread = sum(p * (1 - p) for p in hoped) ** 0.5
        assert abs(sum(pair.found[scheme] for pair in judged) - sum(hoped)) < 3 * spread


@pytest.mark.real
@needs_data
def test_the_licences_of_one_template_are_found_and_the_other_is_not() -> None:
    table = neardup.fixtures(DATA / neardup.FIXTURES)
    [alike] = [line for line in table.splitlines() if line.startswith("| rails_mit_license, react_mit_license")]
    others = [line for line in table.splitlines() if line.startswith("| pytorch_license")]
    assert alike.count("found") == 2
    assert len(others) == 2 and not any("found" in line for line in others)
