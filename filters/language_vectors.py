"""What a fastText classifier computes, a text at a time or many at once, with each word computed once.

A supervised fastText model takes the mean of the input rows of all features of a text: every known word, the
character n-grams of every word, and the token that ends a line (Joulin et al., arXiv 1607.01759). So a word adds the
same sum of rows wherever it stands. The sums are kept, and a text costs one lookup and one addition a word.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from filters import compiling
from filters.language_features import PART_CHARS, Ints, letter_weights, ngrams, parts
from filters.language_weights import Floats, hashed, matrix, paths
from filters.model_files import Layout

if TYPE_CHECKING:
    from filters.language_kernel import Memory

WORDS_BYTES = 32 << 20
"""Memory for the sums of words already seen; when it is full, it is emptied."""
LONGEST_KEPT = 64
"""Characters of the longest word that is remembered."""
HASHED_CHARS = 1 << 15
"""Characters whose n-grams are looked up at once."""
END = b"</s>"


@dataclass(slots=True)
class Sums:
    """Sums over the words of n texts."""

    rows: NDArray[np.float64]
    """n x dim: the sum of the input rows of all features."""
    features: Ints
    """n: how many features that were."""
    letters: Ints
    """n: letters of the words."""

    def take(self, at: Ints) -> Sums:
        """Those of some of the texts."""
        return Sums(self.rows[at], self.features[at], self.letters[at])

    def total(self) -> Sums:
        """The sums of all the texts as of one."""
        return Sums(*(part.sum(axis=0, keepdims=True) for part in (self.rows, self.features, self.letters)))


@dataclass(frozen=True, slots=True)
class Preparation:
    """What a model's text goes through, in two forms that agree."""

    lower: bool
    """Whether capitals become small letters."""
    words: Callable[[list[str]], list[str]]
    """Raw words, without white space in them, into as many words as the model was trained on."""
    table: Callable[[], NDArray[np.int32]]
    """What each code point is: see `filters.language_kernel.measure`."""


