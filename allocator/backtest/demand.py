"""What customers ask for, line by line: drawn from the forecasts, or as a history has it. The same for every policy."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from allocator.backtest.ground import Ground
from allocator.history import History
from allocator.network import coding
from allocator.network.marginals import draw_marginals
from allocator.network.outlooks import draw_alone

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]

TRUTH = 0x7A11
"""Sets the seeds of what happens apart from those of the outlooks, which planners see."""


@dataclass(frozen=True)
class Lines:
    """Order lines in the order in which they come in.

    Attributes
    ----------
    item, channel, zone, day : (n,) int
    quantity : (n,) float
        [units]
    """

    item: IntArray
    channel: IntArray
    zone: IntArray
    day: IntArray
    quantity: FloatArray

    def on(self, day: int) -> range:
        """Rows of a day; the lines are sorted by day."""
        low, high = np.searchsorted(self.day, [day, day + 1])
        return range(int(low), int(high))

    def take(self, rows: IntArray) -> Lines:
        """Some of the lines."""
        return Lines(self.item[rows], self.channel[rows], self.zone[rows], self.day[rows], self.quantity[rows])

    @property
    def total(self) -> float:
        """Units asked for."""
        return float(self.quantity.sum())


@dataclass(frozen=True)
class Firm:
    """Orders that the network brings along: accepted before the first day, due on ``day`` (negative: overdue)."""

    item: IntArray
    channel: IntArray
    zone: IntArray
    day: IntArray
    quantity: FloatArray


def known_orders(ground: Ground) -> Firm:
    """The network's own firm orders that fall due on the days played."""
    network, table = ground.network, ground.tables["orders"]
    day = coding.day_numbers(table, "due_date", ground.start, 0)
    mine = np.flatnonzero(day < ground.days)
    codes = ((("item"), network.items), ("channel", network.channels), ("zone", network.zones))
    item, channel, zone = (coding.ranks(table, name, known)[mine] for name, known in codes)
    return Firm(item, channel, zone, day[mine], coding.amounts(table, "quantity")[mine])


def no_orders() -> Firm:
    """None: a history holds all demand already."""
    none = np.empty(0, dtype=np.int64)
    return Firm(none, none, none, none, np.empty(0))


def drawn(ground: Ground, firm: Firm, seed: int, replication: int) -> Lines:
    """Draw one path of demand, every demand point from its own distribution, independent of all outlooks.

    Parameters
    ----------
    ground : Ground
    firm : Firm
        Orders that consume what is drawn for their item, channel, zone and day.
    seed, replication : int

    Returns
    -------
    Lines
        Single quanta in random order within each day; one line for a continuous item.

    Notes
    -----
    A point's draw depends on seed, replication and its codes and date alone: policies, and scenarios of one network, meet the same luck.
    """
    outlooks = ground.network.outlooks
    points, quantum = outlooks.points, ground.network.quantum
    number = _seed(seed, replication)
    probability = draw_alone(points.key, points.factor_key, number, outlooks.common_factor)
    quantity = draw_marginals(points.mean, points.std, points.quantiles, quantum[points.item], probability[:, None])
    left = _less_firm(ground, firm, points.item, points.channel, points.zone, points.day, quantity[:, 0])
    step = np.where(quantum > 0, quantum, 0.0)[points.item]
    whole = step > 0
    # demand that is its mean for certain need not be whole: rounded as the plan rounds it, summed up over days
    left = np.where(whole, _rounded(points.item, points.channel, points.zone, left, np.where(whole, step, 1.0)), left)
    pieces = np.where(whole, np.round(left / np.where(whole, step, 1.0)), left > 0).astype(np.int64)
    row = np.repeat(np.arange(len(left)), pieces)
    each = np.where(whole[row], step[row], left[row])
    lines = Lines(points.item[row], points.channel[row], points.zone[row], points.day[row], each)
    return arriving(lines, number)


def arriving(lines: Lines, number: int) -> Lines:
    """Put the lines of each day in random order."""
    luck = np.random.default_rng([number % 2**63, TRUTH]).random(len(lines.day))
    return lines.take(np.lexsort((luck, lines.day)))


