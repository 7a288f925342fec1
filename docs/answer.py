"""Fills the answers into docs/questions.md: python docs/answer.py CORPUS"""

from __future__ import annotations

import re
import sys
from pathlib import Path

from catalog import files, reports, store

PAGE = Path(__file__).resolve().parent / "questions.md"
_QUESTION = re.compile(r"```sql\n(.*?)```\n(?:\n\|.*?\n(?=\n|\Z))?", re.DOTALL)


def answered(page: str, corpus: Path) -> str:
    """The page with the answer of this corpus below each query."""
    with store.reading(files.existing(corpus)) as connection:

        def fill(match: re.Match[str]) -> str:
            found = reports.rows(connection, match[1])
            return f"```sql\n{match[1]}```\n\n{reports.table(found)}\n"

        return _QUESTION.sub(fill, page)


if __name__ == "__main__":
    PAGE.write_text(answered(PAGE.read_text(encoding="utf-8"), Path(sys.argv[1])), encoding="utf-8")
