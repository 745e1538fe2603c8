"""Quantities to a plan: lots on every move, the tables, what they cost, the certificate."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from allocator.engine.quantities import Quantities
from allocator.lots import Reason
from allocator.network.network import Network
from allocator.network.prices import Prices
from allocator.plan.account import Claimed, Overruns, Stocked, components, settle_claims, settle_overruns, settle_stock
from allocator.plan.exceptions import Exceptions
from allocator.plan.frames import Frames, ledger
from allocator.plan.moves import Moved, assign_lots
from allocator.plan.reserves import reserves
from allocator.plan.tight import Marginals, bids

TABLES = (
    "shipments",
    "reserves",
    "admissions",
    "projections",
    "unmet",
    "exceptions",
    "lot_moves",
    "ledger",
    "kpis",
)
"""Tables of a plan, in the order they are written."""


@dataclass(frozen=True)
class Draft:
    """A plan before it is measured, audited and published.

    Attributes
    ----------
    tables : mapping of str to DataFrame
    components : mapping of str to float
        Components of the objective. [currency]
    objective : float
        Their sum, a cost.
    prices : list of dict
        Tight shared resources with the worth of their next unit.
    fell_back : list of str
        Items whose lots follow the planned classes instead of their rotation.
    unfilled : float
        Quantity asked of the lots and not found. [units]
    """

    tables: Mapping[str, pd.DataFrame]
    components: Mapping[str, float]
    objective: float
    prices: list[dict[str, Any]]
    fell_back: list[str]
    unfilled: float


@dataclass(frozen=True)
class Settled:
    """Moves with their lots, and everything that follows from them."""

    moved: Moved
    claimed: Claimed
    stocked: Stocked
    overruns: Overruns
    components: dict[str, float]


def settle(network: Network, prices: Prices, moved: Moved) -> Settled:
    """Work out what moves with their lots come to."""
    claimed = settle_claims(network, moved)
    stocked = settle_stock(network, moved)
    overruns = settle_overruns(network, moved, stocked, claimed)
    return Settled(moved, claimed, stocked, overruns, components(network, prices, moved, claimed, stocked, overruns))


def _cost(settled: Settled) -> float:
    """Objective to ten figures, so that a tie goes to the first."""
    return float(f"{math.fsum(settled.components.values()):.9e}")


def draft_plan(
    network: Network,
    quantities: Quantities,
    plan_id: str,
    prices: Prices,
    marginals: Marginals | None,
) -> Draft:
    """Assemble a plan.

    Parameters
    ----------
    network : Network
    quantities : Quantities
    plan_id : str
        Goes into the ledger.
    prices : Prices
        What units, moves and overruns cost.
    marginals : Marginals or None
        What the next unit is worth; None (rules engine): nothing is known of it.

    Returns
    -------
    Draft
    """
    settled = min((settle(network, prices, moved) for moved in assign_lots(network, quantities)), key=_cost)
    moved, claimed, stocked, overruns = settled.moved, settled.claimed, settled.stocked, settled.overruns
    parts = settled.components
    frames = Frames(network, moved)
    tight = [] if marginals is None else marginals.resources
    count = len(moved.admissions.item)
    bid = np.zeros(count) if marginals is None else bids(marginals, network, moved.admissions)
    exceptions = Exceptions(network, prices, frames, tight)
    unmet = frames.unmet(claimed, prices, exceptions.reason(claimed))
    lot_moves = frames.lot_moves()
    tables = {
        "shipments": frames.shipments(),
        "reserves": reserves(network, moved, stocked, frames),
        "admissions": frames.admissions(bid),
        "projections": frames.projections(stocked),
        "unmet": _lot_reasons(network, moved, frames, unmet),
        "exceptions": exceptions.table(claimed, stocked, overruns),
        "lot_moves": lot_moves,
        "ledger": ledger(lot_moves, plan_id),
    }
    return Draft(
        tables=tables,
        components=parts,
        objective=math.fsum(parts.values()),
        prices=tight,
        fell_back=[network.items[i] for i in moved.assignment.fell_back],
        unfilled=float(moved.assignment.unfilled.sum()),
    )


def _lot_reasons(network: Network, moved: Moved, frames: Frames, unmet: pd.DataFrame) -> pd.DataFrame:
    """Demand that no lot could fill says so: ``lots_no_stock``, ``lots_life``, ..."""
    count = len(moved.shipments.item)
    short = np.flatnonzero(moved.assignment.unfilled[count:] > 0)
    if not len(short) or unmet.empty:
        return unmet
    claim = network.claims.arc_claim[moved.admissions.way[short]]
    codes = np.array(
        [f"lots_{Reason(code).name.lower()}" for code in moved.assignment.reason[count:][short]], dtype=object
    )
    keys = ["item", "channel", "zone", "date", "claim"]
    found = pd.DataFrame(
        {
            "item": frames.items[moved.admissions.item[short]],
            "channel": frames.channels[network.claims.channel[claim]],
            "zone": frames.zones[network.claims.zone[claim]],
            "date": frames.bucket_dates(moved.admissions.bucket[short]),
            "claim": frames.labels[claim],
            "lots": codes,
        }
    ).drop_duplicates(keys)
    joined = unmet.merge(found, on=keys, how="left")
    return unmet.assign(reason=joined["lots"].where(joined["lots"].notna(), unmet["reason"]).to_numpy())


def certificate(
    draft: Draft,
    *,
    bound: float | None,
    status: str,
    engine: str,
    proof: str,
    largest_violation: float,
    rules: float | None,
) -> dict[str, Any]:
    """What is proven about a plan, as it stands in ``certificate.json``.

    ``objective`` is a cost to be minimised (``value`` is its negative), ``bound`` no plan costs less, ``gap`` =
    (objective - bound) / max(\\|objective\\|, 1).
    """
    known = bound is not None and math.isfinite(bound)
    low = min(float(bound), draft.objective) if known else None  # type: ignore[arg-type]
    gap = None if low is None else (draft.objective - low) / max(abs(draft.objective), 1.0)
    return {
        "sense": "minimise",
        "objective": draft.objective,
        "value": -draft.objective,
        "bound": low,
        "gap": gap,
        "status": status,
        "engine": engine,
        "proof": proof,
        "largest_violation": largest_violation,
        "components": dict(draft.components),
        "rules_objective": rules,
        "value_over_rules": None if rules is None else rules - draft.objective,
        "prices": draft.prices,
    }
