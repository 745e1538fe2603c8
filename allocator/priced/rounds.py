"""Rounds: prices go out, every shard answers, the master proposes the next prices, until the bound is as good as it gets."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from allocator.priced.crew import Crew, Order, Reply
from allocator.priced.limits import SharedLimits
from allocator.priced.master import Bundle

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]

SERIOUS = 0.1
"""Part of the promised gain that moves the centre."""
ENOUGH = 5e-4
"""Promised gain, relative to the bound, at which no more rounds are worth it."""
FIRST_STEP = 0.05
MOST_ROUNDS = 40


@dataclass
class State:
    """Where the rounds stand; what a checkpoint keeps.

    Attributes
    ----------
    price : (R,) float
        Best prices so far, which also are the centre of the next proposal.
    bound : float
        No plan of the network costs less. ``-inf`` until all shards have answered once. [currency]
    shard_bounds : (G,) float
        Each shard's part of it.
    round : int
    scale : float
        How far proposals may go, relative to ``FIRST_STEP``.
    cost : (G,) float
        Cost of each shard's plan.
    use : (G, R) float
        What it uses.
    """

    price: FloatArray
    bound: float
    shard_bounds: FloatArray
    cost: FloatArray
    use: FloatArray
    round: int = 0
    scale: float = 1.0

    @classmethod
    def fresh(cls, groups: int, resources: int) -> State:
        """Before any round."""
        return cls(
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
        Best bound so far; of the sample only while that is priced. [currency]
    promise : float
        What the master thinks the best bound can be.
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


@dataclass
class Answers:
    """Replies of one round, by shard."""

    bound: FloatArray
    cost: FloatArray
    use: FloatArray
    missing: list[int] = field(default_factory=list)


def ask(crew: Crew, shards: list[int], price: FloatArray, until: float) -> Answers:
    """Every shard's answer to prices; what did not come in time is ``missing``."""
    groups = len(crew.shards)
    found = Answers(np.zeros(groups), np.zeros(groups), np.zeros((groups, len(price))))

    def order(shard: int, worker: int) -> Order:
        return {"do": "price"}, {"price": price}

    def done(reply: Reply) -> None:
        found.bound[reply.shard] = reply.facts["bound"]
        found.cost[reply.shard] = reply.facts["cost"]
        found.use[reply.shard] = reply.arrays["use"]

    found.missing = crew.run(shards, order, done, until)
    return found


def rounds(
    crew: Crew,
    limits: SharedLimits,
    state: State,
    shards: list[int],
    share: FloatArray,
    until: float = np.inf,
    told: Callable[[Round], None] | None = None,
    saved: Callable[[State], None] | None = None,
    enough: float = ENOUGH,
) -> State:
    """Raise the bound over some shards.

    Parameters
    ----------
    shards : list of int
        All of them, or a sample.
    share : (R,) float
        Part of each limit that stands for them; 1 for all.
    until : float
        ``time.monotonic()`` of the end.
    told, saved : callable, optional
        Told after each round; given the state to keep.

    Returns
    -------
    State
        With ``bound`` proven for the whole network when ``shards`` are all.
    """
    whole = len(shards) == len(crew.shards)
    limit = limits.limit * share
    finite = np.isfinite(limit)
    master = Bundle(len(crew.shards), limit, limits.highest)
    centre, price, best = state.price, state.price, -np.inf
    step = None
    for _ in range(MOST_ROUNDS):
        began = time.monotonic()
        answers = ask(crew, shards, price, until)
        if answers.missing:
            return state
        bound = float(answers.bound.sum() - price[finite] @ limit[finite]) + limits.constant * float(whole)
        for shard in shards:
            master.add(shard, float(answers.cost[shard]), answers.use[shard])
        gain = bound - best
        promised = np.inf if step is None else promise - best
        if step is None or gain >= SERIOUS * promised:
            centre = price
            if step is not None and gain >= 0.5 * promised:
                state = replace(state, scale=state.scale * 2)
        else:
            state = replace(state, scale=state.scale / 2)
        if bound > best:
            best = bound
            state = replace(state, price=price, cost=answers.cost, use=answers.use, round=state.round + 1)
            if whole:
                state = replace(state, bound=max(bound, state.bound), shard_bounds=answers.bound)
        else:
            state = replace(state, round=state.round + 1)
        if saved is not None:
            saved(state)
        if step is None:
            step = _first_step(answers, limit, finite)
        scale = abs(best) if best else 1.0
        proposal = master.propose(centre, step * state.scale, max(5e-5 * scale, 0.1 * (min(promised, scale) if np.isfinite(promised) else 2e-3 * scale)))
        promise = proposal.model
        if told is not None:
            tight = int((price > 0).sum())
            shown = best if whole else best
            told(Round(state.round, "all" if whole else "sample", shown, promise, tight, time.monotonic() - began))
        price = proposal.price
        if promise - best <= enough * scale or time.monotonic() >= until:
            break
    return state


def _first_step(answers: Answers, limit: FloatArray, finite: NDArray[np.bool_]) -> FloatArray:
    """Squares of a first price move: what all is worth, spread over what is overdrawn, in each resource's own unit."""
    over = int((answers.use.sum(axis=0)[finite] > limit[finite]).sum())
    size = np.where(finite, np.maximum(limit, 1e-9), 1.0)
    return np.where(finite, FIRST_STEP * abs(answers.cost.sum()) / max(over, 1) / size**2, 0.0)


def facts(found: Round) -> dict[str, Any]:
    """A round as plain facts."""
    return {name: getattr(found, name) for name in Round.__dataclass_fields__}
