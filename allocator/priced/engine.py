"""The engine of networks that one program can't hold: prices, rounds, a plan from prices, and its proof."""

from __future__ import annotations

import math
import os
import tempfile
import time
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from allocator.engine.hedge import Drawn
from allocator.engine.holding import WAYS, Holding, holding_of
from allocator.engine.problem import relative_gap
from allocator.engine.quantities import Flows, Quantities
from allocator.memory import held
from allocator.network.network import Network
from allocator.network.prices import build_prices
from allocator.options import Watch
from allocator.plan.tight import Marginals
from allocator.priced.blocks import SERVE, SHIP
from allocator.priced.checkpoint import Checkpoint
from allocator.priced.crew import AHEAD, Crew, Order, Reply, Spent
from allocator.priced.finish import Finisher, Pass, shared_cost, true_cost
from allocator.priced.limits import SharedLimits, build_limits
from allocator.priced.room import room, sizes_of
from allocator.priced.rounds import ENOUGH, Climb, Round, State, Watching, fresh
from allocator.priced.sample import cut, first_sample, shares
from allocator.priced.source import Source, write_source
from allocator.priced.worth import resource_names, resource_worth
from allocator.program.resources import resource_data
from allocator.program.structure import build_structure

if TYPE_CHECKING:
    from collections.abc import Iterator

    from allocator.priced.local import Hands

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]

FINISHING = 3.0
"""Time that a plan from prices takes, in first rounds of all items."""
WORTH_IT = 0.02
"""Part of the gap that another improving pass must close to be made."""
MOST_IMPROVING = 3
MORE_ROUNDS = 6
ENOUGH_OF_GAP = 0.1
"""Promised gain, as a part of the asked gap, at which no more rounds are worth it."""
LACK_OF_GAP = 10.0
"""What plans overdraw, in asked gaps, from which relieving does better than more rounds: it takes from whom it costs least, some 25 times less."""


@dataclass(frozen=True)
class Setting:
    """How to go about it.

    Attributes
    ----------
    gap : float
        Relative gap at which the plan is good enough.
    until : float
        ``time.monotonic()`` by which the plan must be there.
    workers : int
    cluster : str or None
        Address of a Ray cluster; None: processes of this machine.
    checkpoint : Path or None
        Folder for what is kept after each round.
    resume : bool
        Go on from there.
    plan_id : str
    shared : Path or None
        Folder that all machines of a cluster see.
    start : dict of str to float
        Prices to begin with, by name of the resource (:func:`allocator.priced.worth.resource_names`). [currency per unit of use]
    memory : int or None
        Most memory of this process and its workers together; None: no limit. [bytes]
    hands : Hands or None
        Processes that were started already.
    """

    gap: float
    until: float = math.inf
    workers: int = 2
    cluster: str | None = None
    checkpoint: Path | None = None
    resume: bool = False
    plan_id: str = ""
    shared: Path | None = None
    start: dict[str, float] = field(default_factory=dict)
    memory: int | None = None
    hands: Hands | None = None


@dataclass(frozen=True)
class PricedPlan:
    """A plan from prices.

    Attributes
    ----------
    quantities : Quantities or None
        None when the time was up before every item had a whole plan.
    marginals : Marginals
    drawn : Drawn or None
        Flows of every outlook, where there are several; ``quantities`` hold those of the first and what is decided for all.
    objectives : (K,) float
        Cost of each outlook, where there are several. [currency]
    holding : Holding or None
        What holding back is worth, where there are several; NaN for items that no time was left for.
    bound : float
        No plan of the network costs less; ``-inf`` when the first round was not finished. [currency]
    cost : float
        Of the quantities, by the blocks' own arithmetic. [currency]
    status : str
        ``optimal`` (within the asked gap), ``open`` or ``deadline``.
    proof : dict
        What certificate.json carries to prove the bound again: prices by resource, with its name; shards' bounds.
    spent : Spent
        By all workers.
    rounds : int
    log : list of dict
        Rounds and passes as they were told.
    """

    quantities: Quantities | None
    marginals: Marginals
    bound: float
    cost: float
    status: str
    proof: dict[str, Any]
    spent: Spent
    rounds: int
    log: list[dict[str, Any]] = field(default_factory=list)
    drawn: Drawn | None = None
    objectives: FloatArray = field(default_factory=lambda: np.empty(0))
    holding: Holding | None = None


