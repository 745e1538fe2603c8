"""Items' blocks: compressed and opened, cut from a stamped piece, and stamped from a network of some items only."""

from dataclasses import fields, is_dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.testing import assert_array_equal

from allocator.generate import generate
from allocator.network import build_network
from allocator.network.restrict import PER_ITEM, SPARSE, restrict
from allocator.priced.blocks import Packed
from allocator.priced.engine import build_source
from allocator.priced.source import read_source, write_source
from allocator.program.stack import build_program
from allocator.tables import read_tables
from tests.priced.made import blocks_of, network_of, random_block
from tests.program.networks import CASES


@pytest.mark.parametrize("seed", range(20))
def test_a_packed_block_opens_as_it_was(seed: int) -> None:
    """Every array comes back with its values, also empty ones and limits without end."""
    block = random_block(seed, integer=seed % 2 == 0)
    again = Packed.of(block).open()
    for field in fields(block):
        assert_array_equal(getattr(again, field.name), getattr(block, field.name))


@pytest.mark.parametrize("case", CASES)
def test_blocks_are_the_stacked_program_cut_by_items(case: str, tmp_path: Path) -> None:
    """An item stamped apart, from a network cut down to it, has the costs, bounds, rows and uses it has in the whole program."""
    network = network_of(case, tmp_path)
    source, program = build_source(network), build_program(network)
    limits = source.limits
    items = np.arange(len(network.items))
    blocks = {block.item: block for item in items for block, _ in source.blocks(items[item : item + 1])}
    assert sorted(blocks) == items.tolist()
    uses = program.shape[0] - len(program.shared.row_lower) - program.first_use_row
    assert uses == limits.count
    row_of = np.repeat(np.arange(program.shape[0]), np.diff(program.indptr))
    for item, block in blocks.items():
        columns = np.flatnonzero(program.columns.item == item)
        rows = np.flatnonzero(program.row_item == item)
        base = np.bincount(block.use_column, block.use_value * limits.base[block.use], minlength=block.columns)
        assert block.cost - base == pytest.approx(program.cost[columns], rel=1e-12, abs=1e-12)
        assert_array_equal(block.lower, program.lower[columns])
        assert_array_equal(block.upper, program.upper[columns])
        assert_array_equal(block.integer, np.flatnonzero(program.integer[columns]))
        assert_array_equal(block.row_lower, program.row_lower[rows])
        assert_array_equal(block.row_upper, program.row_upper[rows])
        assert_array_equal(block.row_law, program.row_law[rows])
        assert_array_equal(block.row_place, program.row_place[rows])
        mine = np.isin(row_of, rows)
        whole = np.zeros((len(rows), len(columns)))
        whole[np.searchsorted(rows, row_of[mine]), np.searchsorted(columns, program.indices[mine])] = program.values[
            mine
        ]
        own = np.zeros_like(whole)
        own[np.repeat(np.arange(block.rows), np.diff(block.indptr)), block.indices] = block.values
        assert_array_equal(own, whole)
        used = (row_of >= program.first_use_row) & (row_of < program.first_shared_row)
        used &= np.isin(program.indices, columns)
        whole = np.zeros((limits.count, len(columns)))
        whole[row_of[used] - program.first_use_row, np.searchsorted(columns, program.indices[used])] = program.values[
            used
        ]
        own = np.zeros_like(whole)
        np.add.at(own, (block.use, block.use_column), block.use_value)
        assert_array_equal(own, whole)


def test_workers_read_what_was_written(tmp_path: Path) -> None:
    """A source mapped from its files stamps the same blocks as the one in memory."""
    source = build_source(network_of("admission", tmp_path))
    write_source(source, tmp_path / "source")
    for mine, theirs in zip(blocks_of(source), blocks_of(read_source(tmp_path / "source")), strict=True):
        for field in fields(mine):
            assert_array_equal(getattr(mine, field.name), getattr(theirs, field.name))


@pytest.mark.parametrize("outlooks", [1, 3])
def test_a_network_of_some_items_keeps_their_rows(outlooks: int, tmp_path: Path) -> None:
    """Every array that counts items is cut to those kept, every sparse part to their rows, demand paths to their points."""
    network = network_of("locks", tmp_path, outlooks)
    items = np.array([0, 2])
    part = restrict(network, items)
    assert part.items == [network.items[i] for i in items]
    for owner, names in PER_ITEM.items():
        whole, cut = (getattr(n, owner) if owner else n for n in (network, part))
        for name in names:
            assert_array_equal(getattr(cut, name), getattr(whole, name)[items], err_msg=f"{owner} {name}")
    for name in SPARSE:
        whole, cut = getattr(network, name, None), getattr(part, name, None)
        if whole is None:
            continue
        kept = np.isin(whole.item, items)
        assert_array_equal(items[cut.item], whole.item[kept], err_msg=name)
        for field in fields(whole):
            value = getattr(whole, field.name)
            if isinstance(value, np.ndarray) and value.shape == whole.item.shape and field.name != "item":
                assert_array_equal(getattr(cut, field.name), value[kept], err_msg=f"{name} {field.name}")
    if outlooks > 1:
        points, mine = network.outlooks.points, part.outlooks.points
        assert_array_equal(items[mine.item], points.item[np.isin(points.item, items)])
        assert_array_equal(np.diff(part.outlooks.start), np.diff(network.outlooks.start)[items])


def test_no_array_that_counts_items_is_forgotten(tmp_path: Path) -> None:
    """Of a network with 23 items and 23 of nothing else, no array of the part with 9 of them is 23 long."""
    generate(items=23, stores=4, days=5, channels=2, dcs=1, seed=3, tight=0.2, out=tmp_path)
    network = build_network(read_tables(tmp_path))
    part = restrict(network, np.arange(9) * 2)
    whole, cut = dict(_arrays(network, "network")), dict(_arrays(part, "network"))
    counting = [path for path, value in whole.items() if 23 in value.shape]
    assert {"network.unit_cost", "network.lanes.freight", "network.policies.carried"} <= set(counting)
    for path in counting:
        assert cut[path].shape == tuple(9 if n == 23 else n for n in whole[path].shape), path


def _arrays(value: Any, path: str) -> list[tuple[str, np.ndarray]]:
    if isinstance(value, np.ndarray):
        return [(path, value)]
    if not is_dataclass(value):
        return []
    parts = [_arrays(getattr(value, field.name), f"{path}.{field.name}") for field in fields(value)]
    return [entry for part in parts for entry in part]
