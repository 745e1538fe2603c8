"""Our own policies: the solver's shipments, with booking limits and bid prices, on the mean or against several outlooks."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from allocator.backtest.decision import OPEN, Decision, Gate, Shipments
from allocator.backtest.ground import Ground
from allocator.engine.hedge import Hedge
from allocator.engine.outlooks import read_drawn
from allocator.engine.problem import Limits
from allocator.engine.process import Solver
from allocator.engine.whole import NoPlanError, Solution, solve_whole
from allocator.network import Network, build_network
from allocator.plan.bookings import booking_policy
from allocator.plan.tight import Marginals, stock_values
from allocator.program.outlooks import SHARED
from allocator.program.stack import Program, build_program
from allocator.program.stamp import VARIABLE_NAMES
from allocator.rules import Rule, plan_by_rules
from allocator.tables import Tables

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]

SHIP, SERVE = VARIABLE_NAMES.index("ship"), VARIABLE_NAMES.index("serve")
PLENTY = 1e12
"""More stock than any policy protects: limits are then taken from what is on the shelf on the day."""


def solve_day(
    ground: Ground, tables: Tables, day: int, every: int, limits: Limits, solver: Solver, control: bool
) -> Decision:
    """Plan the days until the next plan.

    Parameters
    ----------
    ground : Ground
    tables : Tables
        As seen on the day.
    day, every : int
        Day number, and days until the next plan.
    limits : Limits
        Gap to prove and time to take; where there is no plan by then, the rules engine's is played.
    solver : Solver
    control : bool
        With booking limits and bid prices; otherwise whoever comes first is served.

    Returns
    -------
    Decision
    """
    network = build_network(tables)
    program = whole_until(build_program(network), network, every)
    try:
        solution = solve_whole(network, program, solver, limits)
    except NoPlanError:
        mean = replace(network, outlooks=replace(network.outlooks, count=1))
        ships = plan_by_rules(mean, Rule.A).shipments
        leaves = network.lanes.ship_day[ships.way, ships.bucket]
        return Decision(gathered(ships.item, ships.way, leaves, ships.quantity, day, every), OPEN, late=True)
    shipments = _shipments(network, program, solution, day, every)
    return Decision(shipments, _gate(ground, network, program, solution, day, every) if control else OPEN)


def whole_until(program: Program, network: Network, every: int) -> Program:
    """Ask for whole packs and vehicles only until the next plan: later ones are decided again before they leave."""
    # an integer of the shared block is a lane's vehicles in a bucket
    bucket = np.concatenate([program.columns.bucket, program.shared.key[:, 1]])
    integer = program.integer & (network.calendar.first[bucket] < every)
    return replace(program, integer=integer)


def _shipments(network: Network, program: Program, solution: Solution, day: int, every: int) -> Shipments:
    columns = program.columns
    value = solution.x[: len(columns.item)]
    decided = (columns.outlook == SHARED) if network.outlooks.count > 1 else True
    mine = np.flatnonzero((columns.variable == SHIP) & decided & (value > 1e-9))
    lane, bucket = columns.first[mine], columns.bucket[mine]
    leaves = network.lanes.ship_day[lane, bucket]
    return gathered(columns.item[mine], lane, leaves, value[mine], day, every)


def gathered(item: IntArray, lane: IntArray, leaves: IntArray, quantity: FloatArray, day: int, every: int) -> Shipments:
    """Shipments that leave before the next plan, expiry classes added up; ``leaves`` counts from the day of the plan."""
    soon = (leaves >= 0) & (leaves < every)
    key = np.stack([leaves[soon], lane[soon], item[soon]])
    known, place = np.unique(key, axis=1, return_inverse=True)
    total = np.bincount(place.ravel(), weights=quantity[soon], minlength=known.shape[1]).astype(np.float64)
    return Shipments(known[2], known[1], known[0] + day, total)


def _gate(ground: Ground, network: Network, program: Program, solution: Solution, day: int, every: int) -> Gate:
    worth = Marginals([], *stock_values(network, program, solution.row_dual))
    protected = _hedged if network.outlooks.count > 1 else _foreseen
    item, site, channel, bucket, kept = protected(network, program, solution, worth)
    calendar = network.calendar
    books = np.asarray((~ground.counter).any(axis=2))
    found: dict[tuple[int, int, int, int], float] = {}
    for row in np.flatnonzero(books[channel, site]):
        first = int(calendar.first[bucket[row]])
        for on in range(first, min(first + int(calendar.length[bucket[row]]), every)):
            found[int(item[row]), int(site[row]), int(channel[row]), day + on] = float(kept[row])
    return Gate(found, _prices(network, worth, np.asarray(books.any(axis=0)), day, every))


def _prices(
    network: Network, worth: Marginals, books: NDArray[np.bool_], day: int, every: int
) -> dict[tuple[int, int, int], float]:
    """Value of the next unit at the sites where orders are booked, on the days until the next plan."""
    _, sites, buckets = network.size
    item, site, bucket = worth.bid_key // (sites * buckets), worth.bid_key // buckets % sites, worth.bid_key % buckets
    calendar = network.calendar
    prices: dict[tuple[int, int, int], float] = {}
    for row in np.flatnonzero(books[site] & (calendar.first[bucket] < every)):
        first = int(calendar.first[bucket[row]])
        for on in range(first, min(first + int(calendar.length[bucket[row]]), every)):
            prices[int(item[row]), int(site[row]), day + on] = float(worth.bid_value[row])
    return prices


Kept = tuple[IntArray, IntArray, IntArray, IntArray, FloatArray]
"""Item, site, channel, bucket, units protected from the channel."""


def _hedged(network: Network, program: Program, solution: Solution, worth: Marginals) -> Kept:
    """Protected stock from the distributions of demand, as a plan against several outlooks publishes it."""
    drawn = read_drawn(program, solution.x)
    hedge = Hedge(network, solution.objective, solution.bound, solution.status, np.empty(0), drawn)

    def plenty(stocks: IntArray, rows: IntArray) -> tuple[FloatArray, FloatArray]:
        return np.full(len(stocks), PLENTY), np.zeros(len(rows))

    made = booking_policy(hedge, program.prices, worth, plenty)
    return made.item, made.site, made.channel, made.bucket, made.protected


def _foreseen(network: Network, program: Program, solution: Solution, worth: Marginals) -> Kept:
    """A plan on the mean knows no spread: it keeps from a channel what it means to serve to stronger ones that day."""
    columns, claims = program.columns, network.claims
    value = solution.x[: len(columns.item)]
    mine = np.flatnonzero((columns.variable == SERVE) & (columns.bucket < network.calendar.committed) & (value > 1e-9))
    claim = claims.arc_claim[columns.first[mine]]
    forecast = ~claims.firm[claim]
    mine, claim = mine[forecast], claim[forecast]
    item, site, bucket = columns.item[mine], claims.arc_site[columns.first[mine]], columns.bucket[mine]
    rank = claims.priority[claim]
    served: dict[tuple[int, int, int], dict[int, float]] = {}
    for i, s, t, r, q in zip(item, site, bucket, rank, value[mine], strict=True):
        place = served.setdefault((int(i), int(s), int(t)), {})
        place[int(r)] = place.get(int(r), 0.0) + float(q)
    ranks = {(int(c), int(claims.priority[d])) for d, c in enumerate(claims.channel) if not claims.firm[d]}
    rows = [
        (i, s, c, t, sum(q for r, q in place.items() if r < p))
        for (i, s, t), place in sorted(served.items())
        for c, p in sorted(ranks)
    ]
    table = np.array(rows, dtype=np.float64).reshape(-1, 5)
    whole = [table[:, k].astype(np.int64) for k in range(4)]
    return whole[0], whole[1], whole[2], whole[3], table[:, 4]
