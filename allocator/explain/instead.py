"""What if a site got another quantity of an item: the item is solved again with that quantity asked, all other items as planned."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from allocator.engine.problem import Limits, SolverError
from allocator.engine.process import Solver
from allocator.engine.whole import as_problem, solve_whole
from allocator.explain.cut import left_over, only_prices
from allocator.explain.names import known
from allocator.network.build import build_network
from allocator.network.network import Network, Previous
from allocator.network.prices import build_prices
from allocator.network.restrict import restrict
from allocator.program.resources import SharedPiece, compile_resources, resource_data
from allocator.program.stack import Program, build_program
from allocator.program.stamp import VARIABLE_NAMES
from allocator.program.structure import build_structure

if TYPE_CHECKING:
    from allocator.tables import Tables

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]
BoolArray = NDArray[np.bool_]

TIE = 1e-4
"""Price of moving a unit otherwise than planned, in shares of the item's worth: of equal answers the nearest to the plan is taken."""
FIRM = 1e4
"""Price of a unit that can't be brought about, in units' worth and freight: above all that gives in a plan."""
GAP = 1e-6
PARTS = {
    "ship": "freight",
    "serve": "serving customers, less margin",
    "stock": "holding stock",
    "waste": "waste",
    "lost": "unmet demand",
    "backlog": "lateness",
    "below_min": "below minimum stock",
    "below_safety": "below safety stock",
    "above_max": "above maximum stock",
    "lock_short": "locks not kept",
    "vehicles": "vehicles",
    "over_inbound": "inbound over its limit",
    "over_storage": "storage over its limit",
    "fill_short": "below minimum fill",
}


@dataclass(frozen=True)
class Lane:
    """Which arrivals a question is about: those at the site, narrowed to one origin and one ship date."""

    site: str
    origin: str | None = None
    date: str | None = None


@dataclass(frozen=True)
class Point:
    """One way to plan the item.

    Attributes
    ----------
    got : float, [units]
        What comes to the site by the lanes asked about.
    cost : float, [currency]
        Of the item's plan, smaller is better; what is asked for costs nothing in it.
    parts : mapping of str to float, [currency]
        The cost by what it is for.
    came, left : mapping of str to float, [units]
        Shipments that arrive at each site; its stock at the end.
    served, lost : mapping of (site, channel) and (channel, zone) to float, [units]
        What sites serve; demand that is lost, or still waits at the end.
    wasted : float, [units]
    """

    got: float
    cost: float
    parts: Mapping[str, float]
    came: Mapping[str, float]
    left: Mapping[str, float]
    served: Mapping[tuple[str, str], float]
    lost: Mapping[tuple[str, str], float]
    wasted: float


class Questions:
    """Asks a plan about other quantities of one item at one site.

    Parameters
    ----------
    tables : Tables
        The network.
    plan : mapping of str to DataFrame
        The plan's tables.
    item : str
    lane : Lane
    previous : DataFrame, optional
        Shipments of the plan's own previous plan.

    Raises
    ------
    ValueError
        When no lane leads to the site, from the origin or on the date that is asked about.
    """

    def __init__(
        self,
        tables: Tables,
        plan: Mapping[str, pd.DataFrame],
        item: str,
        lane: Lane,
        previous: pd.DataFrame | None = None,
    ) -> None:
        whole = build_network(tables, previous)
        known("item", item, whole.items)
        known("site", lane.site, whole.sites.codes)
        number = whole.items.index(item)
        left = left_over(whole, plan, number)
        network, prices = restrict(left.network(whole), np.array([number])), only_prices(build_prices(whole), number)
        self.tied = network.change_cost == 0
        if self.tied:
            network = _near(network, whole, plan, item, TIE * float(prices.worth[0]))
        data = resource_data(network, prices) | {"fill_floor": left.fill}
        shared = compile_resources(build_structure(network, 1), data)
        self.network = network
        self.program = build_program(network, prices, _with_room(shared, left.room))
        self.asked = _asked_columns(network, self.program, lane)
        self.step = max(
            float(network.quantum[0]) or 1.0, float(network.lanes.pack[0, self.program.columns.first[self.asked]].max())
        )
        self.firm = FIRM * float(prices.worth[0] + prices.freight[0])
        self.solver = Solver()

    def __enter__(self) -> Questions:
        return self

    def __exit__(self, *_: object) -> None:
        self.solver.close()

    def planned(self, plan: Mapping[str, pd.DataFrame]) -> Point | None:
        """The plan itself as a point of this program: the cheapest way to what it ships and serves; None when there is none."""
        network, columns = self.network, self.program.columns
        item = network.items[0]
        ships, serves = plan["shipments"], plan["admissions"]
        rows = [
            *_flow_rows(columns, "ship", network, _lane_flows(network, ships[ships["item"] == item])),
            *_flow_rows(columns, "serve", network, _arc_flows(network, serves[serves["item"] == item])),
        ]
        pinned = _with_rows(self.program, rows, [total for _, total in rows])
        try:
            answer = self.solver.solve(as_problem(pinned), Limits(gap=GAP))
        except SolverError:
            return None
        return None if answer.x is None else self._point(answer.x)

    def ask(self, quantity: float) -> Point:
        """Solve the item again with this quantity brought to the site, or the nearest to it that can be.

        Raises
        ------
        SolverError
            When HiGHS fails.
        """
        program = _with_target(self.program, self.asked, quantity, self.firm)
        solution = solve_whole(self.network, program, self.solver, Limits(gap=GAP, accept=1e-4, nodes=2000))
        return self._point(solution.x)

    def free(self) -> Point:
        """Solve the item again with nothing asked."""
        solution = solve_whole(self.network, self.program, self.solver, Limits(gap=GAP, accept=1e-4, nodes=2000))
        return self._point(solution.x)

    def _point(self, x: FloatArray) -> Point:
        program, network = self.program, self.network
        columns, count = program.columns, program.first_shared_column
        value, cost = x[:count], program.cost[:count] * x[:count]
        if self.tied:
            cost = np.where(np.isin(columns.variable, _numbers("up", "down")), 0.0, cost)
        parts: dict[str, float] = {}
        for name in np.unique(columns.variable).tolist():
            word = PARTS.get(VARIABLE_NAMES[name], "changes to the last plan")
            parts[word] = parts.get(word, 0.0) + float(cost[columns.variable == name].sum())
        shared = program.cost[count:] * x[count : len(program.cost)]
        for name in sorted(set(program.shared.variable)):
            mine = np.array([other == name for other in program.shared.variable])
            if name in PARTS:
                parts[PARTS[name]] = parts.get(PARTS[name], 0.0) + float(shared[mine].sum())
        return Point(
            got=float(value[self.asked].sum()),
            cost=sum(parts.values()),
            parts={name: figure for name, figure in parts.items() if abs(figure) > 1e-9},
            **_what_moves(network, columns, value),
        )


