"""From what a file holds to canonical values: every cell converted or reported, whole columns at a time."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from allocator.tables.columns import Column
from allocator.tables.findings import VALUE_LENGTH

CODE_LENGTH = 200
TEXT_LENGTH = 10_000
LARGEST = 1e12
_NUMBER = r"^[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?$"
_FIRST_YEAR, _LAST_DAY = np.datetime64("1900-01-01").astype(int), np.datetime64("9999-12-31").astype(int)
_FLAGS = {"true": True, "1": True, "false": False, "0": False}

Mask = NDArray[np.bool_]


@dataclass
class Converted:
    """A canonical column, and for each kind of bad cell: which rows, what rule, what mend."""

    values: pa.Array
    faults: list[tuple[Mask, str, str]] = field(default_factory=list)

    @property
    def bad(self) -> Mask:
        """Rows whose cell could not be converted."""
        masks = [mask for mask, _, _ in self.faults]
        return np.logical_or.reduce(masks) if masks else np.zeros(len(self.values), bool)


class Unfit(Exception):
    """The whole column is of a type that can't hold such values."""


def convert(column: pa.ChunkedArray, spec: Column) -> Converted:
    """Convert a column as read to its canonical values, null where blank or bad.

    Parameters
    ----------
    column : pyarrow.ChunkedArray
        Text (plain or dictionary) from a CSV file, any sensible type from Parquet or a DataFrame.
    spec : Column
        Its declaration.

    Returns
    -------
    Converted
        Words as a dictionary array with sorted, distinct, trimmed words; the rest in its Arrow type.

    Raises
    ------
    Unfit
        If the type of the whole column is wrong.
    """
    kind = column.type.value_type if pa.types.is_dictionary(column.type) else column.type
    if pa.types.is_null(kind):
        column, kind = column.cast(pa.string()), pa.string()
    if spec.coded:
        return _words(_as_text(column, kind, spec), spec)
    if spec.kind == "date":
        return _dates(column, kind)
    if spec.kind == "flag":
        return _flags(column, kind)
    return _figures(column, kind, whole=spec.kind == "whole")


def is_text(kind: pa.DataType) -> bool:
    """Whether an Arrow type holds text."""
    return bool(pa.types.is_string(kind) or pa.types.is_large_string(kind) or pa.types.is_string_view(kind))


def distinct(column: pa.ChunkedArray) -> tuple[pa.Array, NDArray[np.int32]]:
    """Return the words of a text column and each row's index into them, -1 for null."""
    kind = column.type.value_type if pa.types.is_dictionary(column.type) else column.type
    if not pa.types.is_dictionary(column.type):
        column = column.cast(pa.string()) if not pa.types.is_string(kind) else column
        column = column.dictionary_encode()
    coded = column.unify_dictionaries().combine_chunks() if column.num_chunks else None
    if coded is None:
        return pa.array([], pa.string()), np.empty(0, np.int32)
    if isinstance(coded, pa.ChunkedArray):
        coded = coded.chunk(0) if coded.num_chunks else pa.DictionaryArray.from_arrays(pa.array([], pa.int32()), [])
    index = pc.fill_null(coded.indices.cast(pa.int32()), -1).to_numpy(zero_copy_only=False)
    words = coded.dictionary.cast(pa.string())
    if words.null_count:  # a null word is a null row
        gone = words.is_null().to_numpy(zero_copy_only=False)
        index = np.where((index >= 0) & gone[index], -1, index).astype(np.int32)
        words = pc.fill_null(words, "")
    return words, index


def coded(words: pa.Array, index: NDArray[Any]) -> pa.DictionaryArray:
    """Return a dictionary array over sorted, distinct, used words; index -1 is null."""
    used = np.zeros(len(words) + 1, bool)
    used[index] = True  # -1 marks the spare last place
    keep = np.flatnonzero(used[:-1])
    kept = words.take(pa.array(keep)) if len(keep) < len(words) else words
    merged = kept.dictionary_encode()
    order = pc.sort_indices(merged.dictionary).to_numpy()
    rank = np.empty(len(order), np.int32)
    rank[order] = np.arange(len(order), dtype=np.int32)
    place = np.full(len(words) + 1, -1, np.int32)
    place[keep] = rank[merged.indices.to_numpy()]
    index = place[index]
    return pa.DictionaryArray.from_arrays(pa.array(index, mask=index < 0), merged.dictionary.take(pa.array(order)))


