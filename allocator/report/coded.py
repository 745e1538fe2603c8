"""Sums over tables of millions of rows, in bounded memory: codes instead of words, one slice of the rows at a time."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Whole = NDArray[np.int64]

SLICE = 1_000_000
"""Rows that are worked on at a time."""


def slices(frame: pd.DataFrame) -> Iterator[pd.DataFrame]:
    """Give the rows of a frame in slices."""
    for start in range(0, len(frame), SLICE):
        yield frame.iloc[start : start + SLICE]


def ranks(column: pd.Series, codes: pd.Index[str]) -> Whole:
    """Give the position of each word in `codes`, -1 where it is none of them or missing."""
    if isinstance(column.dtype, pd.CategoricalDtype):
        place = np.append(codes.get_indexer(pd.Index(column.cat.categories)), -1)
        return np.asarray(place[column.cat.codes.to_numpy()], dtype=np.int64)
    words = _words(column)
    found = pc.index_in(words, value_set=pa.array(codes.tolist(), type=words.type), skip_nulls=True)
    return np.asarray(pc.fill_null(found, -1)).astype(np.int64)


def _words(column: pd.Series) -> pa.Array:
    """A column of words as Arrow has it; no copy where pandas keeps its words so."""
    words = pa.array(column, from_pandas=True) if len(column) else pa.array([], type=pa.string())
    words = words.combine_chunks() if isinstance(words, pa.ChunkedArray) else words
    return words.cast(pa.string()) if pa.types.is_null(words.type) else words


def numbered(column: pd.Series) -> tuple[Whole, pd.Index[str]]:
    """Number the words (or dates) of a column: the number of each row (-1: missing), and the words sorted."""
    if column.dtype.kind == "M":
        dates, where = np.unique(column.to_numpy().astype("datetime64[D]"), return_inverse=True)
        return where.astype(np.int32), pd.Index(dates.astype(str), dtype=object)
    parts = [column.iloc[start : start + SLICE] for start in range(0, len(column), SLICE)]
    if isinstance(column.dtype, pd.CategoricalDtype):
        seen = {str(word) for word in column.cat.categories}
    else:
        seen = {str(word) for part in parts for word in pc.unique(_words(part)).to_pylist() if word is not None}
    words = pd.Index(sorted(seen), dtype=object)
    found = [ranks(part, words).astype(np.int32) for part in parts]
    return (np.concatenate(found) if found else np.empty(0, dtype=np.int32)), words


def groups(frame: pd.DataFrame, keys: Sequence[str]) -> tuple[Whole, pd.DataFrame]:
    """Number the combinations of words that occur in some columns.

    Returns
    -------
    (N,) int and DataFrame
        The combination of each row; the combinations, sorted, a missing word as "".
    """
    if frame.empty:
        return np.empty(0, dtype=np.int64), pd.DataFrame({key: pd.Series(dtype=object) for key in keys})
    joined, sizes, words = np.zeros(len(frame), dtype=np.int64), [], []
    for key in keys:
        place, known = numbered(frame[key])
        words.append(np.append(np.array([""], dtype=object), known.to_numpy(dtype=object)))
        sizes.append(len(known) + 1)
        joined = joined * sizes[-1] + place + 1
    present, where = np.unique(joined, return_inverse=True)
    columns = {}
    for key, size, known_words in zip(reversed(keys), reversed(sizes), reversed(words), strict=True):
        columns[key] = known_words[present % size]
        present = present // size
    return where.astype(np.int64), pd.DataFrame({key: columns[key] for key in keys})


def sums(frame: pd.DataFrame, keys: Sequence[str], figures: Sequence[str]) -> pd.DataFrame:
    """Sum figures by the combinations of words in some columns, sorted by them."""
    where, found = groups(frame, keys)
    totals = {
        name: np.bincount(where, weights=frame[name].to_numpy(float), minlength=len(found)).astype(float)
        for name in figures
    }
    return found.assign(**totals)


def largest(frame: pd.DataFrame, figure: str, ties: Sequence[str], top: int) -> pd.DataFrame:
    """Give the `top` rows with the largest figure, ties by other columns; only rows that may be among them are sorted."""
    if len(frame) > top:
        values = frame[figure].to_numpy(float)
        values = np.where(np.isnan(values), -np.inf, values)
        least = np.partition(values, len(values) - top)[len(values) - top]
        frame = frame[values >= least]
    return frame.sort_values([figure, *ties], ascending=[False, *[True] * len(ties)], kind="stable").head(top)