def solve_priced(network: Network, setting: Setting, watch: Watch | None = None) -> PricedPlan:
    """Plan a network item by item.

    Parameters
    ----------
    network : Network
    setting : Setting
    watch : Watch, optional

    Returns
    -------
    PricedPlan

    Raises
    ------
    SolverError
        When a shard fails, or costs its worker again and again.
    MemoryLimitError
        When ``memory`` leaves no room for one worker.
    """
    watch = watch or Watch()
    watch.stage("program")
    source = build_source(network)
    shards, ahead = cut(network), AHEAD
    if setting.memory is not None:
        found = room(sizes_of(source), setting.workers, setting.memory, held())
        setting, source, ahead = (
            replace(setting, workers=found.workers),
            replace(source, chunk=found.chunk),
            found.ahead,
        )
        shards = cut(network, max(len(shards), math.ceil(len(network.items) / ahead)))
    with staffed(source, shards, setting) as crew:
        crew.ahead = ahead
        watch.stage("prices")
        run = _Run(network, source, crew, setting, watch)
        state = run.climb()
        if not np.isfinite(state.bound):
            return run.nothing()
        watch.stage("whole units")
        return run.plan(state)


def build_source(network: Network) -> Source:
    """What workers read, of a network."""
    structure = build_structure(network, 1)
    prices = build_prices(network)
    limits = build_limits(structure, resource_data(network, prices), prices, network.unit_volume)
    return Source(network, structure, limits)


@contextmanager
def staffed(source: Source, shards: list[IntArray], setting: Setting) -> Iterator[Crew]:
    """Workers that see the source's files; both gone at the end."""
    parent = setting.shared if setting.cluster else _quick_folder()
    with tempfile.TemporaryDirectory(prefix="allocator-", dir=parent) as scratch:
        folder = Path(scratch)
        write_source(source, folder)
        if setting.cluster:
            from allocator.priced.cluster import RayCrew

            crew: Crew = RayCrew(folder, shards, setting.workers, setting.cluster)
        else:
            from allocator.priced.local import LocalCrew

            crew = LocalCrew(folder, shards, setting.workers, setting.hands)
        with crew:
            yield crew


def _quick_folder() -> str | None:
    """Memory-backed temporary files where there is room for them; the arrays are mapped, not read."""
    shm = Path("/dev/shm")
    try:
        free = os.statvfs(shm)
    except OSError:
        return None
    return str(shm) if os.access(shm, os.W_OK) and free.f_bavail * free.f_frsize > 2 << 30 else None


