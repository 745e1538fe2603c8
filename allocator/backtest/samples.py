"""From the tally of a play to samples of KPIs, each a ratio, and from samples to estimates with confidence intervals."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import stdtrit

from allocator.backtest.ground import WEEK
from allocator.backtest.tally import MONEY, Tally

FloatArray = NDArray[np.float64]

Sample = dict[str, tuple[list[float], list[float]]]
"""``kpi|scope`` -> what a play gives above and below the line, one figure a block of days."""
LEVEL = 0.95
"""Confidence of all intervals."""


@dataclass(frozen=True)
class Kpi:
    """A figure that is compared: name, title, unit, and whether more is better."""

    name: str
    title: str
    unit: str
    better: str


KPIS = (
    Kpi("margin", "Margin after all costs", "currency", "higher"),
    Kpi("earned", "Margin of what was served", "currency", "higher"),
    Kpi("freight", "Freight", "currency", "lower"),
    Kpi("fulfilment", "Fulfilment", "currency", "lower"),
    Kpi("holding", "Holding", "currency", "lower"),
    Kpi("waste", "Waste at cost", "currency", "lower"),
    Kpi("unmet", "Cost of demand lost or refused", "currency", "lower"),
    Kpi("lateness", "Cost of lateness", "currency", "lower"),
    Kpi("cancellations", "Cost of cancelling", "currency", "lower"),
    Kpi("profit", "A channel's margin less its own costs", "currency", "higher"),
    Kpi("fill_rate", "Fill rate", "share", "higher"),
    Kpi("lost_share", "Lost, refused or cancelled of what was asked for", "share", "lower"),
    Kpi("stockout_rate", "Stockout rate", "share", "lower"),
    Kpi("inventory_turns", "Inventory turns", "per year", "higher"),
    Kpi("push_share", "Push share", "share", "neither"),
    Kpi("first_push", "Shipped on the first day of all shipped", "share", "neither"),
    Kpi("units_asked", "Units asked for", "units", "neither"),
    Kpi("units_served", "Units served", "units", "higher"),
    Kpi("accepted_units", "Accepted", "units", "higher"),
    Kpi("refused_units", "Refused", "units", "lower"),
    Kpi("cancelled_units", "Cancelled", "units", "lower"),
    Kpi("cancelled_share", "Cancelled of accepted", "share", "lower"),
    Kpi("waste_units", "Waste", "units", "lower"),
)
"""Every KPI, in the order of the tables (definitions: docs/backtest.md)."""


def blocks_of(days: int, weekly: bool) -> list[slice]:
    """The stretches of days that count as samples: the whole play, or its weeks (a last part of a week joins the one before)."""
    if not weekly or days < 2 * WEEK:
        return [slice(0, days)]
    count = days // WEEK
    return [slice(k * WEEK, days if k == count - 1 else (k + 1) * WEEK) for k in range(count)]


def sample_of(tally: Tally, channels: Sequence[str], weekly: bool) -> Sample:
    """Take the KPIs of a play, block by block.

    Parameters
    ----------
    tally : Tally
    channels : sequence of str
    weekly : bool
        Weeks are samples of their own (one real history), not whole plays (drawn demand).
    """
    blocks = blocks_of(tally.days, weekly)
    share = [(block.stop - block.start) / tally.days for block in blocks]
    flows, units = tally.flows, tally.units

    def total(values: FloatArray) -> list[float]:
        return [float(values[block].sum()) for block in blocks]

    sample: Sample = {"margin|network": (total(tally.margin), share)}
    for name in MONEY:
        sample[f"{name}|network"] = (total(tally.money[name]), share)
    served, shipped = total(flows["cost_served"]), total(flows["shipped"])
    sample["stockout_rate|network"] = (total(flows["empty"]), total(flows["asked_places"]))
    sample["inventory_turns|network"] = ([365.0 * value for value in served], total(flows["stock_value"]))
    pushed = np.array(shipped) - np.array(total(flows["pulled"]))
    sample["push_share|network"] = (pushed.tolist(), shipped)
    first = [float(flows["shipped"][0]) if block.start == 0 else 0.0 for block in blocks]
    sample["first_push|network"] = (first, shipped)
    sample["waste_units|network"] = (total(flows["wasted_units"]), share)
    for column, scope in [
        (slice(None), "network"),
        *((slice(c, c + 1), f"channel:{n}") for c, n in enumerate(channels)),
    ]:
        by = {name: total(value[:, column].sum(axis=1)) for name, value in units.items()}
        gone = (np.array(by["lost"]) + np.array(by["refused"]) + np.array(by["cancelled"])).tolist()
        sample[f"fill_rate|{scope}"] = (by["on_time"], by["asked"])
        sample[f"lost_share|{scope}"] = (gone, by["asked"])
        sample[f"cancelled_share|{scope}"] = (by["cancelled"], by["accepted"])
        for name, key in (("units_asked", "asked"), ("units_served", "served"), ("accepted_units", "accepted")):
            sample[f"{name}|{scope}"] = (by[key], share)
        sample[f"refused_units|{scope}"] = (by["refused"], share)
        sample[f"cancelled_units|{scope}"] = (by["cancelled"], share)
    for c, name in enumerate(channels):
        sample[f"profit|channel:{name}"] = (total(tally.channel_profit[:, c]), share)
    return sample


@dataclass(frozen=True)
class Estimate:
    """A figure with its confidence interval; the interval is NaN where there are fewer than two samples."""

    value: float
    low: float
    high: float
    error: float
    samples: int

    @property
    def clear(self) -> bool:
        """Whether the interval does not hold zero."""
        return self.low > 0 or self.high < 0


def ratio(above: FloatArray, below: FloatArray) -> tuple[float, FloatArray]:
    """Ratio of sums, and each sample's part in its error.

    Notes
    -----
    The ratio estimator R = sum(a) / sum(b) with residuals (a - R b) / mean(b), whose standard deviation over sqrt(n) is its standard error to
    first order (Law, Simulation Modeling and Analysis, section 9.4.3). With b = 1 it is the ordinary mean.
    """
    total = float(below.sum())
    if total <= 0:
        return math.nan, np.full(len(above), math.nan)
    value = float(above.sum()) / total
    return value, np.asarray((above - value * below) / below.mean())


def estimate(value: float, residuals: FloatArray) -> Estimate:
    """Interval from Student's t with one degree of freedom fewer than samples."""
    count = len(residuals)
    if count < 2 or math.isnan(value):
        return Estimate(value, math.nan, math.nan, math.nan, count)
    error = float(residuals.std(ddof=1)) / math.sqrt(count)
    wide = float(stdtrit(count - 1, 0.5 + LEVEL / 2)) * error
    return Estimate(value, value - wide, value + wide, error, count)


