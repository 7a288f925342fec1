"""The recipe: one TOML file that says what to build, from what, with which settings, and where it runs."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationInfo, field_validator

from catalog.errors import ConfigError
from flows.recipe_file import absolute, read, tables
from flows.schedules import HARVESTS, Schedule

Name = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9_-]{0,39}$")]


def unique(what: str, names: list[str]) -> None:
    if twice := sorted({name for name in names if names.count(name) > 1}):
        raise ValueError(f"two {what} have the same name: {', '.join(twice)}")


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
    also: tuple[str, ...] = ()
    """Further models, whose answers are recorded beside the first one's."""


class MinHash(_Table):
    """Near-duplicate detection: two documents are candidates when one of `bands` bands of `rows` rows is equal."""

    bands: int = Field(14, ge=1, le=64)
    rows: int = Field(8, ge=1, le=32)
    seed: int = 1


class Dedup(_Table):
    """What makes two documents duplicates, among which documents they are looked for, and what becomes of them."""

    by: tuple[Literal["payload", "url", "text", "near"], ...] = ("text", "near")
    scope: Literal["global", "language", "source"] = "global"
    verify: float | None = Field(None, gt=0, le=1)
    """Least Jaccard similarity of near-duplicates, computed from their texts; none: an equal band is enough."""
    versions: Literal["drop", "link"] = "drop"
    """Whether dated consolidations of one act (CELEX) are near-duplicates like others, or all kept and linked."""
    repeated_in: int = Field(10, ge=2)
    """Documents of one source that must share a line for it to be marked as repeated."""


class UrlList(_Table):
    name: Name
    path: str
    """File of domains and URLs, one a line; relative paths start at the recipe's folder."""
    sha256: str | None = None
    """Digest that the file must have."""


class Rights(_Table):
    """Whose rules apply to the pages of archives; the thresholds decide what follows from them."""

    agents: tuple[str, ...] = Field(("florilege",), min_length=1)
    """Names under which robots.txt is asked: where it has no group for one, that of `*` counts. HPLT 3.0 asks as
    ia_archiver, ccbot and *."""
    url_lists: tuple[UrlList, ...] = ()
    adult_words: bool = False
    """Whether addresses with HPLT's words for adult pages count as listed; they hit Essex and YouTube too."""

    @field_validator("url_lists")
    @classmethod
    def _names_are_unique(cls, lists: tuple[UrlList, ...]) -> tuple[UrlList, ...]:
        unique("URL lists", [listed.name for listed in lists])
        return lists


class Classifier(_Table):
    """A quality classifier, trained from the corpus itself: the texts of some sources against those of others."""

    trusted: tuple[Name, ...] = ()
    against: tuple[Name, ...] = ()
    documents: int = Field(20_000, ge=100)
    """Documents of each side that it learns from, at most."""


class Thresholds(_Table):
    preset: str = "default"
    set: dict[str, dict[str, float | str]] = {}
    """Per signal, limits that replace the preset's: `words = {min = 100}`, `lcs = {min = "off"}`."""
    languages: dict[str, dict[str, dict[str, float | str]]] = {}
    """The same for documents in one language: `fr`, or with its script `sr-Cyrl`."""


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
    dedup: Dedup = Dedup()
    rights: Rights = Rights()
    classifier: Classifier = Classifier()
    thresholds: Thresholds = Thresholds()
    engine: Engine = Engine()
    schedule: Schedule | None = None
    """When it is built again by `florilege serve`; no part of what is built."""

    @field_validator("output")
    @classmethod
    def _output_is_a_folder(cls, output: str) -> str:
        if "://" in output:
            raise ValueError("the corpus is built in a folder of this machine or its network, not at a URL")
        return output

    @field_validator("sources")
    @classmethod
    def _names_are_unique(cls, sources: list[Source]) -> list[Source]:
        unique("sources", [source.name for source in sources])
        for source in sources:
            if source.reference and source.kind != "files":
                raise ValueError(f"source {source.name}: `reference` is for kind `files`, not {source.kind}")
            if source.reference and "{stem}" not in source.reference:
                raise ValueError(f"source {source.name}: reference = {source.reference!r}: no `{{stem}}` in it")
        return sources

    @field_validator("classifier")
    @classmethod
    def _classifier_has_two_sides(cls, classifier: Classifier, info: ValidationInfo) -> Classifier:
        if "sources" not in info.data:
            return classifier  # they are wrong themselves
        names = {source.name for source in info.data["sources"]}
        sides = (set(classifier.trusted), set(classifier.against))
        if bool(sides[0]) != bool(sides[1]) or sides[0] & sides[1]:
            raise ValueError("name sources both as `trusted` and as `against`, and none as both")
        if unknown := sorted((sides[0] | sides[1]) - names):
            raise ValueError(f"no source is called {', '.join(unknown)}; there are: {', '.join(sorted(names))}")
        return classifier

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
    if harvests := [kind for kind in HARVESTS if kind in tables(path)]:
        raise ConfigError(f"{path}: is a recipe of a harvest: `florilege {harvests[0]} {path}`")
    recipe = read(path, Recipe)
    base = path.resolve().parent
    sources = [s.model_copy(update={"path": absolute(base, s.path)}) for s in recipe.sources]
    language = recipe.language.model_copy(update={
        "model": _model(base, recipe.language.model), "also": tuple(_model(base, m) for m in recipe.language.also),
    })  # fmt: skip
    lists = tuple(u.model_copy(update={"path": absolute(base, u.path)}) for u in recipe.rights.url_lists)
    resolved = recipe.model_copy(update={
        "sources": sources, "language": language, "output": str((base / recipe.output).resolve()),
        "rights": recipe.rights.model_copy(update={"url_lists": lists}),
    })  # fmt: skip
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
        verdicts.resolve(recipe.thresholds.preset, recipe.thresholds.set, recipe.thresholds.languages)
    except ValueError as error:
        raise ConfigError(f"{path}: [thresholds]: {error}") from error


def _model(base: Path, name: str) -> str:
    """A model's name as it is, its file's path from `base` on."""
    return absolute(base, name) if "/" in name or name.endswith((".bin", ".ftz")) else name


def starter(file: str, kind: str = "build") -> str:
    """The text of a commented recipe to start from: of a build, or of a harvest of this kind."""
    from filters import verdicts

    template = (Path(__file__).parent / "starters" / f"{kind}.toml").read_text(encoding="utf-8")
    return template.replace("@FILE@", file).replace("@PRESETS@", ", ".join(sorted(verdicts.PRESETS)))
