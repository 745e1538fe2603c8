"""A worker: it owns shards and does what it is told, one message at a time."""

from __future__ import annotations

import json
import os
import sys
import time
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np

from allocator.engine import frames
from allocator.engine.problem import SolverError


class Desk:
    """The shards of one worker, whoever carries its messages (a pipe here, Ray elsewhere).

    Parameters
    ----------
    folder : Path
        Of :func:`allocator.priced.source.write_source`.
    """

    def __init__(self, folder: Path) -> None:
        from allocator.engine.hot import Hot
        from allocator.priced.source import read_source

        self.source = read_source(folder)
        self.hot = Hot()
        self.shards: dict[int, Any] = {}
        self.told = 0.0

    def do(self, order: dict[str, Any], arrays: dict[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
        """Carry out one order on one shard; ``items`` and ``owner`` name shards that are stamped first.

        Returns
        -------
        dict, dict
            Facts (numbers; ``cpu`` is all that its process has used since the answer before) and arrays.
        """
        number, what = int(order["shard"]), order["do"]
        if "items" in arrays:
            self._stamp(arrays["items"], arrays["owner"])
        shard = self.shards[number]
        facts: dict[str, Any] = {}
        found: dict[str, Any] = {}
        if order.get("first") == "price":
            shard.price(arrays["price"])
        if what == "price":
            work = shard.price(arrays["price"], bool(order.get("keep", True)))
        elif what == "settle":
            work = shard.settle(
                arrays["price"],
                arrays["slack"],
                arrays["over"],
                order["whole"],
                order["every"],
                order["better"],
                float(order.get("least", -np.inf)),
                arrays.get("asked"),
            )
        elif what == "flows":
            found = shard.flows()
        elif what == "bids":
            found = shard.bids()
        elif what == "outlooks":
            found = shard.outlooks()
        elif what == "holding":
            found = shard.holding(arrays["price"])
        if what in ("price", "settle"):
            facts = {n: getattr(work, n) for n in ("bound", "cost", "items", "seconds", "iterations", "runs")}
            found = {"use": work.use}
        before, self.told = self.told, time.process_time()
        return facts | {"shard": number, "cpu": self.told - before}, found

    def _stamp(self, items: Any, owner: Any) -> None:
        """Fresh shards, their items stamped together."""
        from allocator.priced.shard import Member, Shard

        of = dict(zip(items.tolist(), owner.tolist(), strict=True))
        members: dict[int, list[Member]] = {int(number): [] for number in np.unique(owner)}
        for block, expiry in self.source.blocks(items):
            members[of[block.item]].append(Member.of(block, expiry))
        for number, mine in members.items():
            self.shards[number] = Shard(self.source, mine, self.hot)


def main() -> None:
    """Serve orders until the parent closes the pipe."""
    from allocator.engine.worker import die_with_parent

    die_with_parent()
    # libraries are loaded before there is work, not after (Hands)
    import allocator.engine.hot
    import allocator.priced.shard  # noqa: F401

    out = os.fdopen(os.dup(1), "wb")
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
    source = sys.stdin.buffer
    desk: Desk | None = None
    while (message := frames.receive(source)) is not None:
        order = json.loads(message[1])
        body = frames.receive(source)
        if body is None:
            return
        try:
            if desk is None:
                desk = Desk(Path(order["source"]))
            facts, arrays = desk.do(order, frames.unpack(body[1]))
        except (SolverError, ArithmeticError, MemoryError) as error:
            _reply(out, {"error": f"{type(error).__name__}: {error}", "shard": order.get("shard")}, {})
            continue
        _reply(out, facts, arrays)


def _reply(out: BinaryIO, facts: dict[str, Any], arrays: dict[str, Any]) -> None:
    frames.send(out, frames.JSON, json.dumps(facts, default=float).encode())
    frames.send(out, frames.ARRAYS, frames.pack({name: np.asarray(value) for name, value in arrays.items()}))


if __name__ == "__main__":
    main()
