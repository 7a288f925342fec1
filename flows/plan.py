"""The plan of a run: which input shards there are, and which of them are made already."""

from __future__ import annotations

import importlib.metadata
import sys
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass, field
from functools import cache
from pathlib import Path
from typing import Any, Literal

import xxhash

from catalog.errors import ConfigError
from catalog.files import Corpus, digest, read_json, write_json
from catalog.schema import VERSION
from flows.inputs import Input, identify, list_inputs
from flows.recipe import Recipe, Source

_FILES_A_SHARD = 200
_LIBRARIES = (
    "brotli", "charset-normalizer", "courlan", "fasttext", "htmldate", "justext", "lxml", "numpy", "pdfplumber",
    "pyarrow", "pypdfium2", "regex", "trafilatura", "xxhash", "zstandard",
)  # fmt: skip
"""Whose versions may change a document's text or signals."""
_LATER = (
    "classifier.py", "classifier_report.py", "components.py", "dedup.py", "differences.py", "fineweb2.toml",
    "language_thresholds.toml", "masking.py", "presets.toml", "suspicions.py", "url_lists.py", "verdicts.py",
    "verification.py",
)  # fmt: skip
"""Files of filters/ that work on finished shards."""


Keep = Literal["nothing", "inputs", "plan"]


@dataclass(slots=True)
class Piece:
    """A file, or the part of an archive from byte `start` up to `stop` (None: its end)."""

    path: str
    uri: str
    kind: str
    size: int
    digest: str
    start: int = 0
    stop: int | None = None
    meta: dict[str, Any] = field(default_factory=dict)
    reference: str | None = None
    reference_uri: str | None = None
    reference_digest: str | None = None
    skip: str | None = None

    @property
    def version(self) -> str:
        """What the outcome depends on: the kind of source, the file's digest and its reference's."""
        return f"{self.kind} {self.digest} {self.reference_digest or ''}".rstrip()

    @property
    def identity(self) -> list[Any]:
        return [self.path, self.version, self.start, self.stop]


@dataclass(slots=True)
class ShardSpec:
    """One input shard: what one task reads and what becomes one output shard."""

    shard: str
    source: str
    kind: str
    pieces: list[Piece]

    @property
    def bytes(self) -> int:
        return sum((p.stop or p.size) - p.start for p in self.pieces)


@dataclass(slots=True)
class Plan:
    """All input shards of a run; `pending` are those without a manifest."""

    run: str
    work: str
    code: str
    shards: list[ShardSpec]
    present: dict[str, dict[str, str]]
    """Per source, the version of every file that is there now."""

    def pending(self, corpus: Corpus) -> list[ShardSpec]:
        return [s for s in self.shards if not corpus.manifest("shards", s.shard).is_file()]


@cache
def code_version() -> str:
    """Version of florilege and digest of the code and library versions that decide what a shard holds."""
    root = Path(__file__).resolve().parent.parent
    hasher = xxhash.xxh3_64()
    files = [
        p
        for folder in ("extractors", "filters")
        for p in (root / folder).rglob("*")
        if p.suffix in (".py", ".toml", ".tsv", ".json") and p.name not in _LATER
    ]
    own = [root / "flows" / name for name in ("blocks.py", "extracts.py", "measures.py", "rows.py")]
    for path in sorted([*files, *own, root / "catalog" / "schema.py"]):
        hasher.update(path.read_bytes())
    versions = [importlib.metadata.version(name) for name in _LIBRARIES]
    python = ".".join(map(str, sys.version_info[:2]))
    hasher.update(" ".join([str(VERSION), python, *versions]))
    return f"{importlib.metadata.version('florilege')}+{hasher.hexdigest()[:12]}"


