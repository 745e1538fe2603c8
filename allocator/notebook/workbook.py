"""A plan as a spreadsheet: one sheet a table; needs the extra `[excel]` (XlsxWriter)."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

if TYPE_CHECKING:
    from allocator.plan.plan import Plan

MOST_ROWS = 1_048_575
"""Rows below the heading that a sheet of a spreadsheet can hold."""
SLICE = 50_000
STARTS = ("=", "+", "-", "@", "\t", "\r")


def write_workbook(plan: Plan, path: str | Path, most_rows: int = MOST_ROWS) -> Path:
    """Write a plan's tables into a workbook, one sheet each, and a first sheet that says what they are.

    Parameters
    ----------
    plan : Plan
    path : str or Path
        An older file there is replaced once the new one is whole.
    most_rows : int
        Rows a sheet may take; of a longer table the first ones are written, and the first sheet says how many are left out.

    Returns
    -------
    Path

    Raises
    ------
    ImportError
        When XlsxWriter is not installed.
    ValueError
        When the name does not end in .xlsx.
    """
    try:
        import xlsxwriter
    except ImportError:
        raise ImportError(
            "workbooks need XlsxWriter; install it with: pip install 'inventory-allocator[excel]'"
        ) from None
    target = Path(path)
    if target.suffix.lower() != ".xlsx":
        raise ValueError(f"to_excel: expected a name that ends in .xlsx, found '{target.name}'")
    part = target.with_name(f".{target.name}.part")
    options = {
        # one row in memory at a time; text stays text, whatever it looks like
        "constant_memory": True,
        "strings_to_formulas": False,
        "strings_to_urls": False,
        "strings_to_numbers": False,
        "nan_inf_to_errors": True,
    }
    try:
        with xlsxwriter.Workbook(str(part), options) as book:
            book.set_properties({"created": _made(plan), "title": plan.network.settings.name})
            _about(book, plan, most_rows)
            for name, frame in plan.tables.items():
                _sheet(book, name, frame.head(most_rows))
        part.replace(target)
    finally:
        part.unlink(missing_ok=True)
    return target


def _made(plan: Plan) -> dt.datetime:
    """When the plan was made, so that the same plan gives the same file."""
    stated = plan.manifest.get("created")
    return dt.datetime.fromisoformat(str(stated)).replace(tzinfo=None) if stated else dt.datetime(2000, 1, 1)


def _about(book: Any, plan: Plan, most_rows: int) -> None:
    from allocator.report.answer import gave, proof

    currency = plan.network.settings.currency
    lines: list[tuple[str, Any]] = [
        ("network", plan.network.settings.name),
        ("plan", plan.manifest.get("plan_id", "")),
        (f"value, {currency}", float(plan.certificate["value"])),
        ("proof", proof(plan.certificate, currency)),
        ("what gave", gave(plan.tables["exceptions"], currency)[0]),
    ]
    for name, frame in plan.tables.items():
        cut = len(frame) > most_rows
        note = f"{len(frame):,} rows"
        if cut:
            note = f"the first {most_rows:,} of {len(frame):,} rows: a sheet holds no more; all are in {name}.parquet of the plan folder"
        lines.append((f"sheet {name}", note))
    sheet = book.add_worksheet("about")
    bold = book.add_format({"bold": True})
    sheet.set_column(0, 0, 22)
    sheet.set_column(1, 1, 100)
    for row, (title, words) in enumerate(lines):
        sheet.write(row, 0, _cell(title), bold)
        sheet.write(row, 1, _cell(words))


def _sheet(book: Any, name: str, frame: pd.DataFrame) -> None:
    sheet = book.add_worksheet(name)
    bold, day = book.add_format({"bold": True}), book.add_format({"num_format": "yyyy-mm-dd"})
    dates = [place for place, column in enumerate(frame.columns) if frame[column].dtype.kind == "M"]
    for place, column in enumerate(frame.columns):
        sheet.set_column(
            place,
            place,
            14 if place in dates else max(10, min(30, len(str(column)) + 4)),
            day if place in dates else None,
        )
        sheet.write_string(0, place, str(column), bold)
    sheet.freeze_panes(1, 0)
    if len(frame.columns):
        sheet.autofilter(0, 0, max(len(frame), 1), len(frame.columns) - 1)
    plain = [frame[column].dtype.kind in "iuf" for column in frame.columns]
    row = 0
    for start in range(0, len(frame), SLICE):
        for cells in frame.iloc[start : start + SLICE].itertuples(index=False, name=None):
            row += 1
            for place, value in enumerate(cells):
                if value is None or value is pd.NaT or value != value:
                    continue
                if plain[place]:
                    sheet.write_number(row, place, value)
                elif isinstance(value, str):
                    sheet.write_string(row, place, _cell(value))
                else:
                    sheet.write(row, place, _cell(value), day if place in dates else None)


def _cell(value: Any) -> Any:
    """A cell's value; text that a spreadsheet could take for a formula gets an apostrophe in front."""
    if isinstance(value, str):
        return f"'{value}" if value.startswith(STARTS) else value
    if isinstance(value, pd.Timestamp):
        return value.to_pydatetime()
    return value.item() if hasattr(value, "item") else value
