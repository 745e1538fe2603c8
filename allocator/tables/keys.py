"""Keys of several columns as one whole number, so that sorting, matching and finding doubles are array operations."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

Keys = NDArray[np.int64]
_ROOM = 1 << 62


def digits(column: pa.Array) -> tuple[Keys, int]:
    """Return a column as whole numbers in sorting order from 0, -1 for null, and how many there can be."""
    if pa.types.is_dictionary(column.type):
        return indices(column), max(1, len(column.dictionary))
    number = pc.fill_null(column.cast(pa.int32()).cast(pa.int64()), 0).to_numpy(zero_copy_only=False)
    low = int(number.min()) if len(number) else 0
    high = int(number.max()) if len(number) else 0
    filled = column.is_valid().to_numpy(zero_copy_only=False)
    return np.where(filled, number - low, -1), high - low + 1


def indices(column: pa.DictionaryArray) -> Keys:
    """Return the index of each row's word, -1 for null."""
    filled: Keys = pc.fill_null(column.indices, -1).to_numpy(zero_copy_only=False).astype(np.int64)
    return filled


def joined(columns: Sequence[pa.Array]) -> Keys:
    """Return one number per row that sorts as the columns do, -1 where any of them is null."""
    key, room, null = np.zeros(len(columns[0]), np.int64), 1, np.zeros(len(columns[0]), bool)
    for column in columns:
        digit, count = digits(column)
        if room * count >= _ROOM:
            _, key = np.unique(key, return_inverse=True)
            room = int(key.max(initial=0)) + 1
        null |= digit < 0
        key, room = key * count + np.maximum(digit, 0), room * count
    return np.where(null, -1, key)


def positions(left: Sequence[pa.Array], right: Sequence[pa.Array]) -> Keys:
    """Return, for each row of `left`, the first row of `right` with the same key; -1 if none or if a cell is null."""
    shared = [_same_words(a, b) for a, b in zip(left, right, strict=True)]
    count = len(left[0])
    both = joined([pa.concat_arrays([a, b]) for a, b in shared])
    asked, held = both[:count], both[count:]
    order = np.argsort(held, kind="stable")
    place = np.searchsorted(held[order], asked)
    place = np.minimum(place, max(0, len(held) - 1))
    if not len(held):
        return np.full(count, -1, np.int64)
    found = order[place]
    return np.where((held[found] == asked) & (asked >= 0), found, -1)


def _same_words(left: pa.Array, right: pa.Array) -> tuple[pa.Array, pa.Array]:
    """Put two columns over one dictionary."""
    if not pa.types.is_dictionary(left.type):
        return left, right
    both = pa.chunked_array([left, right]).unify_dictionaries()
    return both.chunk(0), both.chunk(1)


def word_positions(column: pa.DictionaryArray, words: pa.Array) -> Keys:
    """Return where each row's word stands among `words`, -1 for null or unknown."""
    place = pc.fill_null(pc.index_in(column.dictionary, value_set=words), -1).to_numpy(zero_copy_only=False)
    result: Keys = np.append(place, -1)[indices(column)].astype(np.int64)
    return result
