"""How many workers, how large shards and how many items at once a limit on memory leaves room for."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from allocator.memory import MemoryLimitError, told
from allocator.priced.crew import AHEAD
from allocator.priced.source import CHUNK, Source
from allocator.program.classes import build_classes

WORKER = 235 << 20
"""A worker with its libraries and a compiled block, before its first item. Measured: 223 MB. [bytes]"""
DRIVER = 80 << 20
"""What the driver takes on top while workers work and when their plan is put together. [bytes]"""
STAMPED = 60
"""While a coefficient of a block is stamped. Measured: 83 MB for 200 items with 2.1 million. [bytes]"""
KEPT = 5
"""That a worker keeps of an item, by the coefficient of its block: packed block, plan, basis. [bytes]"""
SOLVED = 500
"""While HiGHS has a block, by its coefficient. [bytes]"""
COLUMN = 5 << 10
"""Of one program of all items, by its column, in the driver and in the solver's process together. [bytes]"""
SOLVER = 160 << 20
"""The solver's process before it has a program. [bytes]"""


@dataclass(frozen=True)
class Room:
    """What a limit leaves room for.

    Attributes
    ----------
    workers : int
    ahead : int
        Most items of a shard, and stamped together.
    chunk : int
        Coefficients stamped at once.
    """

    workers: int
    ahead: int = AHEAD
    chunk: int = CHUNK


def room(sizes: np.ndarray, workers: int, limit: int, held: int) -> Room:
    """The most workers that a limit leaves room for, and how much each may stamp at once.

    Parameters
    ----------
    sizes : (I,) int
        Coefficients of each item's compiled block.
    workers : int
        At most.
    limit : int
        Of the driver and all workers together. [bytes]
    held : int
        By the driver now. [bytes]

    Returns
    -------
    Room

    Raises
    ------
    MemoryLimitError
        When there is no room for one worker.
    """
    largest, mean = int(sizes.max(initial=1)), max(float(sizes.mean()) if len(sizes) else 1.0, 1.0)
    left = limit - held - DRIVER - KEPT * float(sizes.sum())
    each = WORKER + SOLVED * largest
    for count in range(workers, 0, -1):
        chunk = int((left / count - each) // STAMPED)
        if chunk >= largest:
            chunk = min(chunk, CHUNK)
            return Room(count, int(min(max(chunk // mean, 1), AHEAD)), chunk)
    needed = limit - left + each + STAMPED * largest
    raise MemoryLimitError(
        f"a limit of {told(limit)} can't be kept: this network takes about {told(needed)} with one worker; "
        f"give it {told(1.05 * needed)} or more"
    )


def sizes_of(source: Source) -> np.ndarray:
    """(I,) coefficients of each item's compiled block; compiles them."""
    sizes = np.zeros(len(source.network.items), dtype=np.int64)
    for count, members in build_classes(source.network).groups.items():
        sizes[members] = len(source.template(int(count)).indices)
    return sizes


def whole_fits(columns: int, limit: int, held: int) -> bool:
    """Whether one program of all items keeps to a limit. [bytes]"""
    return held + SOLVER + COLUMN * columns <= limit
