"""The recipe: one TOML file that says what to build, from what, with which settings, and where it runs."""

from __future__ import annotations

import tomllib
from glob import escape
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from catalog.errors import ConfigError

Name = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9_-]{0,39}$")]


class _Table(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


class Source(_Table):
    """Where records come from."""

    name: Name
    kind: Literal["warc", "eurlex", "erudit", "files"]
    path: str
    """File, folder, glob (`**` too) or fsspec URL; relative paths start at the recipe's folder."""
    exclude: list[str] = []
    """Globs, relative to the source's root, of files to leave out."""
    reference: str | None = None
    """Name of the file that holds the same text, with `{stem}`: `{stem}.truth.*` (kind `files` only)."""


class Extract(_Table):
    """Limits of one extraction."""

    deadline_s: float = Field(30, gt=0)
    memory_mb: int = Field(1024, ge=256)
    max_payload_mb: int = Field(64, ge=1, le=1024)
    ocr: tuple[str, ...] = ()
    """Languages (BCP 47) of scans: pages of PDFs without text are recognised in them; none: they are marked only."""

    @field_validator("ocr")
    @classmethod
    def _languages_are_known(cls, languages: tuple[str, ...]) -> tuple[str, ...]:
        from extractors import ocr

        for tag in languages:
            ocr.tesseract_name(tag)
        return languages


class Language(_Table):
    model: str = "florilege-lid"
    """A known name or the path of a fastText model."""
    sha256: str | None = None
    """Digest that the model file must have."""


class MinHash(_Table):
    """Near-duplicate detection: two documents are candidates when one of `bands` bands of `rows` rows is equal."""

    bands: int = Field(14, ge=1, le=64)
    rows: int = Field(8, ge=1, le=32)
    seed: int = 1


class Thresholds(_Table):
    preset: str = "default"
    set: dict[str, dict[str, float | str]] = {}
    """Per signal, limits that replace the preset's: `words = {min = 100}`, `lcs = {min = "off"}`."""


class Ray(_Table):
    address: str = "local"
    """`auto` or the address of a running cluster; `local` starts one on this machine."""
    memory_gb_per_task: float = Field(1.5, gt=0)


class Slurm(_Table):
    partition: str = "main"
    time: str = "08:00:00"
    mem_per_cpu_gb: int = Field(4, ge=1)
    qos: str = ""
    venv_path: str | None = None
    """The virtual environment's `activate` file, seen from the nodes."""


class Engine(_Table):
    """Where shards are made."""

    kind: Literal["local", "ray", "slurm"] = "local"
    workers: int = Field(0, ge=0)
    """Shards made at the same time; 0: one a core."""
    shard_mb: float = Field(4, gt=0)
    """Input of one shard, MiB as stored: what is lost and made again when a machine dies."""
    ray: Ray = Ray()
    slurm: Slurm = Slurm()


class Recipe(_Table):
    name: Name
    output: str = "corpus"
    """The corpus folder; relative paths start at the recipe's folder."""
    sources: list[Source] = Field(min_length=1)
    extract: Extract = Extract()
    language: Language = Language()
    minhash: MinHash = MinHash()
    thresholds: Thresholds = Thresholds()
    engine: Engine = Engine()

    @field_validator("output")
    @classmethod
    def _output_is_a_folder(cls, output: str) -> str:
        if "://" in output:
            raise ValueError("the corpus is built in a folder of this machine or its network, not at a URL")
        return output

    @field_validator("sources")
    @classmethod
    def _names_are_unique(cls, sources: list[Source]) -> list[Source]:
        names = [source.name for source in sources]
        if twice := sorted({name for name in names if names.count(name) > 1}):
            raise ValueError(f"two sources have the same name: {', '.join(twice)}")
        for source in sources:
            if source.reference and source.kind != "files":
                raise ValueError(f"source {source.name}: `reference` is for kind `files`, not {source.kind}")
            if source.reference and "{stem}" not in source.reference:
                raise ValueError(f"source {source.name}: reference = {source.reference!r}: no `{{stem}}` in it")
        return sources

    def work_settings(self) -> dict[str, Any]:
        """The settings that decide what is in a shard; thresholds and the kind of engine are not among them."""
        return {
            "extract": self.extract.model_dump(),
            "ocr": _ocr_version(self.extract.ocr),
            "language": self.language.model_dump(),
            "minhash": self.minhash.model_dump(),
            "shard_mb": self.engine.shard_mb,
        }


def load(path: Path) -> Recipe:
    """Read a recipe; paths in it become absolute.

    Raises:
        ConfigError: names the file, the key, the value and the valid choices.
    """
    try:
        raw = tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise ConfigError(f"{path}: no such recipe; `florilege init` writes one to start from") from None
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise ConfigError(f"{path}: not a TOML file: {error}") from error
    try:
        recipe = Recipe.model_validate(raw)
    except ValidationError as error:
        raise ConfigError(_explain(path, error)) from None
    base = path.resolve().parent
    sources = [s.model_copy(update={"path": _absolute(base, s.path)}) for s in recipe.sources]
    language = recipe.language
    if "/" in language.model or language.model.endswith((".bin", ".ftz")):
        language = language.model_copy(update={"model": _absolute(base, language.model)})
    output = str((base / recipe.output).resolve())
    resolved = recipe.model_copy(update={"sources": sources, "language": language, "output": output})
    _check_thresholds(path, resolved)
    _check_ocr(path, resolved)
    return resolved


def _check_ocr(path: Path, recipe: Recipe) -> None:
    from extractors import ocr

    try:
        _ocr_version(recipe.extract.ocr)
    except ocr.OcrError as error:
        raise ConfigError(f"{path}: extract.ocr = {list(recipe.extract.ocr)!r}: {error}") from error


def _ocr_version(languages: tuple[str, ...]) -> str | None:
    """Who recognises pages; another version may recognise other words."""
    from extractors import ocr

    return ocr.check(languages) if languages else None


def _check_thresholds(path: Path, recipe: Recipe) -> None:
    from filters import verdicts

    try:
        verdicts.resolve(recipe.thresholds.preset, recipe.thresholds.set)
    except ValueError as error:
        raise ConfigError(f"{path}: [thresholds]: {error}") from error


def _absolute(base: Path, path: str) -> str:
    """The path from `base` on; where it is a glob, the names above it are taken as they are."""
    if "://" in path or Path(path).expanduser().is_absolute():
        return path if "://" in path else str(Path(path).expanduser())
    glob = any(sign in path for sign in "*?[") and not (base / path).exists()
    return str(Path(escape(str(base)) if glob else base) / Path(path).expanduser())


def _explain(path: Path, error: ValidationError) -> str:
    lines = [f"{path}: {error.error_count()} thing(s) to mend"]
    for item in error.errors(include_url=False):
        key = ".".join(str(part) for part in item["loc"]) or "(recipe)"
        if item["type"] == "extra_forbidden":
            lines.append(f"  {key}: unknown key; valid here: {', '.join(_valid_keys(item['loc']))}")
        elif item["type"] == "missing":
            lines.append(f"  {key}: missing")
        else:
            lines.append(f"  {key} = {item['input']!r}: {item['msg']}")
    return "\n".join(lines)


def _valid_keys(location: tuple[int | str, ...]) -> list[str]:
    """Field names of the table that an unknown key stands in."""
    table: type[BaseModel] = Recipe
    for part in location[:-1]:
        if isinstance(part, int):
            continue
        kind = Source if part == "sources" else table.model_fields[part].annotation
        if isinstance(kind, type) and issubclass(kind, BaseModel):
            table = kind
    return list(table.model_fields)


STARTER = """\
# A florilege recipe. `florilege check {file}` shows what it would do, `florilege build {file}` does it.
name = "my-corpus"
output = "corpus"                 # the corpus folder, beside this file

# Sources: a path, a folder, a glob (** too) or an fsspec URL. Relative paths start at this file.
[[sources]]
name = "web"
kind = "warc"                     # WARC and ARC: plain, .gz, .zst
path = "archives/**/*.warc.gz"

# [[sources]]
# name = "acts"
# kind = "eurlex"                 # CELEX/LANG.html, CELEX/LANG.pdf or .../CELEX_LANG.pdf
# path = "eurlex"

# [[sources]]
# name = "articles"
# kind = "erudit"                 # EruditArticle XML, with the PDF of the same name beside it
# path = "erudit"

# [[sources]]
# name = "loose"
# kind = "files"                  # HTML, PDF, XML and plain text
# path = "documents"
# reference = "{{stem}}.truth.*"    # the same text in another format: fidelity is measured against it

[extract]
deadline_s = 30                   # a page that takes longer is given up, alone
memory_mb = 1024
max_payload_mb = 64
# ocr = ["fr", "en"]              # recognise pages without text: needs 'florilege[ocr]' and Tesseract

[language]
model = "florilege-lid"           # or lid.176, glotlid-v3, openlid-v3 (downloaded once), or a path

[minhash]                         # of all pairs at Jaccard 0.69 half are found, at 0.8 92 %
bands = 14
rows = 8

[thresholds]
preset = "default"                # {presets}
# [thresholds.set]                # limits that replace the preset's
# words = {{min = 100}}
# language_score = {{min = 0.6}}
# lcs = {{min = "off"}}

[engine]
kind = "local"                    # local, ray or slurm
workers = 0                       # 0: one a core
shard_mb = 4                      # what is made again when a machine dies
"""


def starter(file: str) -> str:
    """The text of a commented recipe to start from."""
    from filters import verdicts

    return STARTER.format(file=file, presets=", ".join(sorted(verdicts.PRESETS)))
