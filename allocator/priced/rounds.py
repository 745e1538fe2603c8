"""Rounds: prices go out, every shard answers, the master proposes the next prices, until the bound is as good as it gets."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from allocator.priced.checkpoint import Checkpoint, Kept
from allocator.priced.crew import Crew, Order, Reply
from allocator.priced.limits import SharedLimits
from allocator.priced.master import Bundle

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]

SERIOUS, GOOD = 0.1, 0.5
"""Parts of the promised gain that move the centre, and that let the next proposal go further."""
ENOUGH = 5e-4
"""Promised gain, relative to the bound, at which no more rounds are worth it."""
FIRST_STEP = 0.05
FIRST_TOLERANCE = 2e-4
LEAST_SIZE = 0.05
"""Part of its first use that a resource's size is at least, whatever its limit."""
MOST_ROUNDS = 40


@dataclass(frozen=True)
class State:
    """Where the rounds stand.

    Attributes
    ----------
    price : (R,) float
        Best prices so far. [currency per unit of use]
    bound : float
        At them: no plan costs less, of the whole network once all shards have answered. [currency]
    shard_bounds : (G,) float
        Each shard's part of it.
    cost, use : (G,), (G, R) float
        Each shard's answer to the last prices asked, which is the plan it holds.
    round : int
    scale : float
        How far proposals go, relative to the first.
    """

    price: FloatArray
    bound: float
    shard_bounds: FloatArray
    cost: FloatArray
    use: FloatArray
    round: int = 0
    scale: float = 1.0


def fresh(groups: int, resources: int) -> State:
    """Before any round."""
    return State(
        np.zeros(resources), -np.inf, np.full(groups, -np.inf), np.zeros(groups), np.zeros((groups, resources))
    )


@dataclass(frozen=True)
class Round:
    """What one round found, for whoever watches.

    Attributes
    ----------
    number : int
    phase : str
        ``sample`` or ``all``.
    bound : float
        Best so far; while a sample is priced, of the sample only. [currency]
    promise : float
        What the master thinks the best bound can be. [currency]
    tight : int
        Resources with a price.
    seconds : float
        Of the round.
    """

    number: int
    phase: str
    bound: float
    promise: float
    tight: int
    seconds: float


@dataclass(frozen=True)
class Watching:
    """When to stop, who is told, what is kept.

    Attributes
    ----------
    until : callable
        ``time.monotonic()`` after which no round begins.
    told : callable
    checkpoint : Checkpoint
    enough : float
        Promised gain, relative to the bound, at which no more rounds are worth it.
    lack : float
        Part of the plan's worth that it overdraws at which relieving it does better than more rounds (:meth:`SharedLimits.lack`).
    """

    until: Callable[[], float]
    told: Callable[[Round], None]
    checkpoint: Checkpoint
    enough: float = ENOUGH
    lack: float = 0.0


def ask(crew: Crew, shards: list[int], price: FloatArray, until: float, phase: str, keep: bool = True) -> Kept | None:
    """Every shard's answer to prices; None when they did not all come in time. ``keep`` makes the answers the shards' plans."""
    place = {shard: k for k, shard in enumerate(shards)}
    found = Kept(
        phase,
        price,
        np.array(shards, dtype=np.int64),
        np.zeros(len(shards)),
        np.zeros(len(shards)),
        np.zeros((len(shards), len(price))),
    )

    def order(shard: int, worker: int) -> Order:
        return {"do": "price", "keep": keep}, {"price": price}

    def done(reply: Reply) -> None:
        k = place[reply.shard]
        found.bound[k], found.cost[k] = reply.facts["bound"], reply.facts["cost"]
        found.use[k] = reply.arrays["use"]

    return None if crew.run(shards, order, done, until) else found


