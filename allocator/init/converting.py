"""From an export of another tool to a network folder: read, rename, complete, check, write, and say what was left behind."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from allocator.init.exports import ExportError, Sheet, add_ends, read_export
from allocator.init.filling import Filled, fill
from allocator.init.mapping import ROW, TABLE, Left, RenameMap, rename_map, setting, take
from allocator.init.report import Report
from allocator.init.units import convert_cells
from allocator.plan.publish import staging
from allocator.tables.findings import InputError
from allocator.tables.reader import make_tables
from allocator.tables.schema import SCHEMA
from allocator.tables.sources import required

SOURCES = ("aws-supply-chain", "cosmic-frog", "frepple")
"""Tools whose exports are known, by the names of their maps."""
REPORT = "init-report.md"
HISTORY = ("item", "channel", "zone", "date", "quantity")


@dataclass(frozen=True)
class Converted:
    """What became of an export.

    Attributes
    ----------
    folder : Path
        The network folder.
    report : Report
        What was carried over, what not and why, what was assumed.
    """

    folder: Path
    report: Report


def convert(source: str, folder: Path, out: Path) -> Converted:
    """Write a network folder from an export.

    Parameters
    ----------
    source : str
        One of `SOURCES`.
    folder : Path
        The export (see :func:`allocator.init.exports.read_export`).
    out : Path
        Network folder to write; must not be there, or be empty.

    Returns
    -------
    Converted

    Raises
    ------
    ExportError
        When the export can't be read, or says not enough for a network.
    FileExistsError
        When there is something at `out`.
    """
    refuse_to_overwrite(out)
    chart = rename_map(source)
    sheets = read_export(Path(folder), chart.blank)
    start = _start(chart, sheets, folder)
    if (periods := chart.settings.get("periods")) is not None:
        last = setting(periods["last"], sheets)
        add_ends(sheets, periods["table"], periods["starts"], periods["ends"], last)
    filled = fill(take(sheets, chart, start.isoformat()), chart.assume, start)
    currency = setting(chart.settings["currency"], sheets) if "currency" in chart.settings else ""
    name = f"{chart.title} {Path(folder).resolve().name}"
    kept = _checked(
        filled, {"name": name, "currency": currency or "money", "start": start, "horizon_days": filled.horizon}
    )
    report = Report(chart.title, str(folder), start, list(sheets.values()), kept, filled, chart.ignore)
    with fresh_folder(out) as staged:
        for table, rows in kept.items():
            _write(rows, table, staged)
        if filled.history is not None and len(filled.history):
            (staged / "history").mkdir()
            filled.history[list(HISTORY)].to_csv(staged / "history" / "sales.csv", index=False)
        (staged / "network.toml").write_text(_settings(name, currency, start, filled.horizon, chart), encoding="utf-8")
        (staged / REPORT).write_text(report.markdown(), encoding="utf-8")
    return Converted(Path(out), report)


def refuse_to_overwrite(out: Path) -> None:
    """Raise FileExistsError where something is at a place already, but for an empty folder."""
    if out.is_symlink() or (out.exists() and (not out.is_dir() or any(out.iterdir()))):
        raise FileExistsError(17, "is there already; name a new folder, or take it away first", str(out))


@contextmanager
def fresh_folder(out: Path) -> Iterator[Path]:
    """Give a hidden folder beside a place; it takes the place at the end, and is gone when anything fails."""
    with staging(out) as staged:
        yield staged
        staged.rename(out)  # an empty folder is replaced, anything else refused


def _start(chart: RenameMap, sheets: dict[str, Sheet], folder: Path) -> dt.date:
    """The first day planned: the first of the map's places that holds one."""
    for place in chart.settings["start"]:
        found = setting(place, sheets)
        day, bad = convert_cells(pd.Series([found], dtype=object), "day", pd.Series([""], dtype=object), "")
        if found and not bad.iloc[0]:
            return dt.date.fromisoformat(day.iloc[0])
    places = ", ".join(f"{place['table']}.{place['column']}" for place in chart.settings["start"])
    raise ExportError(f"'{folder}' does not say which day it is from; it should stand in {places}")


def _checked(filled: Filled, settings: dict[str, object]) -> dict[str, pd.DataFrame]:
    """The rows that break no rule of a network; the others are told in `filled`."""
    frames = {name: rows[[c for c in SCHEMA[name].names if c in rows.columns]] for name, rows in filled.tables.items()}
    frames = {name: frame.astype(str) for name, frame in frames.items() if len(frame)}
    try:
        tables = make_tables(settings, frames, quarantine=True)
    except InputError as error:
        raise ExportError(f"the export does not make a network: {error.findings[0]}") from None
    aside = tables.quarantined
    kept = {}
    for name in SCHEMA:
        rows = filled.tables.get(name)
        if rows is None or not len(rows):
            kept[name] = pd.DataFrame(columns=required(SCHEMA[name])) if not SCHEMA[name].optional else None
            continue
        broken = aside[aside["table"] == name]
        gone = broken["row"].to_numpy() - 1
        for (column, rule), group in broken.groupby(["column", "rule"], sort=False):
            lost = rows.iloc[group["row"].to_numpy() - 1]
            for table, mine in lost.groupby(TABLE, sort=False):
                why = f"would break a rule of {name}: {column} {rule}"
                filled.left.append(Left(str(table) or name, [row for row in mine[ROW].tolist() if row], why))
        left = rows.drop(rows.index[sorted(set(gone.tolist()))])
        kept[name] = left[[*frames[name].columns, TABLE]]
    return {name: rows for name, rows in kept.items() if rows is not None and (len(rows) or not SCHEMA[name].optional)}


def _write(rows: pd.DataFrame, name: str, folder: Path) -> None:
    """One table as CSV: its required columns, and those that say something."""
    must = required(SCHEMA[name])
    columns = [c for c in SCHEMA[name].names if c in must or (c in rows.columns and (rows[c] != "").any())]
    rows.reindex(columns=columns, fill_value="").to_csv(folder / f"{name}.csv", index=False, lineterminator="\n")


def _settings(name: str, currency: str, start: dt.date, days: int, chart: RenameMap) -> str:
    quoted = {
        key: value.replace("\\", "\\\\").replace('"', '\\"') for key, value in (("n", name), ("c", currency or "money"))
    }
    return f"""# Made by `allocator init --from` from an export of {chart.title}; {REPORT} says what was carried over and what was assumed.
name = "{quoted["n"]}"
currency = "{quoted["c"]}"
start = {start}            # the first day planned: the day the export says it is from
horizon_days = {days}
commit_days = 1               # shipments of these first days are executed, the rest is foreseen
# outlooks = 8                # above 1: plan against that many demand paths instead of the mean (docs/outlooks.md)
# [min_fill]                  # least share of a channel's demand to serve
"""