def joined(samples: Sequence[Sample], key: str) -> tuple[FloatArray, FloatArray]:
    """One KPI of all plays of a policy, above and below the line."""
    return (
        np.concatenate([np.asarray(sample[key][0], dtype=np.float64) for sample in samples]),
        np.concatenate([np.asarray(sample[key][1], dtype=np.float64) for sample in samples]),
    )


def estimated(samples: Sequence[Sample], key: str) -> Estimate:
    """One KPI of a policy."""
    return estimate(*ratio(*joined(samples, key)))


def difference(one: Sequence[Sample], two: Sequence[Sample], key: str) -> Estimate:
    """One KPI of a policy less that of another on the same demand, sample by sample."""
    first, mine = ratio(*joined(one, key))
    second, theirs = ratio(*joined(two, key))
    return estimate(first - second, mine - theirs)


def closed(ours: Sequence[Sample], rule: Sequence[Sample], best: Sequence[Sample]) -> Estimate:
    """Share of the distance from one policy's margin to the bound that another closes."""
    margin: Mapping[str, FloatArray] = {
        name: joined(samples, "margin|network")[0] for name, samples in (("ours", ours), ("rule", rule), ("best", best))
    }
    return estimate(*ratio(margin["ours"] - margin["rule"], margin["best"] - margin["rule"]))