class Climb:
    """Raises the bound over some shards.

    Parameters
    ----------
    crew : Crew
    limits : SharedLimits
    shards : list of int
        All of them, or a sample.
    share : (R,) float
        Part of each limit that stands for them; 1 for all.
    start : State
        Its prices are asked first.
    """

    def __init__(self, crew: Crew, limits: SharedLimits, shards: list[int], share: FloatArray, start: State) -> None:
        self.crew, self.shards = crew, shards
        self.all = len(shards) == len(crew.shards)
        self.phase = "all" if self.all else "sample"
        self.limits, self.limit = limits, limits.limit * share
        self.finite = np.isfinite(self.limit)
        self.constant = limits.constant if self.all else 0.0
        self.master = Bundle(len(crew.shards), self.limit, limits.highest)
        self.state = start
        self.next = self.centre = start.price
        self.promise = np.inf
        self._best = -np.inf
        self._step: FloatArray | None = None

    def take(self, found: Kept) -> float:
        """Learn from a round, also one of an earlier run; the bound at its prices."""
        price = found.price
        bound = float(found.bound.sum() - price[self.finite] @ self.limit[self.finite]) + self.constant
        for k, shard in enumerate(found.shards.tolist()):
            self.master.add(shard, float(found.cost[k]), found.use[k])
        scale, promised = self.state.scale, self.promise - self._best
        if self._step is None:
            self._step = self._first_step(found)
            self.centre = price
        elif bound - self._best >= SERIOUS * promised:
            self.centre = price
            scale *= 2.0 if bound - self._best >= GOOD * promised else 1.0
        else:
            scale /= 2.0
        groups, old = len(self.crew.shards), self.state
        cost, use = np.zeros(groups), np.zeros((groups, len(price)))
        cost[found.shards], use[found.shards] = found.cost, found.use
        if bound > self._best:
            self._best = bound
            parts = np.full(groups, -np.inf)
            parts[found.shards] = found.bound
            self.state = State(price, bound, parts, cost, use, old.round + 1, scale)
        else:
            self.state = State(old.price, old.bound, old.shard_bounds, cost, use, old.round + 1, scale)
        self._propose(promised)
        return bound

    def _propose(self, promised: float) -> None:
        size = max(abs(self._best), 1.0)
        assert self._step is not None
        loose = 0.1 * promised if np.isfinite(promised) else FIRST_TOLERANCE * size
        found = self.master.propose(self.centre, self._step * self.state.scale, max(0.1 * ENOUGH * size, loose))
        self.next, self.promise = found.price, found.model

    def done(self, enough: float) -> bool:
        """Whether the master promises too little for another round."""
        return self.promise - self._best <= enough * max(abs(self._best), 1.0)

    def near(self, lack: float) -> bool:
        """Whether the plans in hand overdraw so little that relieving them does better than another round."""
        held = self.state
        return self.all and self.limits.lack(float(held.cost.sum()), held.use.sum(axis=0)) <= lack

    def run(self, watching: Watching, most: int = MOST_ROUNDS, keep: bool = True) -> State:
        """Rounds until the promise or what is overdrawn is small or the time is up, ``most`` of them; without ``keep`` the shards' plans stay as they are."""
        for _ in range(most):
            if self._step is not None and (
                self.done(watching.enough)
                or (keep and self.near(watching.lack))
                or time.monotonic() >= watching.until()
            ):
                break
            began = time.monotonic()
            tight = int((self.next > 0).sum())
            until = watching.until()
            found = ask(self.crew, self.shards, self.next, until, self.phase, keep)
            if found is None:
                break
            self.take(found)
            watching.checkpoint.keep(found)
            watching.told(
                Round(self.state.round, self.phase, self._best, self.promise, tight, time.monotonic() - began)
            )
        return self.state

    def _first_step(self, found: Kept) -> FloatArray:
        """Squares of a first price move: what all is worth, spread over what is overdrawn, in each resource's own unit."""
        limit, finite, use = self.limit, self.finite, found.use.sum(axis=0)
        over = int((use[finite] > limit[finite]).sum())
        # a limit of next to nothing (a closed day) is measured by what would like to use it
        size = np.where(finite, np.maximum(np.maximum(limit, LEAST_SIZE * use), 1e-9), 1.0)
        return np.where(finite, FIRST_STEP * abs(found.cost.sum()) / max(over, 1) / size**2, 0.0)
