"""Words as whole numbers: the codes of a network with their positions, and runs of items."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from allocator.measure.days import Whole

CELLS = 2_000_000
"""Items x sites x buckets looked at together: what bounds the memory of a measurement."""
Column = Any  # pandas.Series, pyarrow.ChunkedArray or pyarrow.Array


@dataclass(frozen=True)
class Words:
    """A list of words; a word is known by its position.

    Attributes
    ----------
    words : pyarrow.Array of str
        Distinct words.
    """

    words: pa.Array

    @classmethod
    def of(cls, *columns: Column) -> Words:
        """Collect the words of some columns, sorted."""
        parts = [_distinct(column) for column in columns]
        found = pa.concat_arrays(parts).unique() if parts else pa.array([], pa.string())
        return cls(found.take(pc.sort_indices(found)))

    def __len__(self) -> int:
        return len(self.words)

    def list(self) -> list[str]:
        """Give the words as Python strings."""
        return [str(word) for word in self.words.to_pylist()]

    def text(self, positions: Whole) -> pd.Series:
        """Write positions as words again."""
        words: pd.Series = self.words.take(pa.array(positions)).to_pandas()
        return words

    def find(self, column: Column) -> NDArray[np.int32]:
        """Give the position of each word of a column, plain or coded; -1 for a word not in the list and for none."""
        if isinstance(column, pd.Series) and isinstance(column.dtype, pd.CategoricalDtype):
            return np.append(self._places(_arrow(column.cat.categories)), np.int32(-1))[column.cat.codes.to_numpy()]
        cells = _arrow(column) if isinstance(column, pd.Series) else column
        if not pa.types.is_dictionary(cells.type):
            return self._places(cells)
        chunks = cells.chunks if isinstance(cells, pa.ChunkedArray) else [cells]
        parts = []
        for chunk in chunks:
            index = pc.fill_null(chunk.indices.cast(pa.int32()), -1).to_numpy(zero_copy_only=False)
            parts.append(np.append(self._places(chunk.dictionary), np.int32(-1))[index])
        return np.concatenate(parts) if parts else np.empty(0, np.int32)

    def _places(self, cells: pa.Array | pa.ChunkedArray) -> NDArray[np.int32]:
        if pa.types.is_null(cells.type):
            return np.full(len(cells), -1, dtype=np.int32)
        found = pc.fill_null(pc.index_in(cells, value_set=self.words.cast(cells.type), skip_nulls=True), -1)
        return np.asarray(found.to_numpy(zero_copy_only=False) if isinstance(found, pa.Array) else found.to_numpy())


def _arrow(column: pd.Series | pd.Index) -> pa.Array | pa.ChunkedArray:
    cells = pa.array(column, from_pandas=True)
    text = pa.types.is_string(cells.type) or pa.types.is_large_string(cells.type) or pa.types.is_null(cells.type)
    return cells if text else pa.array([None if cell is None else str(cell) for cell in cells.to_pylist()], pa.string())


def _distinct(column: Column) -> pa.Array:
    cells = _arrow(column) if isinstance(column, pd.Series) else column
    found = cells.unique()
    if pa.types.is_dictionary(found.type):
        found = found.dictionary_decode()
    return found.cast(pa.string()).drop_null()


def runs(items: int, cells: int) -> Iterator[tuple[int, int]]:
    """Cut items into runs of at most `CELLS` cells, `cells` for each item; one run, perhaps empty, at least."""
    step = max(1, CELLS // max(cells, 1))
    for first in range(0, max(items, 1), step):
        yield first, min(first + step, items)
