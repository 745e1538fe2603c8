"""A shard: a group of items, their blocks and bases, and their part of the plan so far. It knows nothing of processes."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from allocator.engine.hot import Hot
from allocator.engine.problem import Problem, SolverError
from allocator.engine.rings import RING_ROUNDS, cancel_rings, close_rings, find_rings
from allocator.priced.blocks import SERVE, SHIP, Block, Packed
from allocator.priced.holding import hold_item
from allocator.priced.item import NEARLY, Known, Priced, Settled, price_item, settle_item, settled
from allocator.priced.part import BALANCE
from allocator.priced.source import Source

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]
BoolArray = NDArray[np.bool_]

TIGHT = 1e-7
"""Share of a limit that counts as nothing over it."""


def _no_limits() -> IntArray:
    return np.empty(0, dtype=np.int64)


@dataclass
class Member:
    """One item of a shard: its block, where its optimum was last time, and its part of the plan.

    Attributes
    ----------
    packed : Packed
    expiry : (E,) int
    bound : float
        Proven at the last prices of a round. [currency]
    at : int
        Number of the prices that the next five belong to; -1 for none.
    scale : float
        Its cost there without limits. [currency]
    basis : object
        There, without limits.
    dual : (b,) float
        Of its balances there.
    limits : (k,) int
        Resources whose limits came in there since.
    limited : object
        The basis with them.
    cost, uses, amounts
        What its plan costs and uses.
    columns, values
        Its plan, once that is whole.
    bids
        Value of its stock: keys, values.
    """

    packed: Packed
    expiry: IntArray
    bound: float = -np.inf
    at: int = -1
    scale: float = 1.0
    basis: Any = None
    dual: FloatArray | None = None
    limits: IntArray = field(default_factory=_no_limits)
    limited: Any = None
    cost: float = 0.0
    uses: IntArray | None = None
    amounts: FloatArray | None = None
    columns: IntArray | None = None
    values: FloatArray | None = None
    bids: tuple[IntArray, FloatArray] | None = None

    @classmethod
    def of(cls, block: Block, expiry: IntArray) -> Member:
        """A freshly stamped item."""
        return cls(Packed.of(block), expiry)

    def use(self, count: int) -> FloatArray:
        """(R,) what its plan uses."""
        dense = np.zeros(count)
        if self.uses is not None:
            dense[self.uses] = self.amounts
        return dense

    def answer(self, found: Priced, block: Block, number: int) -> None:
        """Keep where its optimum at some prices is."""
        self.at, self.scale = number, found.bound
        self.basis = self.limited = found.basis
        self.dual = found.dual[block.row_law == BALANCE]
        self.limits = _no_limits()

    def known(self, number: int, use: FloatArray) -> Known | None:
        """Where its optimum at some prices is; None when it was asked others last."""
        return Known(use, self.limits, self.limited, self.scale) if self.at == number else None

    @property
    def plan(self) -> tuple[IntArray, FloatArray]:
        """Columns and values of its whole plan."""
        if self.columns is None or self.values is None:
            raise ArithmeticError(f"item {self.packed.item} has no plan in whole packs and units")
        return self.columns, self.values

    def take(self, use: FloatArray, cost: float) -> None:
        """Keep what a plan uses and costs."""
        self.uses = np.flatnonzero(use)
        self.amounts = use[self.uses]
        self.cost = cost


@dataclass(frozen=True)
class Work:
    """What a shard says of a piece of work.

    Attributes
    ----------
    bound : float
        No plans of its items cost less at the prices given, resources at their prices included. [currency]
    cost : float
        Of its plan, without prices. [currency]
    use : (R,) float
        Of its plan.
    items : int
        Items that were solved.
    seconds, iterations, runs
        Inside HiGHS.
    """

    bound: float
    cost: float
    use: FloatArray
    items: int
    seconds: float
    iterations: int
    runs: int


class Shard:
    """A group of items.

    Parameters
    ----------
    source : Source
    members : list of Member
    hot : Hot
        May be shared by the shards of a process.
    """

    def __init__(self, source: Source, members: list[Member], hot: Hot) -> None:
        self.hot, self.count = hot, source.limits.count
        self.source = source
        self.sites, self.buckets = source.structure.sites, source.structure.buckets
        self.members = sorted(members, key=lambda member: member.packed.item)
        self._asked, self._prices = 0, np.empty(0)

    def _number(self, price: FloatArray) -> int:
        """Number of some prices: the last one's while they stay the same."""
        if not np.array_equal(price, self._prices):
            self._asked, self._prices = self._asked + 1, price
        return self._asked

    def price(self, price: FloatArray, keep: bool = True) -> Work:
        """Every item's best linear plan at prices, and the proven bound.

        Parameters
        ----------
        price : (R,) float
        keep : bool
            Make these plans the shard's plan.
        """
        began = self._mark()
        bounds, cost, use = [], 0.0, np.zeros(self.count)
        number = self._number(price)
        for member in self.members:
            block = member.packed.open()
            found = price_item(self.hot, block, price, member.basis)
            member.answer(found, block, number)
            member.bound = found.bound
            mine = block.used(found.x, self.count)
            bounds.append(found.bound)
            cost += found.cost
            use += mine
            if keep:
                self._keep(member, block, found.x, mine, found.cost)
        return self._work(began, float(np.sum(bounds)), cost, use, len(self.members))

    def settle(
        self,
        price: FloatArray,
        slack: FloatArray,
        over: FloatArray,
        whole: bool,
        every: bool,
        better: bool = False,
        least: float = -np.inf,
        asked: FloatArray | None = None,
    ) -> Work:
        """Plan items again within what is left.

        Parameters
        ----------
        price : (R,) float
        slack : (R,) float
            What is left of each resource, below 0 where it is overdrawn; ``inf`` without a limit.
        over : (R,) float
            Price of overdrawing on top of ``price``.
        whole : bool
            In whole packs and units.
        every : bool
            All items that have no whole plan yet (with ``better``: that may get a better one); else only those that use what is overdrawn.
        better : bool
            Keep a new plan only if it is better at these prices than the one there.
        least : float
            Only items whose plan may be that much too dear: its cost at the prices less its bound there. [currency]
        asked : (R,) float, optional
            Use of each overdrawn resource that the items asked to give hold together at least: its largest users. Without, all are.
        """
        began = self._mark()
        slack = slack.copy()
        tolerance = TIGHT * np.maximum(1.0, np.where(np.isfinite(slack), np.abs(slack), 1.0))
        done, number = 0, self._number(price)
        givers = np.ones(len(self.members), dtype=bool) if asked is None else self._givers(slack < -tolerance, asked)
        for member, gives in zip(self.members, givers.tolist(), strict=True):
            own = member.use(self.count)
            overdraws = gives and bool(((own > 0) & (slack < -tolerance)).any())
            if not overdraws and not (every and self._asks(member, own, price, better, least)):
                continue
            block = member.packed.open()
            known = member.known(number, own)
            found = settle_item(self.hot, block, price, own + slack, over, member.basis, whole, known)
            if whole and self.source.ringed:
                found = self._without_rings(found, block, price, own + slack, over)
            done += 1
            if found.priced is not None:
                member.answer(found.priced, block, number)
            member.limits, member.limited = found.limits, found.basis
            there, new = (
                self._value(c, u, own, slack, price, over) for c, u in ((member.cost, own), (found.cost, found.use))
            )
            if better and new >= there - 1e-9 * abs(there):
                continue
            slack -= found.use - own
            self._keep(member, block, found.x, found.use, found.cost)
        cost = float(np.sum([member.cost for member in self.members]))
        use = np.zeros(self.count)
        for member in self.members:
            if member.uses is not None and member.amounts is not None:
                use[member.uses] += member.amounts
        return self._work(began, -np.inf, cost, use, done)

    def _without_rings(
        self, found: Settled, block: Block, price: FloatArray, allowance: FloatArray, over: FloatArray
    ) -> Settled:
        """The plan with no goods that go round on one day: taken out where that breaks nothing, else settled again with the weakest link closed."""
        problem, again = _problem(block), found
        for _ in range(RING_ROUNDS):
            x, rings = cancel_rings(problem, again.x, lambda x: self._rings(block, x))
            if not rings:
                return replace(found, cost=float(block.cost @ x), use=block.used(x, self.count), x=x)
            problem = close_rings(problem, x, rings)
            again = settle_item(self.hot, replace(block, upper=problem.upper), price, allowance, over)
        raise SolverError(
            f"goods of item {block.item} go round rings of same-day lanes in every plan of {RING_ROUNDS} tries"
        )

    def _rings(self, block: Block, x: FloatArray) -> list[IntArray]:
        """Columns of shipments that form rings, one ring each."""
        ship = np.flatnonzero((block.variable == SHIP) & (x > 1e-9))
        owner, lane, bucket = (a[ship].astype(np.int64) for a in (block.outlook, block.first, block.bucket))
        return find_rings(self.source.network, ship, owner + 1, lane, bucket)

    def _givers(self, overdrawn: BoolArray, asked: FloatArray) -> BoolArray:
        """(k,) the largest users of each overdrawn resource that hold what is asked of it together."""
        over = np.flatnonzero(overdrawn)
        use = np.array([member.use(self.count)[over] for member in self.members])
        largest = np.argsort(-use, axis=0, kind="stable")
        ranked = np.take_along_axis(use, largest, axis=0)
        before = np.cumsum(ranked, axis=0) - ranked
        among = np.empty(use.shape, dtype=bool)
        np.put_along_axis(among, largest, before < asked[over], axis=0)
        return np.asarray((among & (use > 0)).any(axis=1))

    @staticmethod
    def _asks(member: Member, own: FloatArray, price: FloatArray, better: bool, least: float) -> bool:
        """Whether an item is planned when all are: to make it whole where it is not, or better where it may be that much too dear."""
        if member.columns is None or not better:
            return member.columns is None
        return member.cost + float(price @ own) - member.bound >= least

    @staticmethod
    def _value(
        cost: float, use: FloatArray, own: FloatArray, slack: FloatArray, price: FloatArray, over: FloatArray
    ) -> float:
        """Cost of an item's plan with what it uses at its price and what it overdraws at the price of that."""
        excess = np.maximum(use - np.maximum(own + slack, 0.0), 0.0)
        return float(cost + price @ use + over @ np.where(np.isfinite(excess), excess, 0.0))

    def _keep(self, member: Member, block: Block, x: FloatArray, use: FloatArray, cost: float) -> None:
        """Make a point the item's plan; one in whole steps is ready to be shipped."""
        member.take(use, cost)
        columns, steps = block.whole
        value = x[columns] / steps
        if (np.abs(value - np.round(value)) > NEARLY).any() or (self.source.ringed and self._rings(block, x)):
            member.columns = member.values = member.bids = None
            return
        x = settled(block, x)
        member.columns = np.flatnonzero(x > 1e-9)
        member.values = x[member.columns]
        member.bids = self._bids(block, member.dual)

    def _bids(self, block: Block, dual: FloatArray | None) -> tuple[IntArray, FloatArray]:
        """Value of one more unit at each site and bucket: the least positive price of its classes' balances, outlooks added up."""
        if dual is None:
            raise ArithmeticError(f"item {block.item} was never asked at prices")
        mine = block.row_law == BALANCE
        place, back = np.unique(block.row_place[mine].astype(np.int64), return_inverse=True)
        worth = np.asarray(np.bincount(back, weights=-dual, minlength=len(place)), dtype=np.float64)
        place, worth = place[worth > 0], worth[worth > 0]
        site, rest = np.divmod(place, block.span)
        key = (block.item * np.int64(self.sites) + site) * self.buckets + rest % self.buckets
        order = np.lexsort((worth, key))
        key, worth = key[order], worth[order]
        first = np.ones(len(key), dtype=bool)
        first[1:] = key[1:] != key[:-1]
        return key[first], worth[first]

    def flows(self) -> dict[str, NDArray[Any]]:
        """Shipments and admissions of the shard's whole plan: variable, item, way, bucket, outlook, expiry, quantity, by item and column."""
        parts = []
        for member in self.members:
            block = member.packed.open()
            at, value = member.plan
            own = np.isin(block.variable[at], (SHIP, SERVE))
            at, value = at[own], value[own]
            parts.append(
                (
                    block.variable[at].astype(np.int64), np.full(len(at), block.item), block.first[at].astype(np.int64),
                    block.bucket[at].astype(np.int64), block.outlook[at].astype(np.int64),
                    member.expiry[block.cls[at]], value,
                )
            )  # fmt: skip
        names = ("variable", "item", "way", "bucket", "outlook", "expiry", "quantity")
        kinds = (np.int64,) * 6 + (np.float64,)
        return {
            name: np.concatenate([part[k] for part in parts] or [np.empty(0)]).astype(kind)
            for k, (name, kind) in enumerate(zip(names, kinds, strict=True))
        }

    def bids(self) -> dict[str, NDArray[Any]]:
        """Value of stock: key (item * sites + site) * buckets + bucket, ascending; value."""
        found = [member.bids for member in self.members if member.bids is not None]
        return {
            "key": np.concatenate([key for key, _ in found] or [np.empty(0, dtype=np.int64)]),
            "value": np.concatenate([value for _, value in found] or [np.empty(0)]),
        }

    def outlooks(self) -> dict[str, FloatArray]:
        """Cost of the shard's whole plan by outlook (K,), each as if it were the only one, and of what is decided for all. [currency]"""
        count = self.source.network.outlooks.count
        each, shared = np.zeros(count), 0.0
        for member in self.members:
            block = member.packed.open()
            at, values = member.plan
            cost, outlook = block.cost[at] * values, block.outlook[at]
            alone = outlook >= 0
            each += count * np.bincount(outlook[alone], cost[alone], minlength=count)
            shared += float(cost[~alone].sum())
        return {"each": each, "shared": np.array([shared])}

    def holding(self, price: FloatArray) -> dict[str, NDArray[Any]]:
        """Each item's cost at prices four ways (:func:`allocator.priced.holding.hold_item`): item (k,), cost (4, k)."""
        found = [
            hold_item(self.hot, member.packed.open(), price, member.basis, self.source.network, self.source.prices)
            for member in self.members
        ]
        return {
            "item": np.array([member.packed.item for member in self.members], dtype=np.int64),
            "cost": np.array(found).T,
        }

    def _mark(self) -> tuple[float, int, int]:
        tally = self.hot.tally
        return tally.seconds, tally.iterations, tally.runs

    def _work(self, began: tuple[float, int, int], bound: float, cost: float, use: FloatArray, items: int) -> Work:
        now = self._mark()
        return Work(bound, cost, use, items, now[0] - began[0], now[1] - began[1], now[2] - began[2])


def _problem(block: Block) -> Problem:
    """A block's rows and bounds, as they stand without limits."""
    return Problem(
        block.cost,
        block.lower,
        block.upper,
        np.zeros(block.columns, dtype=bool),
        block.indptr.astype(np.int64),
        block.indices.astype(np.int64),
        block.values,
        block.row_lower,
        block.row_upper,
    )