def shortened(cells: pa.ChunkedArray) -> pa.Array | pa.ChunkedArray:
    """Return cells as read, long texts cut to what a finding shows, so that many of them can be told."""
    kind = cells.type.value_type if pa.types.is_dictionary(cells.type) else cells.type
    if not is_text(kind):
        return cells
    words, index = distinct(cells)
    short = pc.utf8_slice_codeunits(words, 0, VALUE_LENGTH + 1)
    return short.take(pa.array(index, mask=index < 0))


def rendered(values: pa.Array | pa.ChunkedArray) -> list[str | None]:
    """Return values as a person would write them."""
    return [None if v is None else _written(v) for v in values.to_pylist()]


def _written(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float) and value.is_integer() and abs(value) < 1e15:
        return str(int(value))
    return str(value)


def _as_text(column: pa.ChunkedArray, kind: pa.DataType, spec: Column) -> pa.ChunkedArray:
    if is_text(kind):
        return column
    if pa.types.is_integer(kind) or (spec.wild and pa.types.is_date(kind)):
        return column.cast(kind).cast(pa.string())
    raise Unfit(f"holds {kind}, not text")


def _words(column: pa.ChunkedArray, spec: Column) -> Converted:
    words, index = distinct(column)
    clean = pc.utf8_trim_whitespace(pc.utf8_normalize(words, form="NFC")) if spec.kind == "code" else words
    clean = pc.utf8_trim_whitespace(clean)
    result = Converted(values=pa.nulls(0))
    wrong = np.zeros(len(words), bool)
    for bad, rule, mend in _word_rules(clean, spec):
        fresh = bad & ~wrong
        if fresh.any():
            wrong |= fresh
            result.faults.append((np.append(fresh, False)[index], rule, mend))
    blank = pc.equal(clean, "").to_numpy(zero_copy_only=False)
    gone = np.append(blank | wrong, True)
    result.values = coded(clean, np.where(gone[index], -1, index))
    return result


def _word_rules(words: pa.Array, spec: Column) -> Iterator[tuple[Mask, str, str]]:
    limit = TEXT_LENGTH if spec.kind == "text" else CODE_LENGTH
    length = pc.utf8_length(words).to_numpy(zero_copy_only=False)
    yield length > limit, f"is longer than {limit:,} characters", "shorten it"
    marks = r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]" if spec.kind == "text" else r"[\p{C}\x{2028}\x{2029}]"
    yield _matches(words, marks), "holds a control or invisible character", "remove it"
    filled = length > 0
    if spec.kind == "mask7":
        yield filled & ~_matches(words, "^[01]{7}$"), "is not seven of 0 or 1", "give one for each day, Monday first"
    if spec.wild and spec.kind == "date":
        other = filled & ~pc.equal(words, "*").to_numpy(zero_copy_only=False)
        _, known = _days(words)
        yield other & ~known, "is neither an ISO day nor *", "write it as 2026-01-31, or *"


def _matches(words: pa.Array, pattern: str) -> Mask:
    found: Mask = pc.match_substring_regex(words, pattern).to_numpy(zero_copy_only=False)
    return found.astype(bool)


def _days(words: pa.Array) -> tuple[NDArray[np.int64], Mask]:
    """Days since 1970 of ISO days, and whether each word is one."""
    shaped = _matches(words, "^[0-9]{4}-[0-9]{2}-[0-9]{2}$")
    stamps = pc.strptime(pc.if_else(pa.array(shaped), words, "1970-01-01"), "%Y-%m-%d", "s", error_is_null=True)
    days = stamps.cast(pa.date32())
    # strptime turns 30 February into 2 March, so a day must come back as it was written
    same = pc.fill_null(pc.equal(pc.strftime(stamps, "%Y-%m-%d"), words), False).to_numpy(zero_copy_only=False)
    number = pc.fill_null(days.cast(pa.int32()), 0).to_numpy(zero_copy_only=False).astype(np.int64)
    return number, shaped & same & (number >= _FIRST_YEAR) & (number <= _LAST_DAY)


