"""Rename maps: which table and column of an export becomes which of a network. The maps are data (``maps/*.toml``); this reads and applies them."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from allocator.init.exports import Sheet, plain_name
from allocator.init.units import convert_cells

MAPS = Path(__file__).parent / "maps"
TABLE, ROW = "_table", "_row"
"""Where a row came from, beside its cells: table and row number of the export."""

Rows = pd.DataFrame


@dataclass(frozen=True)
class RenameMap:
    """What is carried over from one tool's exports.

    Attributes
    ----------
    title : str
        The tool.
    blank : frozenset of str
        Words that stand for a blank cell.
    settings : dict
        Where start, currency and such are found.
    rules : tuple of dict
        Each: ``table`` of the export, ``into`` of the network, ``columns``, and which rows (``only``, ``leave``, ``unless``).
    assume : dict
        What the exports do not say.
    ignore : dict of str to str
        Tables and columns (``table.column``) that are left out on purpose, and why.
    """

    title: str
    blank: frozenset[str]
    settings: Mapping[str, Any]
    rules: tuple[Mapping[str, Any], ...]
    assume: Mapping[str, Any]
    ignore: Mapping[str, str]


@dataclass(frozen=True)
class Left:
    """Rows (or cells) of an export that are not carried over, for one reason.

    Attributes
    ----------
    table : str
    rows : list of int
        From 1 in the table, the header not counted; empty for the whole table.
    why : str
    column : str
        Blank for whole rows.
    """

    table: str
    rows: list[int]
    why: str
    column: str = ""


@dataclass
class Taken:
    """What a map took from an export: rows for each table of a network, all cells text, and what was left behind."""

    tables: dict[str, list[Rows]] = field(default_factory=dict)
    left: list[Left] = field(default_factory=list)


@cache
def rename_map(name: str) -> RenameMap:
    """Read a map by its name."""
    data = tomllib.loads((MAPS / f"{name}.toml").read_text("utf-8"))
    return RenameMap(
        data["title"],
        frozenset(data.get("blank", ())),
        data.get("settings", {}),
        tuple(data["rule"]),
        data.get("assume", {}),
        {".".join(plain_name(part) for part in key.split(".")): why for key, why in data.get("ignore", {}).items()},
    )


def take(sheets: Mapping[str, Sheet], chart: RenameMap, start: str) -> Taken:
    """Apply a map to an export.

    Parameters
    ----------
    sheets : dict of str to Sheet
        From :func:`allocator.init.exports.read_export`; which rows and columns were used is noted in them.
    chart : RenameMap
    start : str
        First day planned, for rules that look at the past.
    """
    taken = Taken()
    for rule in chart.rules:
        sheet = sheets.get(plain_name(rule["table"]))
        if sheet is None or plain_name(rule.get("unless", "")) in sheets:
            continue
        keep = _kept(rule, sheet, sheets, start, taken)
        sheet.taken |= keep.to_numpy()
        if keep.any():
            taken.tables.setdefault(rule["into"], []).append(_columns(rule, sheet, keep, sheets, taken))
    return taken


def _kept(
    rule: Mapping[str, Any], sheet: Sheet, sheets: Mapping[str, Sheet], start: str, taken: Taken
) -> pd.Series[bool]:
    keep = pd.Series(True, index=sheet.frame.index)
    for test in rule.get("only", ()):
        keep &= _holds(test, sheet, sheets, start)
    for test in rule.get("leave", ()):
        gone = keep & _holds(test, sheet, sheets, start)
        if gone.any():
            taken.left.append(Left(sheet.name, (np.flatnonzero(gone) + 1).tolist(), test["why"]))
            sheet.taken |= gone.to_numpy()
            keep &= ~gone
    return keep


def _holds(test: Mapping[str, Any], sheet: Sheet, sheets: Mapping[str, Sheet], start: str) -> pd.Series[bool]:
    """Which rows a test is true of: ``is`` any of these words, ``blank``, ``within`` other columns, ``before`` the start; ``not`` turns it round."""
    cells = _cells(sheet, test["column"])
    if "is" in test:
        held = cells.str.lower().isin([str(word).lower() for word in test["is"]])
    elif "blank" in test:
        held = (cells == "") == test["blank"]
    elif "before" in test:
        held = (cells != "") & (cells.str.slice(0, 10) < start)
    else:
        known: set[str] = set()
        for place in test["within"]:
            name, _, column = place.partition(".")
            if (other := sheets.get(plain_name(name))) is not None:
                known |= set(_cells(other, column)) - {""}
        held = cells.isin(known)
    return ~held if test.get("not") else held


def _cells(sheet: Sheet, names: str) -> pd.Series[str]:
    """The first filled cell of several columns (``destination|location``); blank where none of them is there or filled."""
    cells = pd.Series("", index=sheet.frame.index, dtype=object)
    for name in names.split("|"):
        if (plain := plain_name(name)) in sheet.frame.columns:
            sheet.used.add(plain)
            cells = cells.where(cells != "", sheet.frame[plain])
    return cells


def _columns(
    rule: Mapping[str, Any], sheet: Sheet, keep: pd.Series[bool], sheets: Mapping[str, Sheet], taken: Taken
) -> Rows:
    made: dict[str, pd.Series[str]] = {}
    for name, spec in rule["columns"].items():
        spec = {"from": spec} if isinstance(spec, str) else spec
        cells, bad = _column(spec, sheet, sheets)
        wrong = keep & bad
        if wrong.any():
            what = "row is left out" if spec.get("needed") else "cell is left blank"
            why = f"can't be understood as {spec['as']}: the {what}"
            taken.left.append(Left(sheet.name, (np.flatnonzero(wrong) + 1).tolist(), why, str(spec.get("from", name))))
            cells = cells.mask(wrong, "")
            keep = keep & ~wrong if spec.get("needed") else keep
        made[name] = cells
    frame = pd.DataFrame(made)[keep].reset_index(drop=True)
    frame[TABLE] = sheet.name
    frame[ROW] = np.flatnonzero(keep) + 1
    return frame


def _column(
    spec: Mapping[str, Any], sheet: Sheet, sheets: Mapping[str, Sheet]
) -> tuple[pd.Series[str], pd.Series[bool]]:
    """One column: renamed (``from``), looked up (``lookup``, ``by``), constant (``value``), in our unit (``as``, ``unit``), in our words (``words``)."""
    bad = pd.Series(False, index=sheet.frame.index)
    if "value" in spec:
        return pd.Series(str(spec["value"]), index=sheet.frame.index, dtype=object), bad
    if "join" in spec:
        cells = _cells(sheet, spec["join"][0])
        for name in spec["join"][1:]:
            cells = cells.str.cat(_cells(sheet, name), sep=" ")
        cells = cells.str.strip()
        return cells.mask(cells == "", str(spec.get("default", ""))), bad
    units = _cells(sheet, spec["unit"]) if "unit" in spec else pd.Series("", index=sheet.frame.index, dtype=object)
    if "lookup" in spec:
        cells, units = _looked_up(spec, sheet, sheets)
    else:
        cells = _cells(sheet, spec["from"])
    if "less" in spec:
        cells = _less(cells, _cells(sheet, spec["less"]))
    if "words" in spec:
        words = {plain_name(word): ours for word, ours in spec["words"].items()}
        cells = cells.map(lambda cell: words.get(plain_name(cell), spec.get("otherwise", cell)))
    if "as" in spec:
        cells, bad = convert_cells(cells, spec["as"], units, spec.get("in", ""))
    if "before" in spec:
        cells = cells.where(cells == "", spec["before"] + cells)
    if "default" in spec:
        cells = cells.mask(cells == "", str(spec["default"]))
    return cells, bad


def _less(cells: pd.Series[str], less: pd.Series[str]) -> pd.Series[str]:
    """One figure less another, not below 0; as it is where either is none."""
    from allocator.init.units import numbers, written

    left = (numbers(cells) - numbers(less)).clip(lower=0)
    return cells.where(left.isna(), written(left))


def _looked_up(
    spec: Mapping[str, Any], sheet: Sheet, sheets: Mapping[str, Sheet]
) -> tuple[pd.Series[str], pd.Series[str]]:
    """A column of another table, with its unit, by equal keys; the first row with that key. No keys: the table's first row."""
    nothing = pd.Series("", index=sheet.frame.index, dtype=object)
    other = sheets.get(plain_name(spec["lookup"]))
    if other is None or not len(other.frame):
        return nothing, nothing
    cells, units = _cells(other, spec["from"]), _cells(other, spec["unit"]) if "unit" in spec else None
    if not spec.get("by"):
        other.taken[0] = True
        return nothing + cells.iloc[0], nothing + ("" if units is None else units.iloc[0])
    theirs = _key([_cells(other, name) for name in spec["by"]])
    ours = _key([_cells(sheet, name) for name in spec["by"].values()])
    first = ~theirs.duplicated()
    place = ours.map(pd.Series(np.flatnonzero(first), index=theirs[first].to_numpy()))
    found = place.notna().to_numpy()
    at = place[found].to_numpy().astype(int)
    other.taken |= theirs.isin(ours).to_numpy() & first.to_numpy()
    out, unit = nothing.copy(), nothing.copy()
    out[found] = cells.to_numpy()[at]
    if units is not None:
        unit[found] = units.to_numpy()[at]
    return out, unit


def _key(parts: Sequence[pd.Series[str]]) -> pd.Series[str]:
    key = parts[0]
    for part in parts[1:]:
        key = key + "\0" + part
    return key


def setting(spec: Mapping[str, Any], sheets: Mapping[str, Sheet]) -> str:
    """One setting: the first (or ``last = true``: greatest) filled cell of a column, of the rows ``where`` another column says so; else ''."""
    sheet = sheets.get(plain_name(spec["table"]))
    if sheet is None:
        return ""
    cells = _cells(sheet, spec["column"])
    rows = cells != ""
    for column, word in spec.get("where", {}).items():
        rows &= _cells(sheet, column).str.lower() == word.lower()
    if spec.get("where"):
        sheet.taken |= rows.to_numpy()
    found = cells[rows]
    if found.empty:
        return ""
    return str(found.max() if spec.get("last") else found.iloc[0])
