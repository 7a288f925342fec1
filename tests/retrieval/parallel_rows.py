"""Acts in several languages for the tests of benchmarks."""

from __future__ import annotations

from typing import Any

_WORDS = "alder birch cedar dogwood elm fir ginkgo hazel ivy juniper larch maple oak pine rowan spruce willow yew"
_FRENCH = "aune bouleau cèdre cornouiller orme sapin ginkgo noisetier lierre genévrier mélèze érable chêne pin sorbier"


def body(language: str, seed: int, size: int = 30) -> str:
    """Words without a sense or a number, others for every seed."""
    name = "".join("abcdefghij"[int(digit)] for digit in str(seed))
    words = (_WORDS if language == "en" else _FRENCH).split()
    return " ".join(f"{words[(seed * 7 + n * (seed + 3)) % len(words)]}{language}{name}{n % 7}" for n in range(size))


def act(number: int, language: str, articles: list[tuple[str, str]], **columns: Any) -> dict[str, Any]:
    """An act of articles, each a heading and a text."""
    text, sections = f"Act {number}\n", []
    for n, (heading, said) in enumerate(articles, start=1):
        label = f"Article {n}"
        lines = [label, heading, said] if heading else [label, said]
        sections.append({
            "start": len(text), "kind": "article", "anchor": f"art_{n}", "heading": f"{label} {heading}".strip(),
        })  # fmt: skip
        text += "\n".join(lines) + "\n"
    return {
        "id": f"{number:04}{language}", "text": text, "title": f"Act {number}", "language": language,
        "declared_language": language, "sections": sections, "page_offsets": None, "celex": f"32020R{number:04}",
        "meta": None, "licence": None, "work": f"celex:32020R{number:04}", **columns,
    }  # fmt: skip


def acts(count: int = 2, articles: int = 3) -> list[dict[str, Any]]:
    """Acts in English and French; every article has a heading and a text of its own."""
    return [
        act(number, language, [
            (f"Heading on matter {language} {number} {n}", body(language, number * 100 + n)) for n in range(articles)
        ])
        for number in range(1, count + 1) for language in ("en", "fr")
    ]  # fmt: skip
