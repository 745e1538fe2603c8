"""What must hold of every plan of every network, each a function that raises or returns faults in words."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd

import allocator
from allocator.plan.plan import Plan
from allocator.plan.publish import TABLES
from allocator.tables import InputError, Tables
from tests.end_to_end.case import Case

GAP = 1e-6
UNITS = 1e-6


def read(case: Case, folder: Path) -> Tables:
    """Write and read a network that must be good input.

    Raises
    ------
    AssertionError
        When the reader refuses it: the maker of networks is at fault.
    """
    try:
        return allocator.read(case.write(folder))
    except InputError as error:
        raise AssertionError(f"the made network is bad input: {error}\n{case.text()}") from error


def faults(plan: Plan) -> list[str]:
    """What is wrong with a plan of the whole engine, in words; empty when nothing is."""
    return [*audited(plan), *certified(plan), *filled(plan), *lots_add_up(plan)]


def audited(plan: Plan) -> Iterator[str]:
    """The audit, which shares no code with the solver, finds nothing."""
    assert plan.audit is not None
    for finding in plan.audit.findings:
        yield f"audit {finding}"


def certified(plan: Plan) -> Iterator[str]:
    """Small networks are proven exactly, the bound holds, and the rules engine has nothing better."""
    paper = plan.certificate
    objective, bound, rules = paper["objective"], paper["bound"], paper["rules_objective"]
    scale = max(1.0, abs(objective))
    if paper["status"] != "optimal" or bound is None:
        yield f"status {paper['status']}: {plan.manifest['notes']}"
        return
    if bound > objective + GAP * scale:
        yield f"bound {bound} above objective {objective}"
    if paper["gap"] > GAP * (1 + 1e-6):
        yield f"gap {paper['gap']} with status optimal: objective {objective}, bound {bound}"
    if rules < objective - GAP * scale:
        yield f"rules {rules} better than {objective}"


def filled(plan: Plan) -> Iterator[str]:
    """Every planned unit has a lot."""
    for reason in plan.unmet["reason"].astype(str):
        if reason.startswith("lots_"):
            yield f"lots reason {reason} in unmet"
    for note in plan.manifest["notes"]:
        if "no lot was found" in note:
            yield f"lots {note}"


def lots_add_up(plan: Plan) -> Iterator[str]:
    """Lot moves add up to shipments and admissions to the unit."""
    moves = plan.lot_moves
    keys = {
        "shipment": (["item", "from", "to", "mode", "date"], ["item", "origin", "destination", "mode", "ship_date"]),
        "admission": (
            ["item", "from", "channel", "to", "claim", "date"],
            ["item", "site", "channel", "zone", "claim", "date"],
        ),
    }
    for what, (mine, theirs) in keys.items():
        table = plan.shipments if what == "shipment" else plan.admissions
        of_lots = _sums(moves[moves["for"].astype(str) == what], mine)
        planned = _sums(table, theirs)
        for key in sorted(of_lots.keys() | planned.keys()):
            if abs(of_lots.get(key, 0.0) - planned.get(key, 0.0)) > UNITS:
                yield f"moves {what} {key}: lots {of_lots.get(key, 0.0)}, planned {planned.get(key, 0.0)}"


def _sums(frame: pd.DataFrame, keys: list[str]) -> dict[tuple[str, ...], float]:
    found: dict[tuple[str, ...], float] = {}
    for *key, quantity in frame[[*keys, "quantity"]].astype(dict.fromkeys(keys, str)).itertuples(index=False):
        found[tuple(key)] = found.get(tuple(key), 0.0) + float(quantity)
    return found


def rules_faults(plan: Plan) -> list[str]:
    """What is wrong with a plan of the rules engine."""
    return [*audited(plan), *filled(plan), *lots_add_up(plan)]


def table_digests(folder: Path) -> dict[str, str]:
    """SHA-256 of every table of a published plan."""
    return {name: hashlib.sha256((folder / f"{name}.parquet").read_bytes()).hexdigest() for name in TABLES}


def differing(first: Plan, second: Plan) -> list[str]:
    """Tables in which two plans are not the same, ledger ids and all."""
    return [name for name in TABLES if not _same(first.tables[name], second.tables[name])]


def _same(a: pd.DataFrame, b: pd.DataFrame) -> bool:
    return (
        list(a.columns) == list(b.columns)
        and len(a) == len(b)
        and all(np.array_equal(_plain(a[name]), _plain(b[name])) for name in a.columns)
    )


def _plain(column: pd.Series) -> np.ndarray:
    if column.dtype.kind in "fiub":
        return column.to_numpy(dtype=float).view(np.int64)
    return column.astype(str).to_numpy(dtype=str)
