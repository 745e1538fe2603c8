"""Figures, dates and resources in a planner's words."""

from __future__ import annotations

import datetime
import math
from collections.abc import Mapping
from typing import Any

import pandas as pd

DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
NOTHING = "–"
NAMES = {
    "storage": "storage",
    "inbound": "inbound volume",
    "outbound": "outbound volume",
    "outbound_units": "outbound units",
    "lane_volume": "lane volume",
    "vehicles": "vehicles",
    "admission": "admission limit",
    "min_fill": "minimum fill",
}


def is_missing(value: Any) -> bool:
    """Tell whether a cell is None, NaN or NaT."""
    return value is None or value is pd.NaT or (isinstance(value, float) and math.isnan(value))


def number(value: float, decimals: int = 0) -> str:
    """Write a figure with thousands apart; whole numbers without decimals."""
    if is_missing(value):
        return NOTHING
    decimals = 0 if abs(value - round(value)) < 1e-9 and decimals < 2 else decimals
    written = f"{value:,.{decimals}f}"
    return written[1:] if written.startswith("-") and not any(mark in "123456789" for mark in written) else written


def figure(value: float) -> str:
    """Write a figure that stands alone, large: a whole number with a true minus sign."""
    return number(value).replace("-", "−")


def amount(value: float) -> str:
    """Write a quantity: whole where it is whole, else up to two decimals, and two digits of a very small one."""
    if is_missing(value):
        return NOTHING
    if 1e-9 < abs(value) < 0.01:
        return f"{value:.2g}"
    return number(value, 2).rstrip("0").rstrip(".") if "." in number(value, 2) else number(value)


def compact(value: float) -> str:
    """Write a figure in at most four characters and a unit sign, for axes: 950, 12k, 1.2M."""
    for size, sign in ((1e9, "bn"), (1e6, "M"), (1e3, "k")):
        if abs(value) >= size * 0.9995:
            return f"{value / size:.3g}{sign}"
    return f"{value:.3g}"


def money(value: float, currency: str, decimals: int = 0) -> str:
    """Write an amount of money."""
    return NOTHING if is_missing(value) else f"{number(value, decimals)} {currency}"


def share(value: float, decimals: int = 1) -> str:
    """Write a share as per cent."""
    return NOTHING if is_missing(value) else f"{100 * value:,.{decimals}f} %"


def gap(value: float) -> str:
    """Write a proven gap: enough digits to tell it from 0."""
    if is_missing(value):
        return NOTHING
    percent = 100 * abs(value)
    return f"{percent:.2f} %" if percent >= 0.01 or percent == 0 else f"{percent:.1g} %"


def date_of(value: Any) -> datetime.date:
    """Turn an ISO day, a timestamp or a date into a date."""
    if isinstance(value, str):
        return datetime.date.fromisoformat(value[:10])
    return value.date() if isinstance(value, datetime.datetime) else value


def day(value: Any) -> str:
    """Write a date briefly: Tue 7 Oct."""
    if is_missing(value) or value == "":
        return NOTHING
    date = date_of(value)
    return f"{DAYS[date.weekday()]} {date.day} {MONTHS[date.month - 1]}"


def long_day(value: Any) -> str:
    """Write a date in a sentence: Tuesday 7 Oct."""
    date = date_of(value)
    return f"{WEEKDAYS[date.weekday()]} {date.day} {MONTHS[date.month - 1]}"


def full_day(value: Any) -> str:
    """Write a date with its year: 7 Oct 2025."""
    if is_missing(value) or value == "":
        return NOTHING
    date = date_of(value)
    return f"{date.day} {MONTHS[date.month - 1]} {date.year}"


def measured(value: float, unit: str, currency: str) -> str:
    """Write a KPI with its unit."""
    if is_missing(value):
        return NOTHING
    if unit == "share":
        return share(value)
    if unit == currency:
        return money(value, currency)
    return f"{number(value, 1 if abs(value) < 100 else 0)} {unit}"


def reason(code: Any) -> str:
    """Write a reason's code in words: `short_supply` as short supply."""
    return "not stated" if is_missing(code) or code == "" else str(code).replace("_", " ")


def place(price: Mapping[str, Any]) -> str:
    """Say where a priced resource is: `DC1`, `DC1 to S1 (standard)`, `web at DC1`."""
    stated = {key: value for key, value in price.items() if not is_missing(value) and value != ""}
    if "origin" in stated:
        mode = f" ({stated['mode']})" if stated.get("mode", "standard") != "standard" else ""
        where = f"{stated['origin']} to {stated.get('destination', '')}{mode}"
    else:
        where = str(stated.get("site", ""))
    if "channel" in stated:
        return f"{stated['channel']} at {where}" if where else str(stated["channel"])
    return where


def single(unit: Any) -> str:
    """Give a unit in the singular."""
    return {"units": "unit", "vehicles": "vehicle", "None": "unit", "": "unit"}.get(str(unit), str(unit))


def worth_sentence(price: Mapping[str, Any], currency: str) -> str:
    """Say what one more is worth: `outbound volume at DC1 on Tuesday 7 Oct: one more m3 is worth 12.40 USD`."""
    resource, where = NAMES.get(str(price["resource"]), str(price["resource"])), place(price)
    joint = (
        " on " if not is_missing(price.get("origin")) else " of " if not is_missing(price.get("channel")) else " at "
    )
    words = f"{resource}{joint}{where}" if where else resource
    if not is_missing(price.get("date")):
        words += f" on {long_day(price['date'])}"
    if price["resource"] == "vehicles" and price.get("use") == 0:
        # the started vehicles are fixed when prices are read off: of a lane without one this is what a first m3 would be worth
        return f"{words}: none goes; room in one would be worth {number(float(price['price']), 2)} {currency} for the first m3"
    return f"{words}: one more {single(price.get('unit'))} is worth {number(float(price['price']), 2)} {currency}"
