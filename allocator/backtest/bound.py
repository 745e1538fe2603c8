"""What nobody can beat: the proven bound of a plan that knows all demand from the first day."""

from __future__ import annotations

import contextlib
from dataclasses import replace

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from allocator.backtest.ground import Ground
from allocator.backtest.play import Path
from allocator.engine.problem import Limits, SolverError
from allocator.engine.process import Solver
from allocator.engine.whole import as_problem
from allocator.network import build_network, coding
from allocator.optimise import chosen
from allocator.options import Watch
from allocator.program.stack import build_program
from allocator.tables import Tables

FloatArray = NDArray[np.float64]

CLOSE = 1e-3
"""Relative gap at which the search for whole packs ends: what is left of it only makes the bound higher."""
PATIENCE = 10.0
"""The search takes at most so many times what one plan may take: a play has hundreds of plans, a path one bound."""


def clairvoyant_bound(ground: Ground, path: Path, solver: Solver, gap: float, seconds: float) -> float:
    """Margin that no policy can pass on a path of demand.

    Parameters
    ----------
    ground : Ground
    path : Path
    solver : Solver
    gap : float
        Relative gap to which the prices are settled where the program is too large to be solved whole.
    seconds : float
        Most wall clock of one plan; the search for whole packs and vehicles takes at most `PATIENCE` times that. [s]

    Returns
    -------
    float
        [currency] With packs and vehicles shared out where the program is too large to be solved whole; else nobody who ships whole ones,
        as every policy must, earns more.

    Notes
    -----
    What a policy is charged for and this is not, or what binds it and not this, only makes the bound higher: stock levels, locks, storage and inbound
    (elastic in a plan), methods of lanes, smallest shipments, and the lateness of orders that may wait. Such an order costs a policy `turned_away` a unit at
    least when it is not served, whether refused, cancelled or late to the end: that is taken off for all of them, and given back for what is served.
    """
    network = build_network(foresight(ground, path))
    charged = _charged(ground, path)
    if chosen(network, "auto") == "priced":
        from allocator.priced.engine import Setting, solve_priced

        return -float(solve_priced(network, Setting(gap=gap, workers=1), Watch()).bound) - charged
    # packs and vehicles are whole on all days, not on those of a plan's commit window alone
    calendar = replace(network.calendar, committed=ground.days)
    problem = as_problem(build_program(replace(network, calendar=calendar)))
    answer = solver.solve(problem.relaxed, Limits())
    bound = answer.bound if np.isfinite(answer.bound) else answer.objective
    if problem.integer.any():
        with contextlib.suppress(SolverError):  # the relaxation's bound holds all the same
            bound = max(bound, solver.solve(problem, Limits(CLOSE, CLOSE, seconds=PATIENCE * seconds)).bound)
    return -float(bound) - charged


def turned_away(ground: Ground) -> FloatArray:
    """(I, C) what a unit of a channel that may wait costs at least when it is never served: refused, cancelled, or late for a day; else 0. [currency]"""
    network = ground.network
    return np.where(network.channel_waits[None, :], np.minimum(network.unmet_cost, network.cancel_cost), 0.0)


def _charged(ground: Ground, path: Path) -> float:
    """`turned_away` of every unit asked for."""
    cost = turned_away(ground)
    return float(sum((cost[part.item, part.channel] * part.quantity).sum() for part in (path.lines, path.firm)))


def foresight(ground: Ground, path: Path) -> Tables:
    """The network with the demand that comes as its forecast, freed of everything that does not cost money."""
    tables, settings = ground.tables, ground.tables.settings
    known = settings.model_copy(
        update={
            "horizon_days": ground.days,
            "buckets": (1,) * ground.days,
            "commit_days": 1,
            "outlooks": 1,
            "min_fill": {},
            "change_cost": 0.0,
            "previous_plan": None,
        }
    )
    policies = tables.frame("stock_policies")
    capacities = tables.frame("capacities")
    sites = tables.frame("sites").assign(storage_volume=np.nan, inbound_volume=np.nan)
    lanes = tables.frame("lanes").assign(method="auto")
    changed = {
        "forecasts": _demand(ground, path),
        "orders": None,
        "locks": None,
        "stock_policies": policies.assign(min_stock=0.0, safety_stock=0.0, max_stock=np.nan),
        "capacities": capacities[capacities["resource"] == "outbound"],
        "sites": sites,
        "lanes": lanes,
        "item_lanes": _free(tables.frame("item_lanes")),
        "channels": tables.frame("channels").assign(priority=1),
        "prices": _prices(ground),
    }
    filled = {
        name: frame if frame is not None and len(frame) else tables.stated(name).slice(0, 0)
        for name, frame in changed.items()
    }
    return tables.replace(settings=known, **filled)


def _free(rows: pd.DataFrame) -> pd.DataFrame:
    """Rows of ``item_lanes`` that bind no method and no smallest shipment."""
    rows = rows.assign(min_quantity=np.nan)
    return rows.assign(method=rows["method"].where(rows["method"].isna(), "auto")) if "method" in rows else rows


def _prices(ground: Ground) -> pd.DataFrame:
    """Prices at which turning demand away costs no more than any policy pays for it; orders that may wait earn `turned_away` more instead."""
    network, table = ground.network, ground.tables["prices"]
    item, channel = coding.ranks(table, "item", network.items), coding.ranks(table, "channel", network.channels)
    waiting = turned_away(ground)[item, channel]
    lost = np.minimum(network.unmet_cost, network.cancel_cost)[item, channel]
    margin = network.margin[item, channel] + waiting
    return ground.tables.frame("prices").assign(margin=margin, unmet_cost=lost - waiting)


def _demand(ground: Ground, path: Path) -> pd.DataFrame:
    network = ground.network
    lines, firm = path.lines, path.firm
    frame = pd.DataFrame(
        {
            "item": np.concatenate([lines.item, firm.item]),
            "channel": np.concatenate([lines.channel, firm.channel]),
            "zone": np.concatenate([lines.zone, firm.zone]),
            "day": np.concatenate([lines.day, np.maximum(firm.day, 0)]),
            "mean": np.concatenate([lines.quantity, firm.quantity]),
        }
    )
    total = frame.groupby(["item", "channel", "zone", "day"], as_index=False)["mean"].sum()
    start = np.datetime64(ground.start, "s")
    return pd.DataFrame(
        {
            "item": np.array(network.items, dtype=object)[total["item"]],
            "channel": np.array(network.channels, dtype=object)[total["channel"]],
            "zone": np.array(network.zones, dtype=object)[total["zone"]],
            "date": start + total["day"].to_numpy().astype("timedelta64[D]"),
            "mean": total["mean"],
        }
    )
