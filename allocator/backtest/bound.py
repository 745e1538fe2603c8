"""What nobody can beat: the proven bound of a plan that knows all demand from the first day."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd

from allocator.backtest.ground import Ground
from allocator.backtest.play import Path
from allocator.engine.problem import Limits
from allocator.engine.process import Solver
from allocator.engine.whole import as_problem
from allocator.network import build_network
from allocator.optimise import chosen
from allocator.options import Watch
from allocator.program.stack import build_program
from allocator.tables import Tables


def clairvoyant_bound(ground: Ground, path: Path, solver: Solver, gap: float) -> float:
    """Margin that no policy can pass on a path of demand.

    Parameters
    ----------
    ground : Ground
    path : Path
    solver : Solver
    gap : float
        Relative gap to which the prices are settled where the program is too large to be solved whole.

    Returns
    -------
    float
        [currency] Of the linear relaxation, so packs and vehicles may be shared out: what is really possible is no more.

    Notes
    -----
    What a policy is charged for and this is not, or what binds it and not this, only makes the bound higher: stock levels, locks, storage and inbound
    (elastic in a plan), methods of lanes, and the lateness and loss of orders that may wait.
    """
    network = build_network(foresight(ground, path))
    if chosen(network, "auto") == "priced":
        from allocator.priced.engine import Setting, solve_priced

        return -float(solve_priced(network, Setting(gap=gap, workers=1), Watch()).bound)
    problem = as_problem(build_program(network))
    relaxed = replace(problem, integer=np.zeros(len(problem.cost), dtype=bool))
    answer = solver.solve(relaxed, Limits())
    return -float(answer.bound if np.isfinite(answer.bound) else answer.objective)


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
        "prices": _prices(tables),
    }
    filled = {
        name: frame if frame is not None and len(frame) else tables.stated(name).slice(0, 0)
        for name, frame in changed.items()
    }
    return tables.replace(settings=known, **filled)


def _free(rows: pd.DataFrame) -> pd.DataFrame:
    """Rows of ``item_lanes`` that bind no method."""
    return rows.assign(method=rows["method"].where(rows["method"].isna(), "auto")) if "method" in rows else rows


def _prices(tables: Tables) -> pd.DataFrame:
    """Prices at which turning demand away costs no more than any policy pays for it."""
    prices, channels = tables.frame("prices"), tables.frame("channels")
    waits = prices["channel"].isin(channels.loc[channels["unmet"] == "backorder", "channel"])
    cheaper = np.fmin(prices["unmet_cost"], prices["cancel_cost"])
    return prices.assign(unmet_cost=np.where(waits, 0.0, cheaper))


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
