"""A TOML file as a checked model: what is wrong with it is said with file, key, value and valid choices."""

from __future__ import annotations

import difflib
import tomllib
import typing
from glob import escape
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from catalog.errors import ConfigError

_Model = TypeVar("_Model", bound=BaseModel)


def read(path: Path, model: type[_Model]) -> _Model:
    """The file as `model`.

    Raises:
        ConfigError: names the file, the key, the value and the valid choices.
    """
    raw = parsed(path)
    try:
        return model.model_validate(raw)
    except ValidationError as error:
        raise ConfigError(explain(path, error, model)) from None


def parsed(path: Path) -> dict[str, Any]:
    """What stands in the file. Raises ConfigError."""
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise ConfigError(f"{path}: no such recipe; `florilege init` writes one to start from") from None
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise ConfigError(f"{path}: not a TOML file: {error}") from error


def tables(path: Path) -> set[str]:
    """Names at the top of the file, for a first look; none where it cannot be read, which is for `read` to say."""
    try:
        return set(parsed(path))
    except ConfigError:
        return set()


def explain(where: Path | str, error: ValidationError, model: type[BaseModel]) -> str:
    """A line for each thing to mend."""
    lines = [f"{where}: {error.error_count()} thing(s) to mend"]
    for item in error.errors(include_url=False):
        key = ".".join(str(part) for part in item["loc"]) or "(recipe)"
        if item["type"] == "extra_forbidden":
            valid = _valid_keys(model, item["loc"])
            near = difflib.get_close_matches(str(item["loc"][-1]), valid, 1)
            meant = f"; did you mean {near[0]}?" if near else ""
            lines.append(f"  {key}: unknown key; valid here: {', '.join(valid) or 'none'}{meant}")
        elif item["type"] == "missing":
            lines.append(f"  {key}: missing")
        else:
            said = item["msg"].removeprefix("Value error, ").replace("a valid tuple", "a list: [...]")
            lines.append(f"  {key} = {item['input']!r}: {said}" if item["loc"] else f"  {said}")
    return "\n".join(lines)


def absolute(base: Path, path: str) -> str:
    """The path from `base` on; where it is a glob, the names above it are taken as they are."""
    if "://" in path or Path(path).expanduser().is_absolute():
        return path if "://" in path else str(Path(path).expanduser())
    glob = any(sign in path for sign in "*?[") and not (base / path).exists()
    return str(Path(escape(str(base)) if glob else base) / Path(path).expanduser())


def _valid_keys(model: type[BaseModel], location: tuple[int | str, ...]) -> list[str]:
    """Field names of the table that an unknown key stands in."""
    table = model
    for part in location[:-1]:
        if isinstance(part, str) and part in table.model_fields:
            table = _model_in(table.model_fields[part].annotation) or table
    return [field.alias or name for name, field in table.model_fields.items()]


def _model_in(annotation: Any) -> type[BaseModel] | None:
    """The model that an annotation is, or holds: `Source`, `list[Source]`, `Negatives | None`."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    return next((found for part in typing.get_args(annotation) if (found := _model_in(part))), None)
