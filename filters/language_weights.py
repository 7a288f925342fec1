"""The numbers of a fastText model's file: its matrices, and the tree of hierarchical softmax."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from filters.model_files import Layout, Matrix

Floats = NDArray[np.float32]


def matrix(data: Any, at: Matrix) -> Floats:
    """A matrix of a model file as float32, mapped where it is stored so, decoded where it is quantised."""
    if at.values is not None:
        size = 4 * at.rows * at.columns
        stored: Floats = data[at.values : at.values + size].view("<f4").reshape(at.rows, at.columns)
        return stored if size > 1 << 26 else np.array(stored)
    assert at.codes is not None
    count = -(-at.columns // at.width)
    codes = data[at.codes : at.codes + at.rows * count].reshape(at.rows, count)
    centroids = np.array(data[at.centroids : at.centroids + 4 * 256 * at.columns]).view("<f4")
    found = np.empty((at.rows, at.columns), np.float32)
    for part in range(count):
        first = part * at.width
        width = min(at.width, at.columns - first)
        own = centroids[256 * first : 256 * (first + width)].reshape(256, width)
        found[:, first : first + width] = own[codes[:, part]]
    if at.norms is not None:
        sizes = np.array(data[at.norm_centroids : at.norm_centroids + 4 * 256]).view("<f4")
        found *= sizes[data[at.norms : at.norms + at.rows]][:, None]
    return found


def hashed(data: Any, layout: Layout) -> tuple[Floats, NDArray[np.int32]]:
    """The input matrix, and the row of each hash in it, less the words' rows: -1 for one that was pruned.

    The kept rows are put in the order of their hashes. The second is empty where nothing was pruned.
    """
    rows = matrix(data, layout.input)
    if layout.pruned < 0:
        return rows, np.empty(0, np.int32)
    pairs = np.array(data[layout.prune_index : layout.prune_index + 8 * layout.pruned]).view("<i4").reshape(-1, 2)
    of_hash = np.full(max(1, layout.bucket), -1, np.int32)
    of_hash[pairs[:, 0]] = pairs[:, 1]
    kept = np.flatnonzero(of_hash >= 0)
    words = len(layout.words)
    rows = np.concatenate([rows[:words], rows[words + of_hash[kept]]])
    of_hash[kept] = np.arange(len(kept))
    return rows, of_hash


def paths(counts: list[int]) -> tuple[Floats, Floats]:
    """Left and right turns to each label in the Huffman tree of hierarchical softmax: (labels - 1) x labels, 0 or 1."""
    size = len(counts)
    weights = counts + [10**15] * (size - 1)
    under: list[list[int]] = [[label] for label in range(size)]
    left, right = np.zeros((size - 1, size), np.float32), np.zeros((size - 1, size), np.float32)
    leaf, node = size - 1, size
    for parent in range(size, 2 * size - 1):
        chosen = []
        for _ in range(2):
            if leaf >= 0 and weights[leaf] < weights[node]:
                chosen.append(leaf)
                leaf -= 1
            else:
                chosen.append(node)
                node += 1
        weights[parent] = weights[chosen[0]] + weights[chosen[1]]
        left[parent - size, under[chosen[0]]] = 1
        right[parent - size, under[chosen[1]]] = 1
        under.append(under[chosen[0]] + under[chosen[1]])
    return left, right