def make(
    recipe: Recipe, corpus: Corpus, note: Callable[[Source, Input], None] | None = None, keep: Keep = "plan"
) -> Plan:
    """List the sources and lay their files out in shards.

    A run is known by its recipe and its input. The same run takes up the plan it left, so a build that was killed
    ends with the same shards; files that a finished shard holds are never read again.

    Args:
        note: sees each file as soon as it is known.
        keep: what is written down: `nothing`, what was learnt about `inputs`, or the `plan` too, for which the
            caller holds the corpus.
    """
    models = _model_digests(recipe)
    code = code_version()
    inputs = {source.name: _inputs(source, recipe, corpus, note, keep != "nothing") for source in recipe.sources}
    work = digest([recipe.work_settings(), models, code])
    present = {s.name: {p.path: p.version for p in _pieces(s, inputs[s.name])} for s in recipe.sources}
    run = digest([recipe.name, work, present])
    stored = corpus.work / "runs" / run / "plan.json"
    if stored.is_file():
        plan = _relocate(load(stored), inputs)
        if keep == "plan" and plan != load(stored):
            write_json(stored, asdict(plan))
        return plan
    done = _done(corpus, work)
    shards = [
        spec
        for source in recipe.sources
        for spec in _shards(source, inputs[source.name], done.get(source.name, set()), work, recipe.engine.shard_mb)
    ]
    plan = Plan(run, work, code, shards, present)
    if keep == "plan":
        write_json(stored, asdict(plan))
    return plan


def _model_digests(recipe: Recipe) -> list[str]:
    """Digests of the language models' files, which are fetched now if they have to be."""
    from filters import model_files

    asked = [("model", recipe.language.model, recipe.language.sha256)]
    found = []
    for key, name, sha256 in [*asked, *(("also", name, None) for name in recipe.language.also)]:
        try:
            found.append(model_files.digest(model_files.find(name, sha256)[1]))
        except (model_files.ModelError, OSError) as error:
            raise ConfigError(f"language.{key} = {name!r}: {error}") from error
    return found


def _inputs(
    source: Source, recipe: Recipe, corpus: Corpus, note: Callable[[Source, Input], None] | None, keep: bool
) -> list[Input]:
    items = list_inputs(source)
    for item in identify(items, source, corpus, int(recipe.engine.shard_mb * 2**20), keep):
        if note:
            note(source, item)
    return items


def _done(corpus: Corpus, work: str) -> dict[str, set[tuple[Any, ...]]]:
    """Per source, the identities of the pieces that finished shards hold."""
    done: dict[str, set[tuple[Any, ...]]] = {}
    for manifest in corpus.read_manifests("shards"):
        if manifest["work"] == work:
            done.setdefault(manifest["source"], set()).update(tuple(piece) for piece in manifest["pieces"])
    return done


def _pieces(source: Source, items: list[Input]) -> Iterable[Piece]:
    by_path = {item.path: item for item in items}
    for item in items:
        other = by_path.get(item.reference) if item.reference else None
        for start, stop in zip(item.cuts, [*item.cuts[1:], None], strict=True):
            yield Piece(
                item.path, item.uri, source.kind, item.size, item.digest, start, stop, item.meta,
                item.reference, other.uri if other else None, other.digest if other else None, item.skip,
            )  # fmt: skip


def _shards(
    source: Source, items: list[Input], done: set[tuple[Any, ...]], work: str, size_mb: float
) -> list[ShardSpec]:
    """Fill shards with pieces, in order, up to `size_mb` MiB or 200 files."""
    limit = size_mb * 2**20
    groups: list[list[Piece]] = []
    room = 0.0
    for piece in _pieces(source, items):
        if tuple(piece.identity) in done:
            continue
        weight = (piece.stop or piece.size) - piece.start
        if not groups or room < weight or len(groups[-1]) >= _FILES_A_SHARD:
            groups.append([])
            room = limit
        groups[-1].append(piece)
        room -= weight
    return [
        ShardSpec(f"{source.name}-{digest([work, [p.identity for p in group]])}", source.name, source.kind, group)
        for group in groups
    ]


def _relocate(plan: Plan, inputs: dict[str, list[Input]]) -> Plan:
    """The same plan with the places where its files are now: a run is known by paths below the sources' roots."""
    for spec in plan.shards:
        uris = {item.path: item.uri for item in inputs[spec.source]}
        for piece in spec.pieces:
            piece.uri = uris[piece.path]
            piece.reference_uri = uris[piece.reference] if piece.reference else None
    return plan


def load(path: Path) -> Plan:
    raw = read_json(path)
    shards = [ShardSpec(s["shard"], s["source"], s["kind"], [Piece(**p) for p in s["pieces"]]) for s in raw["shards"]]
    return Plan(raw["run"], raw["work"], raw["code"], shards, raw["present"])


def groups(pending: list[ShardSpec], workers: int) -> list[list[ShardSpec]]:
    """Pending shards in groups so big that starting the workers does not count."""
    size = 32 * workers
    return [pending[start : start + size] for start in range(0, len(pending), size)]
