"""Codes to ranks, amounts to arrays: the reading side of the coded network."""

from __future__ import annotations

import datetime as dt
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]


def ranks(table: pa.Table, column: str, codes: list[str]) -> IntArray:
    """Rank of each code of a column in a sorted list of codes; -1 where the code is null or not in the list."""
    return _ranks(table[column].combine_chunks(), codes)


def _ranks(array: Any, codes: list[str]) -> IntArray:
    if isinstance(array, pa.ChunkedArray):
        array = array.combine_chunks() if array.num_chunks else pa.array([], type=array.type)
    values = pa.array(codes, type=pa.string())
    if pa.types.is_dictionary(array.type):
        found = pc.index_in(array.dictionary.cast(pa.string()), value_set=values)
        taken = found.take(array.indices)
    else:
        taken = pc.index_in(array.cast(pa.string()), value_set=values)
    return np.asarray(pc.fill_null(taken, -1)).astype(np.int64)


def texts(table: pa.Table, column: str) -> list[str | None]:
    """A column as Python strings, None where blank."""
    return list(table[column].cast(pa.string()).to_pylist())


def amounts(table: pa.Table, column: str, blank: float = np.nan) -> FloatArray:
    """A column of numbers as float64, ``blank`` where null."""
    return np.asarray(pc.fill_null(table[column].cast(pa.float64()), blank)).astype(np.float64)


def wholes(table: pa.Table, column: str) -> IntArray:
    """A column of whole numbers as int64 (no nulls)."""
    return np.asarray(table[column].cast(pa.int64())).astype(np.int64)


def flags(table: pa.Table, column: str) -> NDArray[np.bool_]:
    """A column of true and false (no nulls)."""
    return np.asarray(table[column].cast(pa.bool_())).astype(np.bool_)


def day_numbers(table: pa.Table, column: str, start: dt.date, blank: int) -> IntArray:
    """Dates as days from ``start``, ``blank`` where null."""
    days = pc.fill_null(table[column].cast(pa.int32()), np.iinfo(np.int32).min)
    numbers = np.asarray(days).astype(np.int64)
    origin = (start - dt.date(1970, 1, 1)).days
    return np.where(numbers == np.iinfo(np.int32).min, blank, numbers - origin)


def choices(table: pa.Table, column: str, values: tuple[str, ...]) -> IntArray:
    """A column of choices as their place in ``values``; -1 where blank."""
    return _ranks(table[column].combine_chunks(), list(values))