class Classifier:
    """A fastText classifier's numbers, and the sums of the words that it has seen. Not to be shared by threads."""

    def __init__(self, path: Path, layout: Layout, preparation: Preparation, compiled: bool = True) -> None:
        """`compiled`: use Numba where it is installed."""
        data = np.memmap(path, np.uint8, "r")
        self._layout, self._preparation = layout, preparation
        self._words = {word: number for number, word in enumerate(layout.words)}
        self._output = np.ascontiguousarray(matrix(data, layout.output).T)
        self._input, self._rows_of_hash = hashed(data, layout)
        self._paths = paths([count for _, count in layout.labels]) if layout.loss == 1 else None
        end = self._words.get(END)
        self._end = np.zeros(layout.dim, np.float32) if end is None else np.array(self._input[end], np.float32)
        self._ends = int(end is not None)
        self._seen = _Seen()
        self._capacity = WORDS_BYTES // (4 * layout.dim + 16)
        self._empty_table(1024)
        self._memory = self._compiled_memory() if compiled else None

    def sums(self, texts: Sequence[str]) -> Sums:
        """The sums of `texts`, one row each. Time and memory are linear in their length."""
        found = Sums(
            np.zeros((len(texts), self._layout.dim)),
            np.zeros(len(texts), np.int64),
            np.zeros(len(texts), np.int64),
        )
        waiting: list[tuple[int, str]] = []
        chars = 0
        for number, text in enumerate(texts):
            for part in parts(text) if len(text) > PART_CHARS else (text,):
                if chars + len(part) > PART_CHARS and waiting:
                    self._add(waiting, found)
                    waiting, chars = [], 0
                waiting.append((number, part))
                chars += len(part)
        self._add(waiting, found)
        return found

    def probabilities(self, sums: Sums) -> Floats:
        """Probabilities (0 to 1) of the labels, n x labels, as fastText gives them (1e-5 and all)."""
        features = sums.features + self._ends
        hidden = (sums.rows + self._ends * self._end) / np.maximum(1, features)[:, None]
        scores = hidden.astype(np.float32) @ self._output
        if self._layout.loss == 3:
            scores -= scores.max(axis=1, keepdims=True)
            np.exp(scores, out=scores)
            scores /= scores.sum(axis=1, keepdims=True)
            return scores + np.float32(1e-5)
        with np.errstate(over="ignore"):
            sigmoid = 1 / (1 + np.exp(-scores))
        if self._paths is None:
            return np.asarray(sigmoid + np.float32(1e-5))
        left, right = self._paths
        nodes = sigmoid[:, : len(left)]
        logs = np.log(1 - nodes + np.float32(1e-5)) @ left + np.log(nodes + np.float32(1e-5)) @ right
        return np.asarray(np.exp(logs))

    def _compiled_memory(self) -> Memory | None:
        if not compiling.available():
            return None
        from filters.language_kernel import Memory

        return Memory(self._preparation.table(), self._layout.words, self._input, self._rows_of_hash)

    def _add(self, waiting: list[tuple[int, str]], found: Sums) -> None:
        """Add the sums of pieces of text to the rows of the texts that they are of."""
        if not waiting:
            return
        pieces = [piece for _, piece in waiting]
        sums = self._compiled(pieces, self._memory) if self._memory else self._looked_up(pieces)
        to = np.fromiter((number for number, _ in waiting), np.int64, len(waiting))
        pairs = ((found.rows, sums.rows), (found.features, sums.features), (found.letters, sums.letters))
        for whole, more in pairs:
            if (np.diff(to) > 0).all():
                whole[to] += more
            else:  # a text that was cut comes several times
                np.add.at(whole, to, more)

    def _compiled(self, pieces: list[str], memory: Memory) -> Sums:
        from filters.language_kernel import measure

        layout = self._layout
        # The two whose small letter is not one character, or depends on the next, are left to Python.
        if self._preparation.lower:
            pieces = [piece.lower() if "\u0130" in piece or "\u03a3" in piece else piece for piece in pieces]
        codes = np.frombuffer("".join(pieces).encode("utf-32-le", "surrogatepass"), np.uint32)
        rows, features, letters = measure(
            codes,
            np.cumsum(np.fromiter(map(len, pieces), np.int64, len(pieces))),
            memory.table,
            (memory.word_keys, memory.word_numbers),
            len(layout.words),
            self._input,
            (memory.bits, memory.ranks),
            (layout.minn, layout.maxn, layout.bucket),
            (memory.keys, memory.sums, memory.features),
        )
        return Sums(rows, features, letters)

    def _looked_up(self, pieces: list[str]) -> Sums:
        """The same without Numba, by a lookup and an addition a word."""
        words = [piece.split() for piece in pieces]
        sizes = np.fromiter(map(len, words), np.int64, len(words))
        at = self._numbers(list(chain.from_iterable(words)))
        found = Sums(
            np.zeros((len(pieces), self._layout.dim)),
            np.zeros(len(pieces), np.int64),
            np.zeros(len(pieces), np.int64),
        )
        if len(at):
            some = sizes > 0
            starts = (np.cumsum(sizes) - sizes)[some]
            found.rows[some] = np.add.reduceat(self._sums[at], starts, axis=0, dtype=np.float64)
            found.features[some], found.letters[some] = np.add.reduceat(self._counts[at], starts, axis=0).T
        return found

    def _numbers(self, words: list[str]) -> Ints:
        """Where each word's sums stand; those of new words are computed."""
        if self._seen.used > self._capacity:
            self._seen = _Seen()
            self._empty_table(1024)
        before = self._seen.used
        at = np.fromiter(map(self._seen.__getitem__, words), np.int64, len(words))
        fresh = self._seen.fresh
        if fresh:
            self._grow(self._seen.used)
            self._compute(fresh, before)
            for word in fresh:
                if len(word) > LONGEST_KEPT:
                    del self._seen[word]
            self._seen.fresh = []
        return at

    def _compute(self, words: list[str], start: int) -> None:
        """The sums of new words, into the table from `start`."""
        prepared = self._preparation.words(words)
        letters = letter_weights("".join(prepared))
        ends = np.cumsum(np.fromiter(map(len, prepared), np.int64, len(prepared)))
        total = np.concatenate(([0], np.cumsum(letters, dtype=np.int64)))
        self._counts[start : start + len(words), 1] = np.diff(total[ends], prepend=0)
        encoded = [word.encode("utf-8", "ignore") for word in prepared]
        at, chars = 0, 0
        for number, word in enumerate(encoded):
            if chars + len(word) > HASHED_CHARS:
                self._features(encoded[at:number], start + at)
                at, chars = number, 0
            chars += len(word)
        self._features(encoded[at:], start + at)

    def _features(self, words: list[bytes], start: int) -> None:
        """The sums of the rows of the words themselves and of their n-grams, into the table from `start`."""
        real = [at for at, word in enumerate(words) if word and word != END and not word.startswith(b"__label__")]
        if not real:
            return
        owners, total = np.array(real, np.int64), np.zeros((len(words), self._layout.dim))
        counts = self._counts[start : start + len(words), 0]
        known = np.fromiter((self._words.get(words[at], -1) for at in real), np.int64, len(real))
        self._take(owners[known >= 0], known[known >= 0], total, counts)
        if self._layout.bucket:
            text = b"".join(b"<" + words[at] + b">" for at in real)
            sizes = np.array([len(words[at]) + 2 for at in real], np.int64)
            for word_of, hashes in ngrams(text, sizes, self._layout.minn, self._layout.maxn):
                rows = (hashes % np.uint32(self._layout.bucket)).astype(np.int64)
                if len(self._rows_of_hash):
                    rows = self._rows_of_hash[rows].astype(np.int64)
                    word_of, rows = word_of[rows >= 0], rows[rows >= 0]
                self._take(owners[word_of], rows + len(self._layout.words), total, counts)
        self._sums[start : start + len(words)] = total

    def _take(self, owners: Ints, rows: Ints, total: NDArray[np.float64], counts: Ints) -> None:
        """Add input rows to the sums of their owners, which come in order."""
        if not len(owners):
            return
        starts = np.flatnonzero(np.diff(owners, prepend=-1))
        total[owners[starts]] += np.add.reduceat(self._input[rows], starts, axis=0, dtype=np.float64)
        counts[owners[starts]] += np.diff(starts, append=len(owners))

    def _empty_table(self, size: int) -> None:
        self._sums = np.zeros((size, self._layout.dim), np.float32)
        self._counts = np.zeros((size, 2), np.int64)

    def _grow(self, size: int) -> None:
        have = len(self._sums)
        if size > have:
            more = max(size, 2 * have) - have
            self._sums = np.concatenate([self._sums, np.zeros((more, self._layout.dim), np.float32)])
            self._counts = np.concatenate([self._counts, np.zeros((more, 2), np.int64)])


def join(found: Sequence[Sums]) -> Sums:
    """Several sums, one after another."""
    return Sums(
        np.concatenate([sums.rows for sums in found]),
        np.concatenate([sums.features for sums in found]),
        np.concatenate([sums.letters for sums in found]),
    )


class _Seen(dict[str, int]):
    """Numbers of words in the order in which they were asked for."""

    def __init__(self) -> None:
        super().__init__()
        self.used = 0
        self.fresh: list[str] = []

    def __missing__(self, word: str) -> int:
        number = self[word] = self.used
        self.used += 1
        self.fresh.append(word)
        return number