def _dates(column: pa.ChunkedArray, kind: pa.DataType) -> Converted:
    mend = "write it as 2026-01-31"
    if is_text(kind):
        words, index = distinct(column)
        words = pc.utf8_trim_whitespace(words)
        number, known = _days(words)
        filled = np.append(pc.not_equal(words, "").to_numpy(zero_copy_only=False), False)[index]
        fine = np.append(known, False)[index]
        day = np.append(number, 0)[index]
    elif pa.types.is_date(kind) or pa.types.is_timestamp(kind):
        if pa.types.is_timestamp(kind) and kind.tz is not None:
            raise Unfit(f"holds {kind}: a moment, not a day")
        column = column.cast(kind)
        filled = column.is_valid().to_numpy()
        floor = column if pa.types.is_date(kind) else pc.floor_temporal(column, unit="day")
        fine = np.ones(len(column), bool)
        if not pa.types.is_date32(kind):
            fine = pc.fill_null(pc.equal(floor.cast(column.type), column), False).to_numpy()
            if pa.types.is_date64(kind):
                floor = column.cast(pa.timestamp("ms"))
            floor = floor.cast(pa.date32(), safe=False)
        day = pc.fill_null(floor.cast(pa.int32()), 0).to_numpy().astype(np.int64)
        fine = fine & (day >= _FIRST_YEAR) & (day <= _LAST_DAY)
    else:
        raise Unfit(f"holds {kind}, not days")
    bad = filled & ~fine
    values = pa.array(day.astype(np.int32), mask=~(filled & fine)).cast(pa.date32())
    return Converted(values, [(bad, "is not an ISO day from 1900 on", mend)] if bad.any() else [])


def _flags(column: pa.ChunkedArray, kind: pa.DataType) -> Converted:
    if pa.types.is_boolean(kind):
        return Converted(_one(column.cast(kind)))
    if not (is_text(kind) or pa.types.is_integer(kind)):
        raise Unfit(f"holds {kind}, not true or false")
    words, index = distinct(column if is_text(kind) else column.cast(kind).cast(pa.string()))
    lower = pc.utf8_lower(pc.utf8_trim_whitespace(words)).to_pylist()
    known = np.array([word in _FLAGS for word in lower] + [False])[index]
    filled = np.array([word != "" for word in lower] + [False])[index]
    truth = np.array([_FLAGS.get(word, False) for word in lower] + [False])[index]
    bad = filled & ~known
    values = pa.array(truth, mask=~known)
    return Converted(values, [(bad, "is neither true nor false", "give true or false")] if bad.any() else [])


def _figures(column: pa.ChunkedArray, kind: pa.DataType, whole: bool) -> Converted:
    noun = "a whole number" if whole else "a number"
    if is_text(kind):
        words, index = distinct(column)  # each word once: a small file of few long words can't grow in memory
        words = pc.utf8_trim_whitespace(words)
        known = _matches(words, _NUMBER)
        value = pc.if_else(pa.array(known), words, "0").cast(pa.float64()).to_numpy(zero_copy_only=False)
        filled = np.append(pc.not_equal(words, "").to_numpy(zero_copy_only=False), False)[index]
        fine, number = np.append(known, False)[index], np.append(value, 0.0)[index]
    elif pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_decimal(kind):
        plain = _one(column.cast(kind)).cast(pa.float64(), safe=False)
        filled = plain.is_valid().to_numpy(zero_copy_only=False)
        number = pc.fill_null(plain, 0.0).to_numpy(zero_copy_only=False)
        fine = np.isfinite(number)
    else:
        raise Unfit(f"holds {kind}, not numbers")
    if whole:
        with np.errstate(invalid="ignore"):
            fine = fine & (np.floor(number) == number)
    huge = filled & fine & ~(np.abs(number) <= LARGEST)
    bad = filled & ~fine
    number = np.where(filled & fine & ~huge, number, 0.0) + 0.0  # turns -0.0 into 0.0
    values = pa.array(number.astype(np.int64) if whole else number, mask=~filled | bad | huge)
    result = Converted(values)
    if bad.any():
        result.faults.append(
            (bad, f"is not {noun}", f"give {noun} in plain digits, such as {'12' if whole else '12.5'}")
        )
    if huge.any():
        result.faults.append((huge, f"is beyond {LARGEST:.0e}", "check the unit"))
    return result


def _one(column: pa.ChunkedArray) -> pa.Array:
    array = column.combine_chunks()
    return array if isinstance(array, pa.Array) else pa.concat_arrays(array.chunks)