def told(ground: Ground, history: History) -> tuple[Lines, list[str]]:
    """The lines of a history that fall on the days played, in the order of the file's days; and notes on what was left out.

    Raises
    ------
    ValueError
        When none of them is of this network and these days.
    """
    network, frame = ground.network, history.frame
    day = (frame["date"] - np.datetime64(ground.start)).dt.days.to_numpy()
    inside = (day >= 0) & (day < ground.days)
    codes = {"item": network.items, "channel": network.channels, "zone": network.zones}
    index = {name: frame[name].map({c: k for k, c in enumerate(known)}) for name, known in codes.items()}
    known = np.logical_and.reduce([column.notna() for column in index.values()])
    served = np.zeros(len(frame), dtype=bool)
    at = np.flatnonzero(inside & known)
    pairs = zip(index["channel"].to_numpy()[at], index["zone"].to_numpy()[at], strict=True)
    served[at] = [(int(c), int(z)) in ground.ways for c, z in pairs]
    notes = _left_out(frame["quantity"].to_numpy(), inside, inside & ~served)
    positive = np.flatnonzero(inside & served & (frame["quantity"].to_numpy() > 0))
    if not len(positive):
        raise ValueError(
            f"the history has no line of this network from {ground.start} to {ground.date(ground.days - 1)}; "
            "check its codes, or the network's start"
        )
    item, channel, zone = (index[name].to_numpy()[positive].astype(np.int64) for name in codes)
    lines = Lines(item, channel, zone, day[positive].astype(np.int64), frame["quantity"].to_numpy()[positive])
    return arriving(lines, _seed(network.outlooks.seed, 0)), notes


def _left_out(quantity: FloatArray, inside: NDArray[np.bool_], out: NDArray[np.bool_]) -> list[str]:
    notes = []
    if not inside.all():
        notes.append(f"{int((~inside).sum()):,} lines of the history fall on other days than those played")
    if out.any():
        notes.append(
            f"{int(out.sum()):,} lines ({quantity[out].sum():g} units) have an item, channel or zone that the network does not serve"
        )
    return notes


def _seed(seed: int, replication: int) -> int:
    return int(np.random.SeedSequence([seed, replication, TRUTH]).generate_state(1, np.uint64)[0] >> np.uint64(1))


def _less_firm(
    ground: Ground, firm: Firm, item: IntArray, channel: IntArray, zone: IntArray, day: IntArray, quantity: FloatArray
) -> FloatArray:
    """What is left of drawn demand once firm orders due that day have consumed it."""
    if not len(firm.item):
        return quantity
    shape = (len(ground.network.items), len(ground.network.channels), len(ground.network.zones), ground.days)
    wanted = np.ravel_multi_index((firm.item, firm.channel, firm.zone, np.maximum(firm.day, 0)), shape)
    mine = np.ravel_multi_index((item, channel, zone, day), shape)
    known, place = np.unique(wanted, return_inverse=True)
    total = np.bincount(place, weights=firm.quantity)
    at = np.minimum(np.searchsorted(known, mine), len(known) - 1)
    return np.asarray(np.maximum(quantity - np.where(known[at] == mine, total[at], 0.0), 0.0))


def _rounded(item: IntArray, channel: IntArray, zone: IntArray, left: FloatArray, step: FloatArray) -> FloatArray:
    """Cumulative rounding to quanta along each series; points are sorted by item, channel, zone and day."""
    if not len(left):
        return left
    new = np.ones(len(left), dtype=bool)
    new[1:] = (np.diff(item) != 0) | (np.diff(channel) != 0) | (np.diff(zone) != 0)
    start = np.flatnonzero(new)[np.cumsum(new) - 1]
    total = np.cumsum(left)
    run = total - (total - left)[start]
    whole = np.floor(run / step + 0.5 + 1e-9) * step
    before = np.where(new, 0.0, np.concatenate([[0.0], whole[:-1]]))
    return np.asarray(whole - before)
