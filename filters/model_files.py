"""Where language models come from: names, cache, downloads, and a check before fastText reads a file."""

from __future__ import annotations

import hashlib
import mmap
import os
import struct
import tempfile
import tomllib
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.client import HTTPException
from pathlib import Path
from typing import IO

SHIPPED = "florilege-lid"
TIMEOUT = 60
"""Seconds without a byte before a download is given up."""
LARGEST = 4 << 30
"""Bytes after which a download is no language model."""

_HERE = Path(__file__).parent
_BLOCK = 1 << 20


class ModelError(ValueError):
    """A language model cannot be found, fetched, verified or read; says which, where, and what to do."""


@dataclass(frozen=True, slots=True)
class Known:
    """One model of `models.toml`."""

    name: str
    prepared: bool
    """Whether it was trained on text that went through `filters.language.prepare`."""
    licence: str
    file: str = ""
    """Path inside this package, for the shipped model."""
    url: str = ""
    sha256: str = ""


def known() -> dict[str, Known]:
    """The models that can be loaded by name."""
    table = tomllib.loads((_HERE / "models.toml").read_text("utf-8"))
    return {name: Known(name=name, **entry) for name, entry in table.items()}


def cache_folder() -> Path:
    """Folder of fetched models: `$FLORILEGE_CACHE`, `$XDG_CACHE_HOME/florilege` or `~/.cache/florilege`."""
    if own := os.environ.get("FLORILEGE_CACHE"):
        return Path(own)
    base = os.environ.get("XDG_CACHE_HOME")
    return (Path(base) if base else Path.home() / ".cache") / "florilege"


def find(name_or_path: str, sha256: str | None = None) -> tuple[str, Path, bool | None]:
    """Name, verified file, and whether it wants prepared text (None: unknown), of a known model or a file.

    A known model is fetched into the cache on first use. `sha256` (64 hex digits) is verified when given.
    Raises `ModelError`.
    """
    models = known()
    if model := models.get(name_or_path):
        return model.name, locate(model, sha256), model.prepared
    path = Path(name_or_path)
    if not path.is_file():
        raise ModelError(f"language model {name_or_path!r} is neither a file nor a known name ({', '.join(models)})")
    if sha256:
        _verify(path, sha256)
    return path.name, path, None


def locate(model: Known, sha256: str | None = None) -> Path:
    """The file of a known model, fetched into the cache on first use and verified on every use.

    `sha256` is needed for a model without a pinned digest. Raises `ModelError`.
    """
    if model.file:
        path = _HERE / model.file
        if sha256:
            _verify(path, sha256)
        return path
    wanted = (sha256 or model.sha256).lower()
    if not wanted:
        raise ModelError(
            f"language model {model.name!r}: no SHA-256 is known for {model.url}; give the digest its "
            f"publisher states (sha256=...), or use {SHIPPED!r}"
        )
    if model.sha256 and wanted != model.sha256:
        raise ModelError(f"language model {model.name!r}: sha256 {wanted} is not the pinned {model.sha256}")
    path = cache_folder() / f"{model.name}-{wanted[:12]}{Path(model.url).suffix}"
    if not path.is_file() or digest(path) != wanted:
        _fetch(model, wanted, path)
    return path


def digest(path: Path) -> str:
    """SHA-256 of a file, 64 hex digits. Raises `ModelError` when it cannot be read."""
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as problem:
        raise ModelError(f"language model {path}: {problem.strerror or problem}") from problem


def _verify(path: Path, sha256: str) -> None:
    found = digest(path)
    if found != sha256.lower():
        raise ModelError(f"language model {path}: SHA-256 is {found}, not {sha256}; fetch the file again")


