"""Many hands: workers that own shards, orders sent one at a time to each, a lost worker replaced and its work done again."""

from __future__ import annotations

import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from types import TracebackType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from allocator.engine.problem import SolverError

IntArray = NDArray[np.int64]
Arrays = dict[str, Any]
Order = tuple[dict[str, Any], Arrays]

AHEAD = 512
"""Items that are stamped together, unless memory is limited."""
TRIES = 3
"""Times a shard may cost its worker before the run gives up on it."""


@dataclass(frozen=True)
class Reply:
    """What came back for a shard: facts (numbers) and arrays."""

    shard: int
    worker: int
    facts: dict[str, Any]
    arrays: Arrays


@dataclass
class Spent:
    """What all workers have spent so far: CPU seconds, of them inside HiGHS, simplex iterations, runs, orders, lost workers."""

    cpu: float = 0.0
    highs: float = 0.0
    iterations: int = 0
    runs: int = 0
    orders: int = 0
    lost: int = 0


class Crew(ABC):
    """Workers and the shards they own: shard s belongs to worker s modulo their number.

    Parameters
    ----------
    shards : list of (k,) int
        Items of each shard.
    workers : int

    Attributes
    ----------
    ahead : int
        Items that are stamped together.
    """

    def __init__(self, shards: Sequence[IntArray], workers: int) -> None:
        self.shards = list(shards)
        self.workers = max(min(workers, len(self.shards)), 1)
        self.ahead = AHEAD
        self.spent = Spent()
        self.stamped: list[set[int]] = [set() for _ in range(self.workers)]
        self.priced: list[set[int]] = [set() for _ in range(self.workers)]
        self._lost = [0] * len(self.shards)

    def __enter__(self) -> Crew:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    @abstractmethod
    def close(self) -> None:
        """End all workers, whatever they are doing."""

    @abstractmethod
    def _send(self, worker: int, order: dict[str, Any], arrays: Arrays) -> None:
        """Hand an order to a worker that has none; one to a dead worker is lost, which :meth:`_next` tells."""

    @abstractmethod
    def _next(self, timeout: float) -> tuple[int, dict[str, Any] | None, Arrays] | None:
        """The next reply: worker, facts, arrays; facts None when the worker is gone (and replaced); None when the time is up."""

    def run(
        self,
        shards: Sequence[int],
        order: Callable[[int, int], Order],
        done: Callable[[Reply], None],
        until: float = np.inf,
    ) -> list[int]:
        """One order for each of some shards.

        Parameters
        ----------
        shards : list of int
        order : callable
            ``order(shard, worker)``, made when the worker is free: it may depend on what came back before.
        done : callable
            Told each reply as it comes.
        until : float
            ``time.monotonic()`` after which no more orders go out; replies that are under way are not waited for longer than that.

        Returns
        -------
        list of int
            Shards that are not done.

        Raises
        ------
        SolverError
            When a shard fails, or has cost its worker three times.
        """
        waiting: list[list[int]] = [[] for _ in range(self.workers)]
        for shard in shards:
            waiting[shard % self.workers].append(shard)
        busy: dict[int, int] = {}
        while True:
            for worker in range(self.workers):
                if worker not in busy and waiting[worker] and time.monotonic() < until:
                    shard = waiting[worker].pop(0)
                    busy[worker] = shard
                    self._order(worker, shard, *order(shard, worker))
            if not busy:
                break
            found = self._next(max(until - time.monotonic(), 0.0))
            if found is None:
                break
            worker, facts, arrays = found
            if worker not in busy:  # it went while it had nothing to do
                self._forget(worker)
                continue
            shard = busy.pop(worker)
            if facts is None:
                self._replace(worker, shard)
                waiting[worker].insert(0, shard)
                continue
            if "error" in facts:
                raise SolverError(f"shard {shard}: {facts['error']}")
            self._count(facts)
            done(Reply(shard, worker, facts, arrays))
        for worker in busy:
            self._abandon(worker)
        return sorted([shard for queue in waiting for shard in queue] + list(busy.values()))

    def _order(self, worker: int, shard: int, order: dict[str, Any], arrays: Arrays) -> None:
        if shard not in self.stamped[worker]:
            # stamping many items at once is cheaper: the shards that come next go along
            coming = [s for s in range(worker, len(self.shards), self.workers) if s not in self.stamped[worker]]
            coming = [shard] + [s for s in coming if s > shard]
            sizes = np.cumsum([len(self.shards[s]) for s in coming])
            coming = coming[: max(int(np.searchsorted(sizes, self.ahead)), 1)]
            items = np.concatenate([self.shards[s] for s in coming])
            owner = np.repeat(coming, [len(self.shards[s]) for s in coming])
            ranked = np.argsort(items, kind="stable")
            arrays = arrays | {"items": items[ranked], "owner": owner[ranked]}
            self.stamped[worker].update(coming)
        # a shard that its worker has not priced has no plan to settle: it is priced first
        if order["do"] == "settle" and shard not in self.priced[worker]:
            order = order | {"first": "price", "every": True}
        if order["do"] in ("price", "settle"):
            self.priced[worker].add(shard)
        self._send(worker, order | {"shard": shard}, arrays)

    def _replace(self, worker: int, shard: int) -> None:
        self._forget(worker)
        self.spent.lost += 1
        self._lost[shard] += 1
        if self._lost[shard] >= TRIES:
            raise SolverError(
                f"shard {shard} ({len(self.shards[shard])} items) has cost {TRIES} workers; "
                "if they were killed for memory, give more or use fewer workers"
            )

    def _forget(self, worker: int) -> None:
        self.stamped[worker].clear()
        self.priced[worker].clear()

    def _abandon(self, worker: int) -> None:
        """A worker whose reply nobody waits for."""
        self._end(worker)
        self._forget(worker)

    @abstractmethod
    def _end(self, worker: int) -> None:
        """End a worker and start another in its place."""

    def _count(self, facts: dict[str, Any]) -> None:
        spent = self.spent
        spent.cpu += float(facts.get("cpu", 0.0))
        spent.highs += float(facts.get("seconds", 0.0))
        spent.iterations += int(facts.get("iterations", 0))
        spent.runs += int(facts.get("runs", 0))
        spent.orders += 1
