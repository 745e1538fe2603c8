"""Rules of thumb as policies: push by forecast (fair shares A to D), pull only (base stock), just in time. All by the rules engine."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.special import ndtri

from allocator.backtest.decision import OPEN, Decision
from allocator.backtest.ground import WEEK, Ground
from allocator.backtest.solving import gathered
from allocator.network import Network, build_network
from allocator.network.marginals import moments
from allocator.rules import Rule, plan_by_rules
from allocator.tables import Tables

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]

SERVICE = 0.95
"""Chance with which a base stock covers the demand until the next delivery can come."""


def rule_day(ground: Ground, tables: Tables, day: int, every: int, rule: Rule) -> Decision:
    """Ship what the rules engine ships on the mean forecast; serve whoever comes first."""
    network = build_network(tables)
    ships = plan_by_rules(network, rule).shipments
    leaves = network.lanes.ship_day[ships.way, ships.bucket]
    return Decision(gathered(ships.item, ships.way, leaves, ships.quantity, day, every), OPEN)


def base_stock(ground: Ground, tables: Tables, day: int, every: int) -> Tables:
    """Rewrite what the rules engine sees: no forecast any more, but a level at each site that sales are made up to.

    The level is the `SERVICE` quantile (normal) of the demand that the site sees, its own and that of the sites it supplies,
    until the goods of the next order can be there: lead time + longest wait for a departure or for the next plan.
    """
    network, table = ground.network, tables.frame("stock_policies")
    level = _levels(ground, day, every)
    items, sites = network.items, network.sites.codes
    wide = pd.DataFrame(
        {"item": np.repeat(items, len(sites)), "site": np.tile(sites, len(items)), "level": level.ravel()}
    )
    stated = [name for name in ("item", "site", "carried", "min_stock", "max_stock") if name in table]
    both = wide.merge(table[stated], on=["item", "site"], how="left")
    carried = both["carried"].fillna(True).astype(bool)
    most = both["max_stock"].fillna(np.inf)
    both = both.assign(
        carried=carried,
        min_stock=both["min_stock"].fillna(0.0),
        safety_stock=np.where(carried, np.minimum(both["level"], most), 0.0),
    ).drop(columns="level")
    return tables.replace(stock_policies=both, forecasts=tables.stated("forecasts").slice(0, 0))


def _levels(ground: Ground, day: int, every: int) -> FloatArray:
    """(I, S) base stock levels. [units]"""
    network, points = ground.network, ground.network.outlooks.points
    items, sites = len(network.items), len(network.sites.codes)
    ahead = min(max(WEEK, int(ground.tables.settings.horizon_days)), max(ground.days - day, 1))
    near = np.flatnonzero((points.day >= day) & (points.day < day + ahead))
    mean, variance = moments(points.mean[near], points.std[near], points.quantiles[near])
    home = np.array(
        [ground.ways[int(c), int(z)][0].site for c, z in zip(points.channel[near], points.zone[near], strict=True)],
        dtype=np.int64,
    )
    rate, spread = np.zeros((items, sites)), np.zeros((items, sites))
    np.add.at(rate, (points.item[near], home), mean / ahead)
    np.add.at(spread, (points.item[near], home), variance / ahead)
    for origin, destination in _supplied(network):
        rate[:, origin] += rate[:, destination]
        spread[:, origin] += spread[:, destination]
    cover = _cover(network, every)
    # a season's last days need no more than what is left of it
    cover = np.minimum(cover, ahead) if ground.ends is not None else cover
    level = rate * cover + ndtri(SERVICE) * np.sqrt(spread * cover)
    q = network.quantum[:, None]
    step = np.where(q > 0, q, 1.0)
    return np.asarray(np.where(q > 0, np.ceil(level / step - 1e-9) * step, level) * (rate > 0))


def _main_lane(network: Network) -> dict[int, int]:
    """The quickest lane into each site, the cheaper of equals."""
    lanes = network.lanes
    cost = lanes.freight.mean(axis=0) if len(lanes.codes) else np.empty(0)
    best: dict[int, int] = {}
    for lane in np.lexsort((cost, lanes.lead)):
        best.setdefault(int(lanes.destination[lane]), int(lane))
    return best


def _supplied(network: Network) -> list[tuple[int, int]]:
    """Pairs of supplier and supplied site, most downstream first, each site once."""
    origin = {site: int(network.lanes.origin[lane]) for site, lane in _main_lane(network).items()}

    def depth(site: int) -> int:
        seen = {site}
        while site in origin and origin[site] not in seen:
            site = origin[site]
            seen.add(site)
        return len(seen)

    return [(origin[site], site) for site in sorted(origin, key=lambda s: (-depth(s), s))]


def _cover(network: Network, every: int) -> FloatArray:
    """(S,) days from one order to the arrival of the next."""
    lanes = network.lanes
    cover = np.zeros(len(network.sites.codes))
    for site, lane in _main_lane(network).items():
        leaves = np.flatnonzero(lanes.ship_day[lane] >= 0)
        wait = int(np.diff(leaves).max(initial=1)) if len(leaves) else 1
        cover[site] = lanes.lead[lane] + max(wait, every)
    return cover


def just_in_time(ground: Ground, tables: Tables) -> Tables:
    """Make every lane to a site that supplies no other carry only what leaves again on the day it arrives."""
    lanes, frame = ground.network.lanes, tables.frame("lanes")
    codes = ground.network.sites.codes
    last = {codes[s] for s in set(lanes.destination.tolist()) - set(lanes.origin.tolist())}
    mine = frame["destination"].isin(last)
    changed: dict[str, Any] = {"lanes": frame.assign(method=np.where(mine, "jit", frame["method"]))}
    rows = tables.frame("item_lanes")
    if len(rows) and "method" in rows:
        changed["item_lanes"] = rows.assign(
            method=rows["method"].where(~rows["destination"].isin(last) | rows["method"].isna(), "jit")
        )
    return tables.replace(**changed)
