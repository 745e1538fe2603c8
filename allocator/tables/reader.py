"""From a network's place to tables: find, read, convert, check, resolve, sort."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from allocator.tables.checks import ORDER, check
from allocator.tables.draft import Draft, empty, in_order, make_draft
from allocator.tables.findings import Faults, InputError
from allocator.tables.notes import notes
from allocator.tables.places import Folder, Readable, opened
from allocator.tables.resolve import resolve
from allocator.tables.schema import SCHEMA
from allocator.tables.settings import Settings, make_settings
from allocator.tables.sources import Raw, check_columns
from allocator.tables.tables import NETWORK, PREVIOUS, QUARANTINED, Tables, read_json

Amend = Callable[[dict[str, Draft], Settings | None, Faults], tuple[dict[str, Draft], Settings | None]]
"""Changes tables that are read but not yet checked, and reports what it can't change."""


def read_tables(path: str | Path, quarantine: bool = False, amend: Amend | None = None) -> Tables:
    """Read and check a network.

    Parameters
    ----------
    path : str or pathlib.Path
        Folder with network.toml and one .parquet or .csv file per table; or the address of such a folder in an object store, or of a
        database with these tables (docs/sources.md).
    quarantine : bool
        Set bad rows aside, with the rows that refer to them, instead of refusing the network.
    amend : callable, optional
        Lays scenarios on the tables before they are checked.

    Returns
    -------
    Tables
        Complete, sorted and frozen; rows set aside are in `Tables.quarantined`.

    Raises
    ------
    InputError
        With every fault found; with `quarantine` only for faults of whole files and of the settings.
    """
    faults = Faults()
    with opened(path) as place:
        settings = place.settings(faults)
        drafts, remarks = _read_drafts(place.find(faults), faults)
        remarks += place.left(faults)
    if amend is not None:
        drafts, settings = amend(drafts, settings, faults)
    if settings is None:
        check(drafts, None, faults)
        faults.raise_any(ORDER)
        raise AssertionError("settings are missing without a fault")
    return _finish(drafts, settings, faults, quarantine, place.shown, remarks)


def make_tables(
    settings: Settings | Mapping[str, Any],
    tables: Mapping[str, pa.Table | pd.DataFrame],
    quarantine: bool = False,
    source: str = "memory",
) -> Tables:
    """Check tables already in memory; those not given are empty.

    Raises
    ------
    InputError
        With every fault found.
    """
    faults, drafts = Faults(), {}
    for name in tables:
        if name not in SCHEMA:
            faults.file(name, name, "is not a table of a network", f"the tables are {', '.join(SCHEMA)}")
    for name, spec in SCHEMA.items():
        cells = tables.get(name)
        if cells is None:
            drafts[name] = empty(spec)
            continue
        if isinstance(cells, pd.DataFrame):
            try:
                cells = pa.Table.from_pandas(cells, preserve_index=False)
            except pa.ArrowException as error:
                faults.file(name, name, f"mixes types ({str(error)[:200]})", "give each column one type")
                drafts[name] = empty(spec)
                continue
        before = faults.total
        check_columns(cells.column_names, spec, name, faults)
        raw = Raw(cells, name, np.arange(1, cells.num_rows + 1))
        drafts[name] = make_draft(raw, spec, faults) if faults.total == before else empty(spec)
    checked = settings if isinstance(settings, Settings) else make_settings(settings)
    return _finish(drafts, checked, faults, quarantine, source, [])


def load_tables(folder: Path) -> Tables:
    """Read the `network` folder of a plan, as `Tables.write` left it."""
    faults = Faults()
    content = read_json(folder / NETWORK)
    settings = make_settings(content["settings"], NETWORK)
    drafts, _ = _read_drafts(Folder(folder, frozenset({QUARANTINED, PREVIOUS})).find(faults), faults)
    tables = _finish(drafts, settings, faults, False, str(folder), [])
    aside = folder / QUARANTINED
    if not aside.is_file():
        return tables
    frame = pq.read_table(aside).to_pandas()
    return Tables(tables._stated, tables._resolved, settings, tables.notes, frame, tables.source)


def _read_drafts(found: Mapping[str, Readable], faults: Faults) -> tuple[dict[str, Draft], list[str]]:
    drafts, remarks = {}, []
    for name, spec in SCHEMA.items():
        raw = found[name](spec, faults) if name in found else None
        drafts[name] = empty(spec) if raw is None else make_draft(raw, spec, faults)
        if raw is not None and raw.note:
            remarks.append(raw.note)
    return drafts, remarks


def _finish(
    drafts: dict[str, Draft], settings: Settings, faults: Faults, quarantine: bool, source: str, remarks: list[str]
) -> Tables:
    aside = None
    if quarantine:
        drafts, aside = _set_aside(drafts, settings, faults)
    else:
        # sorted before the checks, which are then spared a sort of their own
        drafts = {name: in_order(draft) for name, draft in drafts.items()}
        check(drafts, settings, faults)
        faults.raise_any(ORDER)
    resolved = resolve(drafts)
    said = (*remarks, *notes(resolved, settings))
    return Tables(_tables(drafts), _tables(resolved), settings, said, aside, source)


def _set_aside(drafts: dict[str, Draft], settings: Settings, faults: Faults) -> tuple[dict[str, Draft], pd.DataFrame]:
    """Take away broken rows, then the rows that these leave broken, until no rule is broken."""
    listed = []
    while True:
        if faults.whole:
            raise InputError(faults.findings(ORDER), faults.total)
        if faults.total:
            listed.append(faults.frame(ORDER))
        drafts = {name: in_order(_without(draft, faults.broken(name))) for name, draft in drafts.items()}
        faults = Faults(recount=faults.recount)
        check(drafts, settings, faults)
        if not faults.total:
            break
    if not listed:
        return drafts, Faults().frame(ORDER)
    return drafts, pd.concat(listed, ignore_index=True).sort_values(["table", "row", "column"], ignore_index=True)


def _without(draft: Draft, broken: np.ndarray[Any, np.dtype[np.int64]]) -> Draft:
    return draft.take(np.setdiff1d(np.arange(len(draft)), broken)) if len(broken) else draft


def _tables(drafts: Mapping[str, Draft]) -> dict[str, pa.Table]:
    return {name: pa.table(draft.columns) for name, draft in drafts.items()}


__all__ = ["Tables", "load_tables", "make_tables", "read_tables"]
