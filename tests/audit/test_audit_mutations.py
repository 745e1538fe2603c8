"""No figure of a plan can be changed, and no row dropped or repeated, without the audit saying so."""

from __future__ import annotations

import pandas as pd
import pytest
from audit_sample import sample_certificate, sample_plan, sample_previous, sample_tables

from allocator.audit import audit
from allocator.tables import Tables

FIGURES = {
    "shipments": ("quantity", "packs"),
    "admissions": ("quantity",),
    "projections": ("stock", "below_min", "waste"),
    "unmet": ("quantity", "cost"),
    "exceptions": ("amount", "cost"),
    "lot_moves": ("quantity",),
    "ledger": ("quantity",),
    "kpis": ("value",),
}
EVERY = [
    pytest.param(1, marks=pytest.mark.long, id="all"),
    pytest.param(11, id="some"),
]  # rows tried: all, or one in 11
FREE = {("kpis", "channel:web"), ("exceptions", "demand")}  # rows whose figures the audit does not recompute


@pytest.fixture(scope="module")
def tables(tmp_path_factory: pytest.TempPathFactory) -> Tables:
    """Read the sample network once."""
    return sample_tables(tmp_path_factory.mktemp("network"))


def held(table: str, row: pd.Series) -> bool:
    """Tell whether the audit recomputes a row."""
    return (table, row.get("scope", row.get("what"))) not in FREE


def passes(tables: Tables, plan: dict[str, pd.DataFrame]) -> bool:
    """Audit a plan."""
    return audit(tables, plan, sample_certificate(), sample_previous()).ok


@pytest.mark.parametrize(("table", "column"), [(table, column) for table in FIGURES for column in FIGURES[table]])
@pytest.mark.parametrize("step", [1.0, -0.25])
@pytest.mark.parametrize("every", EVERY)
def test_changed_figure_is_found(tables: Tables, table: str, column: str, step: float, every: int) -> None:
    """Each figure of a plan, a unit more or a quarter less, is found out."""
    for row, line in sample_plan()[table].iloc[::every].iterrows():
        plan = sample_plan()
        plan[table].loc[row, column] += step
        assert not (held(table, line) and passes(tables, plan)), f"{table} row {row}: {column} {step:+}"


@pytest.mark.parametrize("table", FIGURES)
@pytest.mark.parametrize("every", EVERY)
def test_dropped_or_repeated_row_is_found(tables: Tables, table: str, every: int) -> None:
    """Each row of a plan, left out or written twice, is found out."""
    for row, line in sample_plan()[table].iloc[::every].iterrows():
        if not held(table, line):
            continue
        for rows in (slice(row, row), None):
            plan = sample_plan()
            frame = plan[table]
            plan[table] = frame.drop(index=row) if rows is None else pd.concat([frame, frame.loc[rows]])
            assert not passes(tables, plan), f"{table} row {row}"
