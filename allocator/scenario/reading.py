"""A network under scenarios: found, laid on the base, checked, and read as any other network."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc

from allocator.scenario.lookup import Chosen, choose
from allocator.scenario.stacking import Stack
from allocator.tables.findings import InputError
from allocator.tables.reader import read_tables
from allocator.tables.tables import Tables


def read(path: str | Path, scenario: str | Iterable[str] = (), quarantine: bool = False) -> Tables:
    """Read and check a network folder, or a scenario file on its base, with more scenarios laid on it.

    Parameters
    ----------
    path : str or Path
        A network folder, or a scenario file that names its `base`.
    scenario : str or iterable of str
        Names or paths of scenarios: ``"promo,dc-out"`` or ``["promo", "dc-out"]``. Their order never matters.
    quarantine : bool
        Set bad rows of the resolved network aside instead of refusing it; faults of a scenario are always refused.

    Returns
    -------
    Tables
        The resolved network; `Tables.scenario` and `Tables.changes` say what was laid on it.

    Raises
    ------
    InputError
        With every fault found.
    """
    return read_chosen(choose(path, scenario), quarantine)


def read_chosen(chosen: Chosen, quarantine: bool = False) -> Tables:
    """Read one network under its overlays."""
    if not chosen.overlays:
        return read_tables(chosen.network, quarantine=quarantine)
    stack = Stack(chosen.overlays)
    try:
        tables = read_tables(chosen.network, quarantine=quarantine, amend=stack.amend)
    except InputError as error:
        raise stack.error(error) from None
    if stack.findings:
        raise stack.error()
    changes = stack.changes()
    return tables.under(chosen.names, changes, _notes(chosen.names, changes))


def _notes(names: tuple[str, ...], changes: pa.Table) -> tuple[str, ...]:
    """Say in a line for each overlay how much of which tables it touched."""
    said = []
    for name in names:
        mine = changes.filter(pc.equal(changes["overlay"], name))
        counts = {entry["values"]: entry["counts"] for entry in pc.value_counts(mine["table"]).to_pylist()}
        touched = ", ".join(f"{counts[table]:,} in {table}" for table in sorted(counts))
        said.append(f"scenario {name}: {mine.num_rows:,} cells or rows changed ({touched or 'none'}); see changes")
    return tuple(said)
