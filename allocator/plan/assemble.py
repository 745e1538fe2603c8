"""Quantities to a plan: lots on every move, the tables, what they cost, the certificate."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from allocator.engine.hedge import Hedge
from allocator.engine.problem import relative_gap
from allocator.engine.quantities import Quantities
from allocator.memory import give_back
from allocator.network.network import Network
from allocator.network.prices import Prices
from allocator.plan.account import (
    Claimed,
    Missing,
    Overruns,
    Stocked,
    components,
    missing,
    settle_claims,
    settle_overruns,
    settle_stock,
)
from allocator.plan.bookings import build_bookings, no_bookings
from allocator.plan.exceptions import LOT_REASONS, REASONS, Exceptions
from allocator.plan.frames import Frames
from allocator.plan.ledger import ledger, lot_moves
from allocator.plan.moves import Moved, assign_lots
from allocator.plan.reserves import reserves
from allocator.plan.split import hedge_table, split
from allocator.plan.tight import Marginals, bids
from allocator.plan.words import Words

IntArray = NDArray[np.int64]


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
    outlooks : dict or None
        What is proven over several outlooks.
    """

    tables: Mapping[str, pd.DataFrame]
    components: Mapping[str, float]
    objective: float
    prices: list[dict[str, Any]]
    fell_back: list[str]
    unfilled: float
    outlooks: dict[str, Any] | None = None


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
    hedge: Hedge | None = None,
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
    hedge : Hedge, optional
        The solve over several outlooks, whose commit window this plan on the mean demand carries out.

    Returns
    -------
    Draft
    """
    settled = min((settle(network, prices, moved) for moved in assign_lots(network, quantities)), key=_cost)
    parts, assignment = settled.components, settled.moved.assignment
    fell_back, unfilled = [network.items[i] for i in assignment.fell_back], float(assignment.unfilled.sum())
    give_back()  # of the two ways, the one that was not taken
    tables = _tables(network, prices, settled, marginals, hedge)
    del settled, assignment
    give_back()
    return Draft(
        tables=tables | {"ledger": ledger(tables["lot_moves"], plan_id)},
        components=parts,
        objective=math.fsum(parts.values()),
        prices=[] if marginals is None else marginals.resources,
        fell_back=fell_back,
        unfilled=unfilled,
        outlooks=None if hedge is None else hedge.facts,
    )


def _tables(
    network: Network, prices: Prices, settled: Settled, marginals: Marginals | None, hedge: Hedge | None
) -> dict[str, pd.DataFrame]:
    """All tables that follow from moves with their lots; the ledger follows from ``lot_moves``."""
    moved, claimed, stocked = settled.moved, settled.claimed, settled.stocked
    frames = Frames(network, moved)
    tight = [] if marginals is None else marginals.resources
    count = len(moved.admissions.item)
    bid = np.zeros(count) if marginals is None else bids(marginals, network, moved.admissions)
    exceptions = Exceptions(network, prices, frames, tight)
    rows = missing(network, claimed)
    held, limit, bookings = reserves(network, moved, stocked, frames), None, no_bookings(frames)
    if hedge is not None and marginals is not None:
        policy = build_bookings(hedge, prices, moved, stocked, marginals)
        serves = moved.admissions
        limit = policy.of(network, serves.item, serves.way, serves.bucket, moved.served)
        bookings = policy.table(frames)
    return {
        "shipments": frames.shipments(),
        "reserves": held,
        "admissions": frames.admissions(bid, limit),
        "projections": frames.projections(stocked),
        "unmet": frames.unmet(claimed, rows, prices, _reasons(network, moved, claimed, rows, exceptions)),
        "exceptions": exceptions.table(claimed, stocked, settled.overruns),
        "lot_moves": lot_moves(network, moved, frames),
        "bookings": bookings,
        "split": split(network, moved, held, frames, hedge),
        "hedge": hedge_table(frames, None if hedge is None else hedge.holding),
    }


def _reasons(network: Network, moved: Moved, claimed: Claimed, rows: Missing, exceptions: Exceptions) -> pd.Categorical:
    """Why each row of missing demand is unmet; demand that no lot could fill says so: ``lots_no_stock``, ``lots_life``, ..."""
    claims, labels = network.claims, exceptions.frames.labels
    code = exceptions.reasons(claimed.item[rows.row], claimed.claim[rows.row])
    count = len(moved.shipments.item)
    short = np.flatnonzero(moved.assignment.unfilled[count:] > 0)
    if len(short):

        def keys(item: IntArray, claim: IntArray, bucket: IntArray) -> IntArray:
            shape = (
                len(network.items),
                len(network.channels),
                len(network.zones),
                len(labels),
                network.calendar.buckets,
            )
            cell = (item, claims.channel[claim], claims.zone[claim], labels[claim], bucket)
            return np.ravel_multi_index(cell, shape)

        arc, admissions = moved.admissions.way[short], moved.admissions
        known, first = np.unique(
            keys(admissions.item[short], claims.arc_claim[arc], admissions.bucket[short]), return_index=True
        )
        wanted = keys(claimed.item[rows.row], claimed.claim[rows.row], rows.bucket)
        at = np.minimum(np.searchsorted(known, wanted), len(known) - 1)
        lots = len(REASONS) + moved.assignment.reason[count:][short][first[at]]
        code = np.where(known[at] == wanted, lots, code)
    return Words(REASONS, LOT_REASONS).of([*REASONS, *LOT_REASONS], code)


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
    gap = None if low is None else relative_gap(draft.objective, low)
    paper = {
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
    return paper if draft.outlooks is None else paper | {"outlooks": draft.outlooks}
