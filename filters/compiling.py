"""Whether numba (`florilege[fast]`) can be used, and where it keeps what it compiles."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

# Compiled into other modules' functions, which numba cannot see.
_CONSTANTS = ("characters.py", "minhash_tables.py", "minhash_kernel.py")


@cache
def available() -> bool:
    """Whether numba is there and can be imported: not with a NumPy newer than it knows, nor without its LLVM."""
    try:
        import numba  # noqa: F401
    except (ImportError, RuntimeError, OSError):
        return False
    return True


def cache_folder() -> Path | None:
    """The user's folder for compiled code, one a version of the constants in it; None where it cannot be written."""
    try:
        home = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
        constants = b"".join((Path(__file__).parent / name).read_bytes() for name in _CONSTANTS)
        folder = Path(home) / "florilege" / f"numba-{hashlib.sha256(constants).hexdigest()[:16]}"
        folder.mkdir(parents=True, exist_ok=True)
    except (OSError, RuntimeError):  # a user without a home is a RuntimeError
        return None
    return folder if os.access(folder, os.W_OK) else None


def compiled(**options: Any) -> Callable[[Any], Any]:
    """A decorator: `numba.njit` with `options`, cached in `cache_folder` or the user's `NUMBA_CACHE_DIR`."""

    def decorate(function: Any) -> Any:
        from numba import njit

        with_cache = _cached(function, options)
        return njit(**options)(function) if with_cache is None else with_cache

    return decorate


def _cached(function: Any, options: dict[str, Any]) -> Any:
    """None where there is no place for a cache."""
    from numba import config, njit

    users = config.CACHE_DIR  # type: ignore[attr-defined]
    folder = users or cache_folder()
    if not folder:
        return None
    # numba asks for the place when it decorates: nobody else's functions have to go there.
    config.CACHE_DIR = str(folder)  # type: ignore[attr-defined]
    try:
        return njit(cache=True, **options)(function)
    except RuntimeError:
        return None
    finally:
        config.CACHE_DIR = users  # type: ignore[attr-defined]
