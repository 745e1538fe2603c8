"""The words a table is declared in: a column, its type, its bounds, and the table that holds it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import pyarrow as pa

Kind = Literal["code", "text", "date", "whole", "amount", "flag", "choice", "mask7"]
Default = str | int | float | bool

_ARROW = {
    "code": pa.string(),
    "text": pa.string(),
    "choice": pa.string(),
    "mask7": pa.string(),
    "date": pa.date32(),
    "whole": pa.int64(),
    "amount": pa.float64(),
    "flag": pa.bool_(),
}


@dataclass(frozen=True)
class Column:
    """One column of an input table.

    Attributes
    ----------
    name, kind, about : str
        Name in the file, type, and one line of description.
    unit : str
        Unit of the figures, empty where there is none.
    default : str, int, float, bool or None
        Taken for a blank cell or an absent column.
    key, optional : bool
        Part of the table's key; may be blank or absent (and stays empty when there is no default).
    lo, hi : float or None
        Smallest and largest figure allowed; `above` makes `lo` itself too small.
    choices : tuple of str
        The words a `choice` may be.
    refers : str or None
        ``table.column`` in which the code must be found.
    least : float or None
        Smallest figure above 0: a size below it would be dropped by the solver.
    wild : bool
        ``*`` is allowed; a wild date is held as text (``*`` or the ISO day).
    """

    name: str
    kind: Kind
    about: str
    unit: str = ""
    default: Default | None = None
    key: bool = False
    optional: bool = False
    lo: float | None = None
    hi: float | None = None
    above: bool = False
    least: float | None = None
    choices: tuple[str, ...] = ()
    refers: str | None = None
    wild: bool = False

    @property
    def required(self) -> bool:
        """Whether a blank cell is an error."""
        return not self.optional and self.default is None

    @property
    def coded(self) -> bool:
        """Whether the column is held as indices into a sorted dictionary of words."""
        return self.kind in ("code", "text", "choice", "mask7") or self.wild

    @property
    def arrow(self) -> pa.DataType:
        """Canonical Arrow type."""
        return pa.string() if self.wild else _ARROW[self.kind]


@dataclass(frozen=True)
class TableSpec:
    """One input table: its name, what a row is, its columns in order, and whether the file may be absent.

    An `open` table may hold further columns, which are left alone; one that spells an absent column otherwise (`In Stock`) is still an error.
    """

    name: str
    about: str
    columns: tuple[Column, ...]
    optional: bool = False
    open: bool = False

    @property
    def names(self) -> list[str]:
        """Column names in schema order."""
        return [column.name for column in self.columns]

    @property
    def keys(self) -> list[str]:
        """Names of the key columns in schema order."""
        return [column.name for column in self.columns if column.key]

    @property
    def arrow(self) -> pa.Schema:
        """Canonical Arrow schema."""
        return pa.schema([(column.name, column.arrow) for column in self.columns])

    def column(self, name: str) -> Column:
        """Return the declaration of one column."""
        return next(column for column in self.columns if column.name == name)


def code(name: str, about: str, refers: str | None = None, **rest: object) -> Column:
    """Declare a code column, optionally one that refers to another table's key."""
    return Column(name, "code", about, refers=refers, **rest)  # type: ignore[arg-type]


def amount(name: str, about: str, unit: str = "", lo: float | None = 0.0, **rest: object) -> Column:
    """Declare a column of figures, 0 or more unless told otherwise."""
    return Column(name, "amount", about, unit, lo=lo, **rest)  # type: ignore[arg-type]


def whole(name: str, about: str, unit: str = "", lo: float | None = 0, **rest: object) -> Column:
    """Declare a column of whole numbers, 0 or more unless told otherwise."""
    return Column(name, "whole", about, unit, lo=lo, **rest)  # type: ignore[arg-type]


def choice(name: str, about: str, *choices: str, **rest: object) -> Column:
    """Declare a column that holds one of a few words."""
    return Column(name, "choice", about, choices=choices, **rest)  # type: ignore[arg-type]


def date(name: str, about: str, **rest: object) -> Column:
    """Declare a column of ISO days."""
    return Column(name, "date", about, **rest)  # type: ignore[arg-type]
