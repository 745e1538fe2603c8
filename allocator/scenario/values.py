"""One value of a scenario file against the column it is meant for."""

from __future__ import annotations

import datetime
import math
from typing import Any

import pyarrow as pa

from allocator.tables.columns import Column
from allocator.tables.convert import Unfit, convert
from allocator.tables.findings import nearest
from allocator.tables.settings import Settings

WANTED = {
    "amount": "a number",
    "whole": "a whole number",
    "flag": "true or false",
    "date": "a day such as 2026-01-31",
    "code": "text in quotes",
    "text": "text in quotes",
    "choice": "text in quotes",
    "mask7": "seven of 0 or 1 in quotes",
}


class Refused(Exception):
    """A value that does not fit: what is wrong with it, and the mend."""

    def __init__(self, rule: str, mend: str) -> None:
        super().__init__(rule)
        self.rule, self.mend = rule, mend


def text_of(value: object) -> str:
    """Write a TOML value as the cell of a table."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, datetime.date):
        return value.isoformat()
    return repr(value) if isinstance(value, float) else str(value)


def check_type(value: object, column: Column) -> None:
    """Refuse a TOML value of a type the column can't hold; an empty string is a blank cell.

    Raises
    ------
    Refused
    """
    if value == "" and isinstance(value, str):
        return
    flag = isinstance(value, bool)
    fits = {
        "amount": isinstance(value, int | float) and not flag,
        "whole": isinstance(value, int | float) and not flag,
        "flag": flag,
        "date": isinstance(value, str) or type(value) is datetime.date,
        "code": isinstance(value, str) or (isinstance(value, int) and not flag),
    }.get(column.kind, isinstance(value, str))
    if not fits:
        raise Refused(f"is not {WANTED[column.kind]}", f"give {column.about} as {WANTED[column.kind]}")
    if isinstance(value, float) and not math.isfinite(value):
        raise Refused("is not a finite number", "give a plain number")


def cell(value: object, column: Column) -> pa.Scalar:
    """Convert one TOML value to the plain value of a cell (words as text), null for a blank one.

    Raises
    ------
    Refused
        When its type, its form, its bounds or its word is not what the column holds.
    """
    check_type(value, column)
    try:
        found = convert(pa.chunked_array([pa.array([text_of(value)], pa.string())]), column)
    except Unfit as error:
        raise Refused(str(error), f"give {column.about}") from None
    for mask, rule, mend in found.faults:
        if mask[0]:
            raise Refused(rule, mend)
    plain = found.values.cast(pa.string()) if column.coded else found.values
    return plain[0]


def new_cell(value: object, column: Column) -> pa.Scalar:
    """Convert a value that a cell is to take: blank means the column's default, and must be allowed.

    Raises
    ------
    Refused
    """
    made = cell(value, column)
    if not made.is_valid:
        if column.required:
            raise Refused("is blank", f"give {column.about}")
        return pa.scalar(column.default, made.type)
    if column.choices and made.as_py() not in column.choices:
        like = nearest(made.as_py(), column.choices)
        raise Refused("is not one of its words", f"write {like}" if like else f"give {', '.join(column.choices)}")
    if column.lo is not None or column.hi is not None:
        check_bounds(float(made.as_py()), column)
    return made


def check_bounds(figure: float, column: Column) -> None:
    """Refuse a figure beyond the bounds of its column.

    Raises
    ------
    Refused
    """
    if column.lo is not None and (figure <= column.lo if column.above else figure < column.lo):
        rule, mend = ("is not above", "give more than") if column.above else ("is below", "give at least")
        raise Refused(f"{rule} {column.lo:g}", f"{mend} {column.lo:g}")
    if column.hi is not None and figure > column.hi:
        raise Refused(f"is above {column.hi:g}", f"give {column.hi:g} or less")


def stated(settings: Settings) -> dict[str, Any]:
    """Return the settings as network.toml states them, without defaults."""
    return settings.model_dump(exclude_unset=True)
