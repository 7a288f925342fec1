"""Imports point one way: florilege -> flows -> {harvesters -> extractors, retrieval -> filters} -> catalog."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
ALLOWED = {
    "florilege": {"flows", "catalog"},
    "flows": {"flows", "harvesters", "extractors", "filters", "retrieval", "catalog"},
    "harvesters": {"harvesters", "extractors", "catalog"},
    "extractors": {"extractors"},
    "filters": {"filters", "catalog"},
    "retrieval": {"retrieval", "filters", "catalog"},
    "catalog": {"catalog"},
}
"""Who may import whom. Extractors know bytes and text only, not even the catalog."""
HOUSE = set(ALLOWED)
MODULES = [
    path
    for name in sorted(HOUSE)
    for path in ([ROOT / f"{name}.py"] if name == "florilege" else sorted((ROOT / name).rglob("*.py")))
]


def imported(text: str) -> Iterator[str]:
    """Top-level names that a module imports anywhere, inside functions too."""
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Import):
            yield from (alias.name.split(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield "(relative)" if node.level else (node.module or "").split(".")[0]


def owner(path: Path) -> str:
    return path.relative_to(ROOT).parts[0].removesuffix(".py")


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(ROOT)))
def test_the_arrows(path: Path) -> None:
    found = set(imported(path.read_text(encoding="utf-8")))
    assert found & HOUSE <= ALLOWED[owner(path)]
    assert "(relative)" not in found
    assert not found & {"tests", "benchmarks"}


def test_every_folder_is_seen() -> None:
    seen = {owner(path) for path in MODULES}
    assert seen >= {"florilege", "flows", "extractors", "filters", "catalog"}
    assert len(MODULES) > 40


def test_imports_in_functions_are_seen() -> None:
    assert set(imported("import a.b\ndef f():\n    from c.d import e\n    from . import g")) == {"a", "c", "(relative)"}


def test_no_module_is_named_like_a_library() -> None:
    """Prefect puts the folder of a flow on the path, so that `flows/ray.py` would hide Ray."""
    libraries = {name for path in MODULES for name in imported(path.read_text(encoding="utf-8"))} - HOUSE
    assert not {path.stem for path in (ROOT / "flows").glob("*.py")} & libraries
