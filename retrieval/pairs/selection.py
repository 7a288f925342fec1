"""Which documents, and which parts of them, are taken: by digests of their ids, never by their order."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, NamedTuple, Self

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
import xxhash
from pydantic import Field, model_validator

from retrieval.builder import Params, Survey

Digests = npt.NDArray[np.uint64]
Ints = npt.NDArray[np.int64]
Available = dict[str, Ints]
"""By language: how much there is to take, in BINS bins of the number that it is taken by."""

BINS = 1 << 16
LOT = 1
"""Number of the draw that a whole document is taken by."""
_PIECE = 1 << 20
_GOLDEN = 0x9E3779B97F4A7C15


class Sampled(Params):
    """Base of the parameters of builders that can take a share of each language."""

    seed: int = Field(default=1, ge=0, lt=1 << 63)
    rates: dict[str, float] = Field(default_factory=dict)
    """Share taken of each language, 0 to 1, as `rates` gives them; all of a language that is not named."""
    balance: bool = False
    """In place of rates: equally many rows (of whole documents: tokens) of each language, by a first pass."""
    budget: int | None = Field(default=None, ge=1)
    """In place of rates: at most so many rows (of whole documents: tokens) of each language, by a first pass."""

    @model_validator(mode="after")
    def _one_way_to_sample(self) -> Self:
        if bool(self.rates) + self.balance + (self.budget is not None) > 1:
            raise ValueError("one of rates, balance and budget, not several")
        return self


def survey(available: Callable[[pa.Table, Any], Available]) -> Survey:
    """The first pass of a builder with these parameters: rates from what `available` finds in all documents."""

    def surveyed(tables: Iterator[pa.Table], params: Sampled) -> Sampled:
        if not params.balance and params.budget is None:
            return params
        found: Available = {}
        for table in tables:
            for name, bins in available(table, params).items():
                found[name] = found[name] + bins if name in found else bins
        return params.model_copy(update={"rates": rates(found, budget=params.budget)})

    return surveyed


class Piece(NamedTuple):
    """Some documents with text and language, and their texts as one run of UTF-8."""

    documents: pa.Table
    data: npt.NDArray[np.uint8]
    bounds: Ints
    """Bytes before each document's text, and the number of all bytes: one more than there are documents."""
    wide: Ints
    """Where the characters of more than one byte start."""
    further: Ints
    """Bytes after the first of such characters, added up: before each of them, and in all."""
    digests: Digests
    """Of each document's id and the seed."""

    def characters(self, places: Ints) -> Ints:
        """The characters before each place, given in bytes, that begins a character."""
        return places - self.further[np.searchsorted(self.wide, places)] if len(self.wide) else places


def pieces(
    documents: pa.Table, seed: int, counter: Counter[str], rates: Mapping[str, float] | None = None
) -> Iterator[Piece]:
    """The documents with text and language in pieces of about 1 MiB of text, or of one larger document.

    Pieces bound the memory that arrays over bytes take, and keep them in the processor's cache. The others are counted.

    Args:
        rates: take only this share of each language's documents.
    """
    for chosen in usable(documents, counter):
        if rates:
            keep = taken(draws(digests(chosen["id"], seed), LOT), chosen["language"].to_pylist(), rates)
            count(counter, {"not sampled": int(np.count_nonzero(~keep))})
            chosen = chosen.filter(pa.array(keep))
        text = chosen["text"].combine_chunks().cast(pa.large_string())
        bounds = np.frombuffer(text.buffers()[1], np.int64)[text.offset : text.offset + len(text) + 1]
        data = np.frombuffer(text.buffers()[2] or b"", np.uint8)
        start = 0
        while start < len(text):
            end = max(start + 1, int(np.searchsorted(bounds, bounds[start] + _PIECE, "right")) - 1)
            rows = chosen.slice(start, end - start)
            own = data[bounds[start] : bounds[end]]
            wide = np.flatnonzero(own >= 0xC0)
            further = np.concatenate([[0], np.cumsum(1 + (own[wide] >= 0xE0) + (own[wide] >= 0xF0))])
            yield Piece(rows, own, bounds[start : end + 1] - bounds[start], wide, further, digests(rows["id"], seed))
            start = end


def usable(documents: pa.Table, counter: Counter[str]) -> Iterator[pa.Table]:
    """The documents with text and language, if there are any; the others are counted."""
    text = pc.fill_null(pc.greater(pc.binary_length(documents["text"]), 0), False)
    with_text = pc.sum(text).as_py() or 0
    language = pc.fill_null(pc.invert(pc.is_in(documents["language"], pa.array(["", "und", None], pa.string()))), False)
    good = pc.and_(text, language)
    kept = pc.sum(good).as_py() or 0
    count(counter, {"no text": documents.num_rows - with_text, "no language": with_text - kept})
    if kept:
        yield documents if kept == documents.num_rows else documents.filter(good)


