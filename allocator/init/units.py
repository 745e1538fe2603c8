"""From the units of other tools to ours: columns of text in, columns of text out, and which cells could not be understood."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pandas as pd

from allocator.init.exports import plain_name

DAYS = {
    "s": 1 / 86400, "sec": 1 / 86400, "second": 1 / 86400, "seconds": 1 / 86400,
    "min": 1 / 1440, "mins": 1 / 1440, "minute": 1 / 1440, "minutes": 1 / 1440,
    "h": 1 / 24, "hr": 1 / 24, "hrs": 1 / 24, "hour": 1 / 24, "hours": 1 / 24,
    "d": 1.0, "day": 1.0, "days": 1.0, "wk": 7.0, "week": 7.0, "weeks": 7.0,
    "mo": 30.0, "month": 30.0, "months": 30.0, "yr": 365.0, "year": 365.0, "years": 365.0,
}  # fmt: skip
"""Days in a unit of time; a month counts 30, a year 365."""
CUBIC_METRES = {
    "m3": 1.0, "cbm": 1.0, "cubicmeter": 1.0, "cubicmetre": 1.0, "cubicmeters": 1.0, "cubicmetres": 1.0,
    "dm3": 1e-3, "l": 1e-3, "liter": 1e-3, "litre": 1e-3, "liters": 1e-3, "litres": 1e-3,
    "cm3": 1e-6, "ml": 1e-6, "cubiccentimeter": 1e-6, "cubiccentimeters": 1e-6,
    "ft3": 0.028316846592, "cft": 0.028316846592, "cuft": 0.028316846592, "cubicfoot": 0.028316846592,
    "cubicfeet": 0.028316846592, "in3": 1.6387064e-5, "cubicinch": 1.6387064e-5, "cubicinches": 1.6387064e-5,
    "gal": 0.003785411784, "gallon": 0.003785411784, "gallons": 0.003785411784,
}  # fmt: skip
"""Cubic metres in a unit of volume (the gallon is the US one)."""
KILOGRAMS = {
    "kg": 1.0, "kilogram": 1.0, "kilograms": 1.0, "g": 1e-3, "gram": 1e-3, "grams": 1e-3, "mg": 1e-6,
    "t": 1e3, "mt": 1e3, "tonne": 1e3, "tonnes": 1e3, "lb": 0.45359237, "lbs": 0.45359237, "pound": 0.45359237,
    "pounds": 0.45359237, "oz": 0.028349523125, "ounce": 0.028349523125, "ounces": 0.028349523125,
}  # fmt: skip
EACH = dict.fromkeys(("ea", "each", "eaches", "unit", "units", "pc", "pcs", "piece", "pieces"), 1.0)
EACH |= dict.fromkeys(("doz", "dz", "dozen", "dozens"), 12.0)
"""Units in a unit of count."""
UNITS = {"days": DAYS, "whole days": DAYS, "m3": CUBIC_METRES, "kg": KILOGRAMS, "units": EACH, "per unit": EACH}
"""By what a cell becomes: the units it may be given in, and what they come to."""

_CLOCK = (
    r"^(?:(?P<days>\d+)(?:\s*days?,?)?\s+)?(?P<hours>\d+):(?P<minutes>\d{1,2})(?::(?P<seconds>\d{1,2}(?:\.\d+)?))?$"
)
_ISO_DAY = r"^(\d{4}-\d{2}-\d{2})(?:[T ].*)?$"
_TRUE, _FALSE = frozenset({"true", "1", "yes", "y", "t"}), frozenset({"false", "0", "no", "n", "f"})

Cells = tuple["pd.Series[str]", "pd.Series[bool]"]


def written(values: pd.Series[float]) -> pd.Series[str]:
    """Write figures to twelve digits; NaN is blank."""
    whole = (values == np.floor(values)) & (values.abs() < 1e15)
    text = values.astype(object).map("{:.12g}".format, na_action="ignore").astype(str)
    short = values.where(whole, 0).astype("int64").astype(str)
    return text.where(~whole, short).mask(values.isna(), "")


def numbers(cells: pd.Series[str]) -> pd.Series[float]:
    """Read figures; what is none is NaN."""
    return pd.to_numeric(cells.where(cells != "", None), errors="coerce").astype(float)


def convert_cells(cells: pd.Series[str], into: str, units: pd.Series[str], unit: str) -> Cells:
    """Convert a column.

    Parameters
    ----------
    cells : Series of str
        As exported; blank = "".
    into : str
        ``text``, ``number``, ``days``, ``whole days`` (rounded up), ``m3``, ``kg``, ``units``, ``per unit``, ``day``, ``until``, ``percent`` or ``flag``.
    units : Series of str
        The unit of each cell, blank where it is `unit`.
    unit : str
        The unit where none is given.

    Returns
    -------
    (Series of str, Series of bool)
        The converted cells, and which of them could not be understood; those come back as they were.
    """
    return _HOW[into](cells, into, units.where(units != "", unit))


def _text(cells: pd.Series[str], into: str, units: pd.Series[str]) -> Cells:
    return cells, pd.Series(False, index=cells.index)


def _number(cells: pd.Series[str], into: str, units: pd.Series[str]) -> Cells:
    return _figures(cells, numbers(cells))


def _percent(cells: pd.Series[str], into: str, units: pd.Series[str]) -> Cells:
    bare = cells.str.removesuffix("%").str.strip()
    return _figures(cells, numbers(bare) / 100)


def _measured(cells: pd.Series[str], into: str, units: pd.Series[str]) -> Cells:
    known = UNITS[into]
    factor = units.map({unit: known.get(plain_name(unit), np.nan) for unit in units.unique()}).astype(float)
    # what a unit costs goes the other way: a price of a dozen is a twelfth for each
    values = numbers(cells) / factor if into == "per unit" else numbers(cells) * factor
    if into == "days" or into == "whole days":
        values = values.where(values.notna(), _clock(cells))
    if into == "whole days":
        values = pd.Series(np.ceil(values - 1e-9), index=cells.index)
    return _figures(cells, values)


def _clock(cells: pd.Series[str]) -> pd.Series[float]:
    """Durations such as ``7 00:00:00``, ``7 days, 12:00:00`` and ``168:00:00``. [days]"""
    parts = cells.str.extract(_CLOCK).astype(float)
    days = parts["days"].fillna(0) + parts["minutes"].fillna(0) / 1440 + parts["seconds"].fillna(0) / 86400
    return days + parts["hours"] / 24


def _figures(cells: pd.Series[str], values: pd.Series[float]) -> Cells:
    bad = values.isna() & (cells != "")
    return cells.where(bad, written(values)), bad


def _day(cells: pd.Series[str], into: str, units: pd.Series[str]) -> Cells:
    found = cells.str.extract(_ISO_DAY)[0]
    bad = found.isna() & (cells != "")
    return found.where(~found.isna(), cells), bad


def _until(cells: pd.Series[str], into: str, units: pd.Series[str]) -> Cells:
    """The day on which a period is over: the next one where it ends in the course of a day."""
    found, bad = _day(cells, into, units)
    late = cells.str.contains(r"[T ](?!00:00)\d{2}:\d{2}", regex=True) & ~bad
    following = pd.to_datetime(found.where(late & ~bad, None), format="%Y-%m-%d", errors="coerce") + pd.Timedelta(
        days=1
    )
    return found.mask(late, following.dt.strftime("%Y-%m-%d")), bad


def _flag(cells: pd.Series[str], into: str, units: pd.Series[str]) -> Cells:
    low = cells.str.lower()
    said = low.map({**dict.fromkeys(_TRUE, "true"), **dict.fromkeys(_FALSE, "false"), "": ""})
    return cells.where(said.isna(), said), said.isna()


_HOW: dict[str, Callable[[pd.Series[str], str, pd.Series[str]], Cells]] = {
    "text": _text,
    "number": _number,
    "percent": _percent,
    "day": _day,
    "until": _until,
    "flag": _flag,
    **dict.fromkeys(UNITS, _measured),
}
