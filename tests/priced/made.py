"""What the tests of the priced engine start from: sources of small networks, all their blocks, small random blocks."""

from __future__ import annotations

from pathlib import Path

import numpy as np

import allocator
from allocator.network import Network, build_network
from allocator.priced.blocks import Block
from allocator.priced.engine import build_source
from allocator.priced.source import Source
from allocator.tables import read_tables
from tests.program.networks import write_case


def network_of(case: str, folder: Path, outlooks: int = 1) -> Network:
    """A case of tests/program, coded."""
    return build_network(read_tables(write_case(case, folder, outlooks)))


def source_of(case: str, folder: Path) -> Source:
    """What workers read of a case."""
    return build_source(network_of(case, folder))


def blocks_of(source: Source) -> list[Block]:
    """Blocks of all items, by item."""
    items = np.arange(len(source.network.items))
    return sorted((block for block, _ in source.blocks(items)), key=lambda block: block.item)


def random_block(seed: int, integer: bool = False, resources: int = 3) -> Block:
    """A small block with a plan: columns from 0, rows of every kind that a point inside the bounds keeps, some uses."""
    draw = np.random.default_rng(seed)
    n, m = int(draw.integers(1, 7)), int(draw.integers(0, 6))
    upper = draw.integers(1, 9, size=n).astype(float)
    matrix = draw.integers(-3, 4, size=(m, n)) * (draw.random((m, n)) < 0.6)
    inside = matrix @ np.floor(draw.random(n) * (upper + 1))
    kind = draw.integers(0, 3, size=m)
    row_lower = np.where(kind == 0, -np.inf, inside)
    row_upper = np.where(kind == 1, np.inf, inside)
    row, column = np.nonzero(matrix)
    indptr = np.concatenate([[0], np.cumsum(np.bincount(row, minlength=m))]).astype(np.int32)
    users = np.flatnonzero(draw.random(n) < 0.7)
    none = np.zeros(n, dtype=np.int16)
    return Block(
        item=seed,
        quantum=0.0,
        span=1,
        cost=draw.integers(-9, 10, size=n).astype(float),
        lower=np.zeros(n),
        upper=upper,
        integer=(np.arange(n) if integer else np.empty(0)).astype(np.int32),
        indptr=indptr,
        indices=column.astype(np.int32),
        values=matrix[row, column].astype(float),
        row_lower=row_lower,
        row_upper=row_upper,
        use=draw.integers(0, resources, size=len(users)).astype(np.int32),
        use_column=users.astype(np.int32),
        use_value=np.ones(len(users)),
        variable=none,
        first=none,
        cls=none,
        bucket=none,
        outlook=none,
        row_law=np.zeros(m, dtype=np.int16),
        row_place=np.zeros(m, dtype=np.int32),
    )


def activity(block: Block, x: np.ndarray) -> np.ndarray:
    """(m,) what a point makes of a block's rows."""
    row = np.repeat(np.arange(block.rows), np.diff(block.indptr))
    return np.bincount(row, block.values * x[block.indices], minlength=block.rows)


def optimum(block: Block, cost: np.ndarray, whole: bool = False) -> float:
    """Least cost of a block, by scipy's own call of HiGHS."""
    from scipy.optimize import Bounds, LinearConstraint, milp
    from scipy.sparse import csr_array

    columns, steps = block.whole
    # a column in steps is a column in whole numbers of steps
    scale = np.ones(block.columns)
    scale[columns] = steps
    integrality = np.zeros(block.columns)
    integrality[columns] = float(whole)
    rows = []
    if block.rows:
        matrix = csr_array(
            (block.values * scale[block.indices], block.indices, block.indptr), (block.rows, block.columns)
        )
        rows = [LinearConstraint(matrix, block.row_lower, block.row_upper)]
    found = milp(
        cost * scale,
        bounds=Bounds(block.lower / scale, block.upper / scale),
        constraints=rows,
        integrality=integrality,
        options={"mip_rel_gap": 1e-9},
    )
    assert found.success, found.message
    return float(found.fun)


def planned(folder: Path, **options: object) -> allocator.plan.plan.Plan:
    """A network folder, planned."""
    return allocator.solve(allocator.read(folder), **options)