def _numbers(*names: str) -> list[int]:
    return [VARIABLE_NAMES.index(name) for name in names]


def _near(network: Network, whole: Network, plan: Mapping[str, pd.DataFrame], item: str, price: float) -> Network:
    """Prefer the plan's own shipments among answers of equal cost, by the law of stability against a previous plan."""
    ships = plan["shipments"]
    lane, bucket, quantity = _lane_flows(whole, ships[ships["item"] == item])
    zero = np.zeros(len(lane), dtype=np.int64)
    previous = Previous(zero, lane, bucket, quantity, network.lanes.ship_day >= 0)
    return replace(network, previous=previous, change_cost=price)


def _lane_flows(network: Network, ships: pd.DataFrame) -> tuple[IntArray, IntArray, FloatArray]:
    """Lane, bucket and quantity of shipments."""
    place = {code: number for number, code in enumerate(network.lanes.codes)}
    triples = zip(ships["origin"], ships["destination"], ships["mode"], strict=True)
    lane = np.array([place[code] for code in triples], dtype=np.int64)
    return lane, _buckets(network, ships["ship_date"]), ships["quantity"].to_numpy(float)


def _arc_flows(network: Network, serves: pd.DataFrame) -> tuple[IntArray, IntArray, FloatArray]:
    """Service arc, bucket and quantity of admissions."""
    claims = network.claims
    place = {
        (
            network.sites.codes[claims.arc_site[arc]],
            network.channels[claims.channel[claim]],
            network.zones[claims.zone[claim]],
            claims.label[claim],
        ): arc
        for arc, claim in enumerate(claims.arc_claim.tolist())
    }
    keys = zip(serves["site"], serves["channel"], serves["zone"], serves["claim"], strict=True)
    arc = np.array([place[key] for key in keys], dtype=np.int64)
    return arc, _buckets(network, serves["date"]), serves["quantity"].to_numpy(float)


def _buckets(network: Network, dates: pd.Series) -> IntArray:
    days = np.asarray(dates, dtype="datetime64[D]") - np.datetime64(network.calendar.start, "D")
    return np.asarray(network.calendar.bucket_of(days.astype(np.int64)), dtype=np.int64)


def _with_room(shared: SharedPiece, room: FloatArray) -> SharedPiece:
    """Let what a lane carries fill the room of vehicles that go anyway first."""
    vehicle = np.array([law == "vehicle" for law in shared.law], dtype=bool)
    key = shared.row_key[vehicle]
    upper = shared.row_upper.copy()
    upper[vehicle] += room[key[:, 0], key[:, 1]]
    return replace(shared, row_upper=upper)


