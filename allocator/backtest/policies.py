"""The policies that are played side by side."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

from allocator.backtest.book import Order
from allocator.backtest.decision import Decision
from allocator.backtest.far import far_prices, is_fresh, looks_farther
from allocator.backtest.ground import Ground
from allocator.backtest.shelves import Shelves
from allocator.backtest.solving import solve_day
from allocator.backtest.thumb import base_stock, just_in_time, rule_day
from allocator.backtest.view import Lens, seen
from allocator.engine.problem import Limits
from allocator.engine.process import Solver
from allocator.rules import Rule
from allocator.tables import Tables

Decide = Callable[["Desk", Tables, int], Decision]


@dataclass(frozen=True)
class Desk:
    """Where a policy plans: what it knows for good, how often it plans, to what gap and for how long, its solver, and plans of the first day."""

    ground: Ground
    every: int
    gap: float
    seconds: float
    solver: Solver
    first: dict[tuple[str, int, int], Decision] = field(default_factory=dict)


@dataclass(frozen=True)
class Policy:
    """One way to plan.

    Attributes
    ----------
    name, title : str
    hedges : bool
        Plans against several outlooks.
    decide : callable
        ``decide(desk, tables, day)``: from what is seen on a day to what is done until the next plan.
    """

    name: str
    title: str
    hedges: bool
    decide: Decide

    def plan(
        self,
        desk: Desk,
        lens: Lens,
        day: int,
        shelves: Shelves,
        orders: Sequence[Order],
        before: Decision,
    ) -> Decision:
        """Look at the day and decide.

        Where the season goes on behind the horizon, bid prices have a floor that is found once a week; ``before``, what was decided last, may hold it.
        """
        decision = self.decide(desk, seen(desk.ground, lens, day, shelves, orders), day)
        if decision.gate.open or not looks_farther(desk.ground, day):
            return decision
        if is_fresh(before.gate, day):
            return decision.floored(before.gate.floor, before.gate.looked)
        far = seen(desk.ground, replace(lens, far=True), day, shelves, orders)
        return decision.floored(far_prices(far, desk.solver, desk.seconds), day)


def _rule(rule: Rule) -> Decide:
    return lambda desk, tables, day: rule_day(desk.ground, tables, day, desk.every, rule)


def _pull(desk: Desk, tables: Tables, day: int) -> Decision:
    return rule_day(desk.ground, base_stock(desk.ground, tables, day, desk.every), day, desk.every, Rule.A)


def _jit(desk: Desk, tables: Tables, day: int) -> Decision:
    return rule_day(desk.ground, just_in_time(desk.ground, tables), day, desk.every, Rule.A)


def _solver(control: bool) -> Decide:
    return lambda desk, tables, day: solve_day(
        desk.ground,
        tables,
        day,
        desk.every,
        Limits(gap=desk.gap, accept=desk.gap, seconds=desk.seconds),
        desk.solver,
        control,
    )


POLICIES = {
    policy.name: policy
    for policy in (
        Policy("outlooks", "ours, against several outlooks, with admission control", True, _solver(True)),
        Policy("mean", "ours, on the mean forecast, with admission control", False, _solver(True)),
        Policy("fcfs", "ours, against several outlooks, first come first served without admission control", True, _solver(False)),
        Policy("rule-a", "push by forecast, fair shares A (days of cover)", False, _rule(Rule.A)),
        Policy("rule-d", "push by forecast, fair shares D", False, _rule(Rule.D)),
        Policy("pull", "pull only: base stock, made up to a level as it sells", False, _pull),
        Policy("jit", "just in time: no stock left behind at the last sites", False, _jit),
    )
}  # fmt: skip
"""Every policy that is played, ours first. The bound is no policy: nobody can play it."""
BOUND = "bound"
BOUND_TITLE = "clairvoyant bound: no policy earns more on this demand"