def _fetch(model: Known, sha256: str, path: Path) -> None:
    """Download to a temporary name beside `path`, verify, then rename: `path` is never half a file."""
    remedy = f"download it elsewhere and put it at {path}, or give its path as the model, or use {SHIPPED!r}"
    scratch: Path | None = None
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile(dir=path.parent, prefix=f"{path.name}.", delete=False) as file:
            scratch = Path(file.name)
            found = _download(model.url, file)
        if found != sha256:
            raise ModelError(
                f"language model {model.name!r}: {model.url} has SHA-256 {found}, expected {sha256}; the "
                f"download was discarded; {remedy}"
            )
        scratch.chmod(0o644)
        scratch.replace(path)
    except (OSError, HTTPException) as problem:
        raise ModelError(
            f"language model {model.name!r} is not in the cache ({path}) and could not be fetched from "
            f"{model.url}: {problem}; {remedy}"
        ) from problem
    finally:
        if scratch is not None:
            scratch.unlink(missing_ok=True)


def _download(url: str, file: IO[bytes]) -> str:
    """Copy what `url` answers into `file`; its SHA-256. Raises `OSError` when it is cut short or endless."""
    sha, size = hashlib.sha256(), 0
    with urllib.request.urlopen(url, timeout=TIMEOUT) as answer:
        declared = answer.headers.get("Content-Length")
        while block := answer.read(_BLOCK):
            size += len(block)
            if size > LARGEST:
                raise urllib.error.URLError(f"more than {LARGEST} bytes")
            sha.update(block)
            file.write(block)
    if declared is not None and declared.isdigit() and int(declared) != size:
        raise urllib.error.URLError(f"cut short: {size} of {declared} bytes")
    return sha.hexdigest()


class _Damaged(Exception):
    """The bytes are no sound fastText model."""


@dataclass(frozen=True, slots=True)
class Matrix:
    """Where one matrix of a model file stands: byte offsets of its parts; `None` where it has no such part."""

    rows: int
    columns: int
    values: int | None = None
    """float32, row by row, of a matrix that is not quantised."""
    codes: int | None = None
    centroids: int = 0
    width: int = 0
    """Columns of one sub-vector of the product quantiser; the last may be narrower."""
    norms: int | None = None
    norm_centroids: int = 0


@dataclass(frozen=True, slots=True)
class Layout:
    """What stands where in a fastText model file that `check` found sound."""

    dim: int
    minn: int
    maxn: int
    word_ngrams: int
    loss: int
    """1 hierarchical softmax, 2 negative sampling, 3 softmax, 4 one against all."""
    bucket: int
    words: list[bytes]
    labels: list[tuple[str, int]]
    """Label and its count in training, most frequent first."""
    pruned: int
    """Hashed features kept; -1 when nothing was pruned."""
    prune_index: int
    """Byte offset of the pairs (hash, row), int32."""
    input: Matrix
    output: Matrix


def check(path: Path) -> Layout:
    """Walk a fastText model file (version 12) from end to end, so that nothing ever reads a damaged one.

    A cut or altered file would make a reader that trusts its sizes allocate without limit, loop or read what is not
    there. Layout: magic, version, arguments, dictionary, input and output matrix (fastText 0.9). Raises
    `ModelError` naming the file and the byte offset.
    """
    try:
        with _mapped(path) as data:
            walk = _Walk(data)
            try:
                return walk.model()
            except (_Damaged, struct.error) as problem:
                raise ModelError(
                    f"language model {path}: not a sound fastText model at byte {walk.at} of {len(data)} "
                    f"({problem}); fetch the file again"
                ) from problem
    except OSError as problem:
        raise ModelError(f"language model {path}: {problem.strerror or problem}") from problem


@contextmanager
def _mapped(path: Path) -> Iterator[mmap.mmap]:
    with path.open("rb") as file:
        if not path.stat().st_size:
            raise ModelError(f"language model {path}: the file is empty; fetch it again")
        with mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
            yield data