def _asked_columns(network: Network, program: Program, lane: Lane) -> IntArray:
    """Columns of shipments that a question is about."""
    lanes, columns, site = network.lanes, program.columns, network.sites.codes.index(lane.site)
    leads = lanes.destination == site
    if not leads.any():
        raise ValueError(
            f"site: expected one that a lane leads to, found '{lane.site}', which gets receipts only; ask about a site downstream"
        )
    if lane.origin is not None:
        origins = sorted({network.sites.codes[o] for o in lanes.origin[leads]})
        leads &= lanes.origin == network.sites.codes.index(known("origin", lane.origin, origins))
    ship = np.flatnonzero(columns.variable == VARIABLE_NAMES.index("ship"))
    way, bucket = columns.first[ship], columns.bucket[ship]
    mine = leads[way] & (lanes.arrival[way, bucket] >= 0)
    if lane.date is not None:
        mine &= lanes.ship_day[way, bucket] == (dt.date.fromisoformat(lane.date) - network.calendar.start).days
    found = ship[mine]
    if not len(found):
        where = f" from '{lane.origin}'" if lane.origin else ""
        when = f" that leaves on {lane.date}" if lane.date else ""
        raise ValueError(
            f"item: expected one that may be shipped to '{lane.site}'{where}{when} and arrive in the horizon, "
            f"found '{network.items[0]}', which may not (see item_lanes, stock_policies and departs) or is nowhere in stock"
        )
    return np.asarray(found, dtype=np.int64)


def _with_target(program: Program, asked: IntArray, quantity: float, price: float) -> Program:
    """Add the row ``sum of asked - over + under = quantity``, over and under at a price above all others."""
    n = len(program.cost)
    row = (np.concatenate([asked, [n, n + 1]]), np.concatenate([np.ones(len(asked)), [-1.0, 1.0]]))
    wide = replace(
        program,
        cost=np.concatenate([program.cost, [price, price]]),
        lower=np.concatenate([program.lower, [0.0, 0.0]]),
        upper=np.concatenate([program.upper, [np.inf, np.inf]]),
        integer=np.concatenate([program.integer, [False, False]]),
    )
    return _with_rows(wide, [(row, quantity)], [quantity])


def _with_rows(program: Program, rows: Sequence[tuple[Any, float]], totals: Sequence[float]) -> Program:
    """Append equations to a program."""
    indices = [np.asarray(row[0], dtype=np.int64) for row, _ in rows]
    values = [np.asarray(row[1], dtype=np.float64) for row, _ in rows]
    ends = program.indptr[-1] + np.cumsum([len(index) for index in indices], dtype=np.int64)
    return replace(
        program,
        indptr=np.concatenate([program.indptr, ends]),
        indices=np.concatenate([program.indices, *indices]),
        values=np.concatenate([program.values, *values]),
        row_lower=np.concatenate([program.row_lower, totals]),
        row_upper=np.concatenate([program.row_upper, totals]),
    )


def _flow_rows(
    columns: Any, variable: str, network: Network, flows: tuple[IntArray, IntArray, FloatArray]
) -> list[tuple[tuple[IntArray, FloatArray], float]]:
    """Equations that hold a variable at a plan's flows, classes added up; where nothing flows the sum is 0."""
    mine = np.flatnonzero(columns.variable == VARIABLE_NAMES.index(variable))
    buckets = network.calendar.buckets
    key = columns.first[mine] * buckets + columns.bucket[mine]
    total = np.bincount(flows[0] * buckets + flows[1], weights=flows[2], minlength=int(key.max(initial=0)) + 1)
    order = np.argsort(key, kind="stable")
    starts = np.flatnonzero(np.diff(key[order], prepend=-1))
    parts = np.split(mine[order], starts[1:]) if len(starts) else []
    return [
        ((part, np.ones(len(part))), float(total[key[order[start]]])) for part, start in zip(parts, starts, strict=True)
    ]


def _what_moves(network: Network, columns: Any, value: FloatArray) -> dict[str, Any]:
    """What comes, stays, is served and is lost, by code."""
    sites, claims, last = network.sites.codes, network.claims, network.calendar.buckets - 1

    def of(name: str) -> IntArray:
        return np.flatnonzero((columns.variable == VARIABLE_NAMES.index(name)) & (value > 1e-9))

    def sums(keys: Sequence[Any], amounts: FloatArray) -> dict[Any, float]:
        found: dict[Any, float] = {}
        for key, amount in zip(keys, amounts.tolist(), strict=True):
            found[key] = found.get(key, 0.0) + amount
        return found

    ship, serve, stock = of("ship"), of("serve"), of("stock")
    ship = ship[network.lanes.arrival[columns.first[ship], columns.bucket[ship]] >= 0]
    stock = stock[columns.bucket[stock] == last]
    waiting = of("backlog")
    gone = np.concatenate([of("lost"), waiting[columns.bucket[waiting] == last]])
    arc, claim = columns.first[serve], columns.first[gone]
    return {
        "came": sums([sites[s] for s in network.lanes.destination[columns.first[ship]]], value[ship]),
        "left": sums([sites[s] for s in columns.first[stock]], value[stock]),
        "served": sums(
            [(sites[claims.arc_site[a]], network.channels[claims.channel[claims.arc_claim[a]]]) for a in arc],
            value[serve],
        ),
        "lost": sums(
            [(network.channels[claims.channel[d]], network.zones[claims.zone[d]]) for d in claim], value[gone]
        ),
        "wasted": float(value[of("waste")].sum()),
    }