def count(counter: Counter[str], found: Mapping[str, int]) -> None:
    """Add what is not nothing, as plain numbers."""
    counter.update({reason: int(number) for reason, number in found.items() if number})


def sampled(counter: Counter[str], documents: int, whole: Ints, used: Ints) -> None:
    """Count documents: those without a whole chunk, those of whose chunks none was taken, and the used ones.

    Args:
        documents: how many there are.
        whole: the document of every chunk.
        used: the document of every chunk taken.
    """
    chunked, taken = len(np.unique(whole)), len(np.unique(used))
    found = {"shorter than a chunk": documents - chunked, "not sampled": chunked - taken, "used": taken}
    count(counter, found)


def digests(ids: pa.ChunkedArray, seed: int) -> Digests:
    """XXH3-64 of each id with the seed."""
    return np.array([xxhash.xxh3_64_intdigest(id, seed) for id in ids.to_pylist()], np.uint64)


def draws(digests: Digests, number: int | Ints) -> Digests:
    """The draws of this number from the generators that the digests seed: SplitMix64 (Steele, Lea and Flood 2014)."""
    with np.errstate(over="ignore"):
        x = digests + (np.asarray(number).astype(np.uint64) + np.uint64(1)) * np.uint64(_GOLDEN)
        x = (x ^ (x >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        x = (x ^ (x >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
        mixed: Digests = x ^ (x >> np.uint64(31))
    return mixed


def below(drawn: Digests, limits: int | Ints) -> Ints:
    """Whole numbers from 0 to below `limits`, which are below 2^32, all alike likely."""
    found: Ints = (((drawn >> np.uint64(32)) * np.asarray(limits).astype(np.uint64)) >> np.uint64(32)).astype(np.int64)
    return found


def unit(drawn: Digests) -> npt.NDArray[np.float64]:
    """Numbers from 0 to below 1."""
    found: npt.NDArray[np.float64] = (drawn >> np.uint64(11)).astype(np.float64) * 2.0**-53
    return found


def taken(drawn: Digests, languages: Iterable[str], rates: Mapping[str, float]) -> npt.NDArray[np.bool_]:
    """Whether the rate of its language takes each."""
    if not rates:
        return np.ones(len(drawn), bool)
    return unit(drawn) < np.array([rates.get(language, 1.0) for language in languages])


def tally(available: Available, drawn: Digests, languages: Iterable[str], amounts: Ints | None = None) -> None:
    """Add to `available` what could be taken: `amounts` (default: 1) of the language at each draw."""
    bins = (unit(drawn) * BINS).astype(np.int64)
    encoded = pc.dictionary_encode(pa.array(languages, pa.string()))
    for code, name in enumerate(encoded.dictionary.to_pylist()):
        own = np.asarray(encoded.indices) == code
        weights = None if amounts is None else amounts[own]
        found = np.bincount(bins[own], weights, BINS).astype(np.int64)
        available[name] = available[name] + found if name in available else found


def rates(
    available: Available, coefficient: float = 0.0, budget: int | Mapping[str, int] | None = None
) -> dict[str, float]:
    """The rates that take a language's share of what is available, exact to one of 65,536 bins.

    Args:
        available: of the same documents, parameters and seed; sums over tables may be added up.
        coefficient: of languages with n rows the share n^coefficient is taken, as much as the scarcest allows;
            0: equally many of each (Contriever's `sampling_coefficient`).
        budget: instead, at most so many, of each language or of each by name (those not named: all).
    """
    totals = {name: int(bins.sum()) for name, bins in available.items() if bins.any()}
    if budget is None:
        scale = min((total ** (1 - coefficient) for total in totals.values()), default=0.0)
        wanted = {name: scale * total**coefficient for name, total in totals.items()}
    else:
        named = dict.fromkeys(totals, budget) if isinstance(budget, int) else budget
        wanted = {name: min(total, named.get(name, total)) for name, total in totals.items()}
    found = {}
    for name, amount in wanted.items():
        sums = np.concatenate([[0], np.cumsum(available[name])])
        edge = int(np.searchsorted(sums, min(amount, totals[name])))
        over = edge > 0 and sums[edge] > amount
        nearer = over and (budget is not None or sums[edge] - amount > amount - sums[edge - 1])
        found[name] = (edge - bool(nearer)) / BINS
    return found