class _Walk:
    """Reads a model's structure, skipping its numbers."""

    def __init__(self, data: mmap.mmap) -> None:
        self.data = data
        self.at = 0

    def take(self, form: str) -> tuple[int, ...]:
        values = struct.unpack_from("<" + form, self.data, self.at)
        self.at += struct.calcsize("<" + form)
        return values

    def skip(self, size: int, what: str) -> int:
        if size < 0 or self.at + size > len(self.data):
            raise _Damaged(f"{what} of {size} bytes runs past the end")
        self.at += size
        return self.at - size

    def model(self) -> Layout:
        if self.take("ii") != (793712314, 12):
            raise _Damaged("magic number or version is not fastText's")
        dim, _, _, _, _, ngrams, loss, kind, bucket, minn, maxn, _ = self.take("12i")
        self.skip(8, "sampling threshold")
        if kind != 3 or dim < 1 or not 1 <= loss <= 4 or not 0 <= maxn < 100 or not 0 <= bucket < 1 << 30:
            raise _Damaged("not a classifier")
        words, labels, pruned, prune_index = self.dictionary(bucket)
        hashed = pruned if pruned >= 0 else bucket if maxn > 0 or ngrams > 1 else 0
        (quantised,) = self.take("?")
        if pruned >= 0 and not quantised:
            raise _Damaged("pruned but not quantised")
        rows = self.matrix(bool(quantised), len(words) + hashed, dim)
        (quantised_output,) = self.take("?")
        output = self.matrix(bool(quantised and quantised_output), len(labels), dim)
        if self.at != len(self.data):
            raise _Damaged("bytes after the model")
        if hashed and not bucket:
            raise _Damaged("hashed features without buckets")
        return Layout(dim, max(1, minn), maxn, ngrams, loss, bucket, words, labels, pruned, prune_index, rows, output)

    def dictionary(self, bucket: int) -> tuple[list[bytes], list[tuple[str, int]], int, int]:
        """Words, labels with their counts, number of kept n-gram rows (-1: nothing was pruned) and where they are."""
        size, words, labels, _, pruned = self.take("iiiqq")
        if min(words, labels) < 1 or words + labels != size:
            raise _Damaged(f"dictionary of {words} words and {labels} labels in {size} entries")
        found: list[tuple[bytes, int]] = []
        for entry in range(size):
            end = self.data.find(b"\0", self.at, self.at + 100_000)
            if end < 0 or end + 10 > len(self.data) or self.data[end + 9] != (entry >= words):
                raise _Damaged(f"dictionary entry {entry}")
            found.append((self.data[self.at : end], struct.unpack_from("<q", self.data, end + 1)[0]))
            self.at = end + 10
        start = self.skip(8 * max(0, pruned), "n-gram index")
        pairs = memoryview(self.data[start : self.at]).cast("i")
        if not all(0 <= row < pruned for row in pairs[1::2]) or not all(0 <= key < bucket for key in pairs[::2]):
            raise _Damaged("n-gram index points outside the matrix")
        if not all(0 < count < 10**15 for _, count in found[words:]):
            raise _Damaged("counts of labels")
        named = [(label.decode("utf-8", "replace"), count) for label, count in found[words:]]
        return [word for word, _ in found[:words]], named, pruned, start

    def matrix(self, quantised: bool, least: int, dim: int) -> Matrix:
        (normed,) = self.take("?") if quantised else (False,)
        rows, columns = self.take("qq")
        if rows < least or columns != dim:
            raise _Damaged(f"matrix of {rows} x {columns}, expected {least} x {dim}")
        if not quantised:
            return Matrix(rows, columns, values=self.skip(4 * rows * columns, "matrix"))
        (size,) = self.take("i")
        codes = self.skip(size, "codes")
        parts, width, centroids = self.quantiser(columns)
        if size != rows * parts:
            raise _Damaged(f"{size} codes for {rows} rows")
        if not normed:
            return Matrix(rows, columns, codes=codes, centroids=centroids, width=width)
        norms = self.skip(rows, "norms")
        return Matrix(rows, columns, None, codes, centroids, width, norms, self.quantiser(1)[2])

    def quantiser(self, dim: int) -> tuple[int, int, int]:
        """Sub-vectors of a product quantiser for vectors of `dim` numbers, their width, where its centroids are."""
        found, parts, width, last = self.take("4i")
        if found != dim or width < 1 or (parts - 1) * width + last != dim or not 0 < last <= width:
            raise _Damaged("product quantiser")
        return parts, width, self.skip(4 * 256 * dim, "centroids")
