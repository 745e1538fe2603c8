"""What a play comes to: money and units, written down as they happen."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]

MONEY = ("earned", "freight", "fulfilment", "holding", "waste", "unmet", "lateness", "cancellations")
"""Parts of the margin, by day. All but the first are costs."""
UNITS = ("asked", "served", "on_time", "accepted", "refused", "cancelled", "lost")
"""What became of demand, by day and channel. asked = on_time + late + refused + cancelled + lost + still open at the end."""
FLOWS = ("shipped", "pulled", "wasted_units", "stock_value", "cost_served", "empty", "asked_places")
"""Stock and movement, by day."""


@dataclass
class Tally:
    """Figures of one play.

    Attributes
    ----------
    money : dict of str to (N,) float
        By day. [currency]
    units : dict of str to (N, C) float
        By day on which it happened and channel. [units]
    flows : dict of str to (N,) float
    channel_profit : (N, C) float
        Margin earned less fulfilment, unmet, lateness and cancellations. [currency]
    late : int
        Plans that the solver had no time for: the rules engine's were played.
    """

    days: int
    channels: int
    money: dict[str, FloatArray] = field(default_factory=dict)
    units: dict[str, FloatArray] = field(default_factory=dict)
    flows: dict[str, FloatArray] = field(default_factory=dict)
    late: int = 0

    def __post_init__(self) -> None:
        self.money = {name: np.zeros(self.days) for name in MONEY}
        self.units = {name: np.zeros((self.days, self.channels)) for name in UNITS}
        self.flows = {name: np.zeros(self.days) for name in FLOWS}
        self.channel_profit = np.zeros((self.days, self.channels))

    def pay(self, name: str, day: int, amount: float, channel: int | None = None) -> None:
        """Write down a part of the margin, of a channel where it is one's."""
        self.money[name][day] += amount
        if channel is not None:
            self.channel_profit[day, channel] += amount if name == "earned" else -amount

    def count(self, name: str, day: int, channel: int, units: float) -> None:
        """Write down units of demand."""
        self.units[name][day, channel] += units

    def flow(self, name: str, day: int, amount: float) -> None:
        """Write down stock or movement."""
        self.flows[name][day] += amount

    @property
    def margin(self) -> FloatArray:
        """(N,) margin of each day. [currency]"""
        costs = sum((self.money[name] for name in MONEY[1:]), np.zeros(self.days))
        return np.asarray(self.money["earned"] - costs)
