"""Numba that is there and cannot be used, and compiled code without a place for it."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from filters import compiling

PROGRAM = """
import pyarrow as pa
from filters import compiling, minhash, minhash_bulk
from filters.language import LanguageModel

found = minhash_bulk.signed(pa.array(["one two three four five six"]), 4)
assert found.minima[0].tolist() == minhash.hashvalues("one two three four five six", 4).tolist()
print(compiling.available(), compiling.cache_folder(), LanguageModel.load().predict("Some words to read.")[0][0])
"""


def run(**environment: str) -> list[str]:
    values = {name: value for name, value in os.environ.items() if name not in {"XDG_CACHE_HOME", "NUMBA_CACHE_DIR"}}
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM], env=values | environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.split()


@pytest.mark.parametrize("error", ["ImportError('Numba needs NumPy 2.3 or less')", "OSError('no LLVM')"])
def test_numba_that_cannot_be_imported_is_not_used(tmp_path: Path, error: str) -> None:
    (tmp_path / "numba").mkdir()
    (tmp_path / "numba" / "__init__.py").write_text(f"raise {error}\n")
    assert run(PYTHONPATH=f"{tmp_path}{os.pathsep}{Path.cwd()}", XDG_CACHE_HOME=str(tmp_path))[0::2] == ["False", "en"]


def test_the_cache_is_in_the_users_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    folder = compiling.cache_folder()
    assert folder is not None and folder.is_dir() and folder.parent == tmp_path / "florilege"


def test_no_cache_where_it_cannot_be_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "file"))
    assert compiling.cache_folder() is None


def test_a_user_without_a_home_has_no_cache(monkeypatch: pytest.MonkeyPatch) -> None:
    def homeless() -> Path:
        raise RuntimeError("Could not determine home directory.")

    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    monkeypatch.setattr(Path, "home", homeless)
    assert compiling.cache_folder() is None


def test_functions_are_compiled_with_and_without_a_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    numba = pytest.importorskip("numba")
    before = numba.config.CACHE_DIR
    (tmp_path / "file").write_text("")
    for place in ("cache", "file"):
        monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / place))
        assert compiling.compiled(nogil=True)(_doubled)(4) == 8
        assert before == numba.config.CACHE_DIR
    assert any((tmp_path / "cache").rglob("*.nbi"))


def _doubled(number: int) -> int:
    return 2 * number
