"""Why not another quantity: what it would cost, whom it would be taken from, and what would make it the better plan."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pandas as pd

from allocator.explain.instead import Lane, Point, Questions
from allocator.report.words import amount, long_day, money, number

if TYPE_CHECKING:
    from allocator.tables import Tables

SMALL = 1e-6
CENT = 0.005
AROUND = (-4, -1, 1, 4)
"""Steps away from the plan whose cost is told."""
TOP = 6


@dataclass(frozen=True)
class Change:
    """What is different somewhere: who (a site, or a channel at a place), what (received, served, lost, kept), by how much. [units]"""

    who: str
    what: str
    planned: float
    instead: float

    @property
    def more(self) -> float:
        """How much more than planned. [units]"""
        return self.instead - self.planned


@dataclass(frozen=True)
class Nearby:
    """A quantity near the planned one and what it would cost over the plan. [units, currency]"""

    quantity: float
    cost: float


@dataclass(frozen=True)
class Instead:
    """The item planned again with another quantity at the site, all other items as planned.

    Attributes
    ----------
    origin, date : str or None
        Only arrivals from there, or sent on that day, are asked about.
    asked, planned, reached : float, [units]
        What was asked for, what the plan brings, what can be brought at most (or at least).
    cost : float, [currency]
        What it would cost over the plan; negative when the plan, proven within a gap only, could be better.
    parts : mapping of str to float, [currency]
        The cost by what it is for.
    changes : list of Change
        Whom it is taken from and who else is better or worse off: customers first, then sites, the largest first.
    nearby : list of Nearby
        Quantities near the planned one.
    base : str
        What is compared with: ``plan``, or ``best`` where the plan's quantities can't be restated (its lots don't follow the classes).
    """

    site: str
    origin: str | None
    date: str | None
    asked: float
    planned: float
    reached: float
    cost: float
    parts: Mapping[str, float]
    changes: list[Change]
    nearby: list[Nearby]
    base: str
    currency: str

    @property
    def per_unit(self) -> float | None:
        """What a unit more (or less) costs on average. [currency/unit]"""
        units = abs(self.reached - self.planned)
        return self.cost / units if units > SMALL else None

    def verdict(self) -> str:
        """Say in a few sentences what the other quantity would cost and what would make it the better plan."""
        said = f"{amount(self.asked)} instead of {amount(self.planned)}"
        said += f" from {self.origin}" if self.origin else ""
        said += f" sent on {long_day(self.date)}" if self.date else ""
        if abs(self.reached - self.asked) > SMALL:
            least = "most" if self.reached < self.asked else "least"
            said += f" can't be brought to {self.site}: {amount(self.reached)} is the {least} that can (packs, stock, capacity, departures). That"
        if abs(self.reached - self.planned) <= SMALL:
            same = "is what the plan brings" if abs(self.cost) < CENT else "is what the plan brings, by other ways"
            return f"{said} {same}."
        if abs(self.cost) < CENT:
            return f"{said} would cost the same: the plan is one of several that are equally good."
        if self.cost < 0:
            return f"{said} would be worth {money(-self.cost, self.currency, 2)} more: the plan is the best only within its proven gap."
        each = money(self.cost / abs(self.reached - self.planned), self.currency, 2)
        word = "more" if self.reached > self.planned else "less"
        return (
            f"{said} would cost {money(self.cost, self.currency, 2)}, {each} a unit; "
            f"it would be the better plan once a unit at {self.site} were worth over {each} {word}."
        )

    def cost_lines(self) -> list[str]:
        """Say where the cost comes from, largest first."""
        shown = sorted(self.parts.items(), key=lambda part: (-abs(part[1]), part[0]))
        return [
            f"{name}: {'+' if figure > 0 else '−'}{money(abs(figure), self.currency, 2)}"
            for name, figure in shown
            if abs(figure) >= CENT
        ]

    def change_lines(self) -> list[str]:
        """Say who gets more and who less."""
        lines = [_change(one) for one in self.changes[:TOP]]
        return [*lines, f"and {len(self.changes) - TOP} more changes"] if len(self.changes) > TOP else lines

    def range_lines(self) -> list[str]:
        """Say in which range of worth the plan's quantity stays the best, and what nearby quantities cost."""
        lines = []
        more = [
            (one.cost / (one.quantity - self.planned)) for one in self.nearby if one.quantity > self.planned + SMALL
        ]
        less = [
            (one.cost / (self.planned - one.quantity)) for one in self.nearby if one.quantity < self.planned - SMALL
        ]
        parts = [f"at most {money(max(min(more), 0.0), self.currency, 2)} more"] if more else []
        parts += [f"at most {money(max(min(less), 0.0), self.currency, 2)} less"] if less else []
        if parts:
            lines.append(
                f"{amount(self.planned)} stays the best while a unit at {self.site} is worth {' and '.join(parts)} than it is"
            )
        for one in self.nearby:
            price = "nothing" if abs(one.cost) < CENT else money(one.cost, self.currency, 2)
            lines.append(f"{amount(one.quantity)} would cost {price}")
        return lines


def ask(
    tables: Tables,
    plan: Mapping[str, pd.DataFrame],
    item: str,
    lane: Lane,
    quantity: float | None,
    previous: pd.DataFrame | None = None,
) -> Instead:
    """Plan the item again with another quantity brought to a site, and with those around the planned one.

    Parameters
    ----------
    tables : Tables
    plan : mapping of str to DataFrame
    item : str
    lane : Lane
        The site, and whether only one origin or ship date is meant.
    quantity : float or None
        What is asked; None asks for one step more than planned. [units]
    previous : DataFrame, optional
        Shipments of the plan's previous plan.

    Raises
    ------
    ValueError
        For a negative quantity, an unknown code, or a site the item can't be shipped to.
    SolverError
        When HiGHS fails.
    """
    if quantity is not None and not 0 <= quantity < float("inf"):
        raise ValueError(f"instead: expected a quantity of 0 or more units, found {quantity:g}")
    if lane.date is not None:
        try:
            dt.date.fromisoformat(lane.date)
        except ValueError:
            raise ValueError(f"date: expected a day as YYYY-MM-DD, found '{lane.date}'") from None
    with Questions(tables, plan, item, lane, previous) as questions:
        restated = questions.planned(plan)
        base = restated or questions.free()
        wanted = base.got + questions.step if quantity is None else quantity
        answer = questions.ask(wanted)
        nearby: dict[float, float] = {}
        for steps in AROUND:
            target = base.got + steps * questions.step
            if target >= -SMALL:
                point = questions.ask(target)
                if abs(point.got - base.got) > SMALL:
                    nearby[round(point.got, 6)] = point.cost - base.cost
    parts = {
        name: answer.parts.get(name, 0.0) - base.parts.get(name, 0.0) for name in sorted({*answer.parts, *base.parts})
    }
    return Instead(
        site=lane.site,
        origin=lane.origin,
        date=lane.date,
        asked=float(wanted),
        planned=base.got,
        reached=answer.got,
        cost=answer.cost - base.cost,
        parts={name: figure for name, figure in parts.items() if abs(figure) >= CENT / 10},
        changes=sorted(_changes(base, answer, lane.site), key=_weight),
        nearby=[Nearby(got, nearby[got]) for got in sorted(nearby)],
        base="plan" if restated else "best",
        currency=tables.settings.currency,
    )


def _weight(one: Change) -> tuple[int, float, str]:
    """Customers first, then goods; of each those that are worse off, then the largest."""
    order = ["unmet", "serves", "waste", "receives", "keeps at the end"]
    worse = one.more > 0 if one.what in ("unmet", "waste") else one.more < 0
    return 2 * order.index(one.what) + (not worse), -abs(one.more), one.who


def _changes(base: Point, answer: Point, asked: str) -> Iterator[Change]:
    for what, before, after in (("receives", base.came, answer.came), ("keeps at the end", base.left, answer.left)):
        for site in sorted({*before, *after} - ({asked} if what == "receives" else set())):
            yield from _change_of(site, what, before.get(site, 0.0), after.get(site, 0.0))
    for what, old, new in (("serves", base.served, answer.served), ("unmet", base.lost, answer.lost)):
        for key in sorted({*old, *new}):
            who = f"{key[0]} ({key[1]})" if what == "serves" else f"{key[0]} demand of {key[1]}"
            yield from _change_of(who, what, old.get(key, 0.0), new.get(key, 0.0))
    yield from _change_of("all sites", "waste", base.wasted, answer.wasted)


def _change_of(who: str, what: str, before: float, after: float) -> Iterator[Change]:
    if abs(after - before) > 1e-4:
        yield Change(who, what, before, after)


def _change(one: Change) -> str:
    word = "more" if one.more > 0 else "fewer"
    step = f"({amount(one.planned)} to {amount(one.instead)})"
    units = f"{number(abs(one.more), 2).rstrip('0').rstrip('.') if abs(one.more) % 1 else number(abs(one.more))} {word}"
    if one.what == "unmet":
        return f"{one.who}: {units} unmet {step}"
    if one.what == "waste":
        return f"{one.who}: {units} expire {step}"
    return f"{one.who} {one.what} {units} {step}"
