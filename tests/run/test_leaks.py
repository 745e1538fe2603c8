"""A process that plans again and again keeps its size."""

from __future__ import annotations

import gc
from pathlib import Path

import numpy as np
import pytest

import allocator
from allocator.memory import give_back, held
from tests.program.networks import write_case

LEAK = 50 << 20
"""Growth over a hundred plans. [bytes]"""
PLANS, FIRST = 100, 20
"""Plans, and those of them that may load what is loaded once."""


def resident() -> int:
    """Memory this process holds, after all that is free was given back. [bytes]"""
    gc.collect()
    give_back()
    return held()


@pytest.mark.long
def test_a_hundred_plans_leak_less_than_fifty_megabytes(tmp_path: Path) -> None:
    """Read, plan and publish a hundred times: the line through the sizes after the last eighty rises by less, over a hundred plans."""
    network, sizes = write_case("vehicles", tmp_path), []
    for _ in range(PLANS):
        plan = allocator.solve(allocator.read(network))
        plan.write(tmp_path / "plan")
        del plan
        sizes.append(resident())
    slope = float(np.polyfit(np.arange(PLANS - FIRST), np.array(sizes[FIRST:], float), 1)[0])
    print(
        f"{slope / 1024:.1f} KB a plan, {sizes[FIRST] / 2**20:.1f} MB after {FIRST + 1}, {sizes[-1] / 2**20:.1f} MB after {PLANS}"
    )
    assert 100 * slope < LEAK, [size >> 20 for size in sizes]
