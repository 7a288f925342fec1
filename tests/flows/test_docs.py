"""The documentation shows what the demo gives."""

import importlib.util
from pathlib import Path

from commands import Demo

from catalog.reference import reference

ROOT = Path(__file__).resolve().parents[2]


def test_the_answers_in_questions_are_those_of_the_demo(demo: Demo) -> None:
    spec = importlib.util.spec_from_file_location("answer", ROOT / "docs" / "answer.py")
    assert spec and spec.loader
    answer = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(answer)
    page = answer.PAGE.read_text(encoding="utf-8")
    assert page.count("```sql") == 10
    assert answer.answered(page, demo.corpus) == page


def test_the_readme_shows_the_funnel_of_the_demo(demo: Demo) -> None:
    shown = (ROOT / "README.md").read_text(encoding="utf-8").split("its funnel:\n\n```\n")[1].split("```")[0]
    lines = [line.rstrip() for line in shown.splitlines() if line.strip()]
    printed = [line.rstrip() for line in demo.output.splitlines() if line.strip()]
    assert lines
    assert [line for line in lines if line not in printed] == []


def test_the_tables_page_is_generated_from_the_schema() -> None:
    assert (ROOT / "docs" / "tables.md").read_text(encoding="utf-8") == reference()