class _Run:
    """One run: climb to a bound, finish to a plan."""

    def __init__(self, network: Network, source: Source, crew: Crew, setting: Setting, watch: Watch) -> None:
        self.network, self.source, self.crew, self.setting, self.watch = network, source, crew, setting, watch
        self.limits: SharedLimits = source.limits
        self.checkpoint = Checkpoint(setting.checkpoint, setting.plan_id, setting.resume)
        self.log: list[dict[str, Any]] = []
        enough = max(ENOUGH, ENOUGH_OF_GAP * setting.gap)
        self.watching = Watching(self._stop_rounds, self._told, self.checkpoint, enough, LACK_OF_GAP * setting.gap)
        self.climbing: Climb
        self.first_round = 0.0

    def climb(self) -> State:
        """Prices from a sample first when there are many items, then rounds of all: one may do after a sample."""
        groups, count = len(self.crew.shards), self.limits.count
        state = fresh(groups, count)
        kept = self.checkpoint.kept
        sample = first_sample(self.crew.shards)
        given = self._given_prices()
        sampled = sample < groups and given is None
        if given is not None:
            state = replace(state, price=given)
        if sampled and not any(found.phase == "all" for found in kept):
            share = shares(self.network, self.source.structure, self.limits, self.crew.shards, sample)
            small = Climb(self.crew, self.limits, list(range(sample)), share, state)
            for found in kept:
                small.take(found)
            best = small.run(self.watching)
            state = replace(fresh(groups, count), price=best.price, round=best.round)
        self.climbing = Climb(self.crew, self.limits, list(range(groups)), np.ones(count), state)
        for found in kept:
            if found.phase == "all":
                self.climbing.take(found)
        # prices of a sample are within its error of the best: whether more rounds pay shows once there is a plan
        return self.climbing.run(self.watching, 1) if sampled else self.climbing.run(self.watching)

    def _given_prices(self) -> FloatArray | None:
        """(R,) prices that the setting gives to begin with; None when it has none of these resources."""
        if not self.setting.start:
            return None
        known = self.setting.start
        names = resource_names(self.network, self.limits, np.arange(self.limits.count))
        price = np.array([known.get(name, 0.0) for name in names])
        highest = np.where(np.isfinite(self.limits.limit), self.limits.highest, 0.0)
        return np.clip(price, 0.0, highest) if (price > 0).any() else None

    def _told(self, found: Round) -> None:
        if found.phase == "all" and not self.first_round:
            self.first_round = found.seconds
        facts = asdict(found)
        self.log.append({"event": "round", **facts})
        self.watch.event("round", facts)

    def _stop_rounds(self) -> float:
        """When rounds must end for a plan to be there in time."""
        return self.setting.until - FINISHING * self.first_round

    def nothing(self) -> PricedPlan:
        """The time was up before the first round."""
        return PricedPlan(
            None, Marginals([], np.empty(0, dtype=np.int64), np.empty(0)), -np.inf, np.inf, "deadline", {}, self.crew.spent, 0, self.log
        )  # fmt: skip

    def plan(self, state: State) -> PricedPlan:
        """A plan in whole packs, as good as is asked and time allows."""
        finisher = Finisher(self.crew, self.limits, state, self.setting.until, self.setting.gap, self._passed)
        done = finisher.relieve() and finisher.whole() and finisher.mend()
        if done:
            state = self._improve(finisher, state)
        cost = true_cost(self.limits, finisher.stock)
        quantities, drawn = self._quantities() if done else (None, None)
        several = done and self.network.outlooks.count > 1
        status = "optimal" if done and relative_gap(cost, state.bound) <= self.setting.gap else "open"
        if status == "open" and (not done or time.monotonic() >= self.setting.until):
            status = "deadline"
        return PricedPlan(
            quantities,
            self._marginals(state, finisher) if done else self.nothing().marginals,
            state.bound,
            cost,
            status,
            self._proof(state),
            self.crew.spent,
            state.round,
            self.log,
            drawn,
            self._objectives(finisher) if several else np.empty(0),
            self._holding(state) if several else None,
        )

    def _improve(self, finisher: Finisher, state: State) -> State:
        """More rounds if they promise something, then passes over the items that may be too dear, while the gap is wider than asked."""
        if self._open(finisher, state) and not self.climbing.done(self.watching.enough):
            state = self.climbing.run(self.watching, MORE_ROUNDS, keep=False)
            finisher.price, finisher.bound = state.price, state.bound
        for _ in range(MOST_IMPROVING):
            if not self._open(finisher, state):
                break
            before = true_cost(self.limits, finisher.stock)
            if finisher.improve() < WORTH_IT * (before - state.bound):
                break
        return state

    def _open(self, finisher: Finisher, state: State) -> bool:
        gap = relative_gap(true_cost(self.limits, finisher.stock), state.bound)
        return gap > self.setting.gap and time.monotonic() < self.setting.until

    def _passed(self, found: Pass) -> None:
        facts = asdict(found)
        self.log.append({"event": "pass", **facts})
        self.watch.event("pass", facts)

    def _gather(self, what: str, price: FloatArray | None = None, until: float = math.inf) -> list[dict[str, Any]]:
        """What every shard says; those that have no time left say nothing."""
        found: dict[int, dict[str, Any]] = {}

        def order(shard: int, worker: int) -> Order:
            return {"do": what}, {} if price is None else {"price": price}

        def done(reply: Reply) -> None:
            found[reply.shard] = reply.arrays

        self.crew.run(range(len(self.crew.shards)), order, done, until)
        return [found[shard] for shard in sorted(found)]

    def _objectives(self, finisher: Finisher) -> FloatArray:
        """(K,) cost of each outlook: what is decided for all, its own recourse, and the mean cost of shared resources. [currency]"""
        parts = self._gather("outlooks")
        shared = float(np.sum([part["shared"] for part in parts])) + shared_cost(self.limits, finisher.stock.total)
        return np.asarray(np.sum([part["each"] for part in parts], axis=0) + shared)

    def _holding(self, state: State) -> Holding:
        """Every item's block four ways at the plan's prices."""
        self.watch.stage("holding back")
        cost = np.full((WAYS, len(self.network.items)), np.nan)
        for part in self._gather("holding", state.price, self.setting.until):
            cost[:, part["item"]] = part["cost"]
        return holding_of(cost)

    def _quantities(self) -> tuple[Quantities, Drawn | None]:
        parts = self._gather("flows")
        whole = {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}
        drawn = None
        if self.network.outlooks.count > 1:
            serves = whole["variable"] == SERVE
            drawn = Drawn(serves, *(whole[name] for name in ("item", "way", "bucket", "outlook", "quantity")))
            whole = {name: values[whole["outlook"] <= 0] for name, values in whole.items()}
        order = np.lexsort((whole["expiry"], whole["bucket"], whole["way"], whole["item"]))
        made = []
        for variable in (SHIP, SERVE):
            mine = order[whole["variable"][order] == variable]
            made.append(Flows(*(whole[name][mine] for name in ("item", "way", "bucket", "expiry", "quantity"))))
        return Quantities(*made), drawn

    def _marginals(self, state: State, finisher: Finisher) -> Marginals:
        parts = self._gather("bids")
        key = np.concatenate([part["key"] for part in parts])
        value = np.concatenate([part["value"] for part in parts])
        order = np.argsort(key)
        return Marginals(
            resource_worth(self.network, self.limits, state.price, finisher.stock.total), key[order], value[order]
        )

    def _proof(self, state: State) -> dict[str, Any]:
        """Prices and shards' bounds: any prices prove a bound, so these can be checked item by item."""
        priced = np.flatnonzero(state.price > 0)
        return {
            "resources": priced.tolist(),
            "names": resource_names(self.network, self.limits, priced),
            "prices": state.price[priced].tolist(),
            "shard_bounds": state.shard_bounds.tolist(),
            "shards": len(self.crew.shards),
        }
