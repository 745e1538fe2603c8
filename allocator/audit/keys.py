"""Codes as whole numbers: names with their positions, joined keys, and sums by key."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Whole = NDArray[np.int64]
Flags = NDArray[np.bool_]

_WIDE, _WIDEST = 1 << 40, 1 << 62
NEVER = 1_000_000  # day number of a date that never comes (no expiry)


def whole(values: Any) -> Whole:
    """Give values as an int64 array."""
    return np.asarray(values, dtype=np.int64)


def floats(values: Any) -> Floats:
    """Give values as a float64 array; missing values are NaN."""
    if isinstance(values, pd.Series):
        return np.asarray(values.to_numpy(dtype=np.float64, na_value=np.nan), dtype=np.float64)
    return np.asarray(values, dtype=np.float64)


@dataclass(frozen=True)
class Names:
    """A sorted list of codes; a code is known by its position in it.

    Attributes
    ----------
    codes : pandas.Index of str
        Unique codes.
    """

    codes: pd.Index[Any]

    @classmethod
    def of(cls, *columns: pd.Series[Any] | pa.ChunkedArray) -> Names:
        """Collect the codes of one or more columns."""
        return cls(pd.Index(sorted({code for column in columns for code in _distinct(column)}), dtype=object))

    def __len__(self) -> int:
        return len(self.codes)

    def __getitem__(self, position: int) -> str:
        return str(self.codes[position]) if 0 <= position < len(self.codes) else "?"

    def find(self, column: pd.Series[Any] | pa.ChunkedArray) -> Whole:
        """Give the position of each code; -1 for a code not in the list."""
        if isinstance(column, pa.ChunkedArray):
            parts = [self._found(chunk) for chunk in column.chunks]
            return np.concatenate(parts) if parts else np.zeros(0, dtype=np.int64)
        if isinstance(column.dtype, pd.CategoricalDtype):
            return whole(self._places(column.cat.categories)[column.cat.codes.to_numpy()])
        codes, uniques = pd.factorize(column)
        return whole(self._places(uniques)[codes])

    def _found(self, chunk: pa.Array) -> Whole:
        coded = chunk if pa.types.is_dictionary(chunk.type) else chunk.dictionary_encode()
        codes = pc.fill_null(coded.indices.cast(pa.int32()), -1).to_numpy(zero_copy_only=False)
        return whole(self._places(coded.dictionary.to_pylist())[codes])

    def _places(self, uniques: Any) -> Whole:
        """Give the position of each word, and -1 at the end, which the code of a missing word takes."""
        return np.append(whole(self.codes.get_indexer(pd.Index(uniques, dtype=object))), -1)


def _distinct(column: pd.Series[Any] | pa.ChunkedArray) -> list[str]:
    if isinstance(column, pa.ChunkedArray):
        parts = [chunk.dictionary if pa.types.is_dictionary(chunk.type) else chunk.unique() for chunk in column.chunks]
        return [str(code) for part in parts for code in part.to_pylist() if code is not None]
    if isinstance(column.dtype, pd.CategoricalDtype):
        return [str(code) for code in column.cat.categories]
    return [str(code) for code in column.dropna().unique()]


def pack(sizes: tuple[int, ...], *columns: Whole) -> Whole:
    """Join columns of positions into one key; any negative position makes the key -1."""
    key = np.zeros(len(columns[0]), dtype=np.int64)
    bad = np.zeros(len(columns[0]), dtype=bool)
    for size, column in zip(sizes, columns, strict=True):
        key = key * max(size, 1) + column
        bad |= column < 0
    return np.where(bad, -1, key)


def joined(*columns: Whole) -> Whole:
    """Join columns of whole numbers into one number: two rows have the same where all their columns agree."""
    key, room = np.zeros(len(columns[0]), dtype=np.int64), 1
    for column in columns:
        low = int(column.min()) if len(column) else 0
        span = (int(column.max()) - low + 1) if len(column) else 1
        if span > _WIDE:
            column, low = whole(pd.factorize(column)[0]), 0
            span = int(column.max()) + 1
        if room * span > _WIDEST:
            key = whole(pd.factorize(key)[0])
            room = int(key.max()) + 1 if len(key) else 1
        key, room = key * span + (column - low), room * span
    return key


def label(*columns: Whole) -> tuple[Whole, Whole]:
    """Number the distinct combinations of several columns.

    Returns
    -------
    (N,) int, (G,) int
        The group of each row, and the first row of each group.
    """
    group = whole(pd.factorize(joined(*columns))[0])
    count = int(group.max()) + 1 if len(group) else 0
    first = np.zeros(count, dtype=np.int64)
    first[group[::-1]] = np.arange(len(group) - 1, -1, -1)  # of a group's rows the first is written last
    return group, first


@dataclass(frozen=True)
class Keys:
    """Sorted unique keys with the position each came from."""

    keys: Whole
    position: Whole

    @classmethod
    def of(cls, keys: Whole) -> Keys:
        """Index keys by position; of a repeated key the first position is kept."""
        unique, position = np.unique(keys, return_index=True)
        known = unique >= 0
        return cls(unique[known], whole(position[known]))

    def find(self, keys: Whole) -> Whole:
        """Give the position of each key; -1 where it is not known."""
        if len(self.keys) == 0:
            return np.full(len(keys), -1, dtype=np.int64)
        at = np.minimum(np.searchsorted(self.keys, keys), len(self.keys) - 1)
        return np.where(self.keys[at] == keys, self.position[at], -1)


@dataclass(frozen=True)
class Tally:
    """Sums of amounts by key.

    Attributes
    ----------
    keys : (G,) int
        Sorted unique keys.
    amounts : (G,) float
        Their sums.
    """

    keys: Whole
    amounts: Floats

    @classmethod
    def of(cls, keys: Whole, amounts: Floats) -> Tally:
        """Sum amounts by key; negative keys are left out."""
        keep = keys >= 0
        unique, group = np.unique(keys[keep], return_inverse=True)
        sums = np.bincount(group, weights=amounts[keep], minlength=len(unique)).astype(np.float64)
        return cls(whole(unique), sums)

    def at(self, keys: Whole) -> Floats:
        """Give the sum of each key; 0 where there is none."""
        if len(self.keys) == 0:
            return np.zeros(len(keys))
        at = np.minimum(np.searchsorted(self.keys, keys), len(self.keys) - 1)
        return np.where(self.keys[at] == keys, self.amounts[at], 0.0)


def both(first: Tally, second: Tally) -> tuple[Whole, Floats, Floats]:
    """Lay two tallies side by side over the union of their keys."""
    if np.array_equal(first.keys, second.keys):
        return first.keys, first.amounts, second.amounts
    # A stable sort merges two sorted runs in one pass; numpy's own union hashes every key.
    keys = np.sort(np.concatenate([first.keys, second.keys]), kind="stable")
    keys = keys[np.concatenate([[True], keys[1:] != keys[:-1]])] if len(keys) else keys
    return keys, first.at(keys), second.at(keys)


def grid(shape: tuple[int, int], rows: Whole, columns: Whole, amounts: Floats) -> Floats:
    """Add amounts into a (rows, columns) table; negative rows or columns are left out."""
    keep = (rows >= 0) & (columns >= 0)
    sums = np.bincount(rows[keep] * shape[1] + columns[keep], weights=amounts[keep], minlength=shape[0] * shape[1])
    return sums.astype(np.float64).reshape(shape)
