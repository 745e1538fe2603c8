"""The same laws instantiated the ordinary Pyomo way, with numbers, item by item: the slow twin of compile-and-stamp."""

from typing import Any

import numpy as np
import pyomo.environ as pyo

from allocator.network import Network
from allocator.network.prices import build_prices
from allocator.program.classes import build_classes
from allocator.program.data import ItemData, build_items
from allocator.program.resources import resource_data
from allocator.program.structure import build_structure
from allocator_models.block import USES, VARIABLES, build_block
from allocator_models.outlooks import BY_OUTLOOK, build_outlooks
from allocator_models.resources import build_resources


def item_blocks(network: Network) -> list[tuple[int, pyo.ConcreteModel]]:
    """One numeric Pyomo block an item, over all its outlooks."""
    prices, classes = build_prices(network), build_classes(network)
    blocks = []
    for size, items in classes.groups.items():
        structure = build_structure(network, size)
        data = build_items(network, structure, classes, prices, items)
        blocks += [(int(item), one_block(structure, data, row)) for row, item in enumerate(items)]
    return sorted(blocks, key=lambda pair: pair[0])


def one_block(structure: Any, data: ItemData, row: int) -> pyo.ConcreteModel:
    """The numeric block of one item of a group."""
    if structure.outlooks > 1:
        return _many(structure, data, row)
    own = {name: values[row] for name, values in data.data.items()}
    bounds = {name: (data.lower[name][row], data.upper[name][row]) for name in VARIABLES}
    block = build_block(structure, own, bounds)
    for name, whole in data.integer.items():
        for variable, flag in zip(getattr(block, name).values(), whole[row], strict=True):
            if flag:
                variable.domain = pyo.NonNegativeIntegers
    return block


def _many(structure: Any, data: ItemData, row: int) -> pyo.ConcreteModel:
    """Every outlook's block by itself, decided variables tied by the law of foresight."""
    count = structure.outlooks
    numbers = [
        {name: values[row, w] if name in BY_OUTLOOK else values[row] for name, values in data.data.items()}
        for w in range(count)
    ]

    def part(values: Any, w: int) -> Any:
        size = len(values) // count
        return values[w * size : (w + 1) * size]

    bounds = [
        {name: (part(data.lower[name][row], w), part(data.upper[name][row], w)) for name in VARIABLES}
        for w in range(count)
    ]
    model = build_outlooks(structure, numbers, bounds)
    for name, whole in data.integer.items():
        for w in range(count):
            for variable, flag in zip(getattr(model.outlook[w], name).values(), whole[row], strict=True):
                if flag:
                    variable.domain = pyo.NonNegativeIntegers
    return model


def whole_model(network: Network) -> pyo.ConcreteModel:
    """All items and the shared resources in one Pyomo model."""
    model = pyo.ConcreteModel()
    blocks = item_blocks(network)
    model.each = pyo.Block([item for item, _ in blocks])
    for item, block in blocks:
        block.cost.deactivate()
        model.each[item].block = block
    resources = build_resources(build_structure(network, 1), resource_data(network, build_prices(network)))
    resources.cost.deactivate()
    model.resources = resources
    model.links = pyo.ConstraintList()
    for use in USES:
        for key, variable in getattr(resources, use).items():
            total = sum(getattr(block, f"law_{use}")[key] for _, block in blocks)
            model.links.add(total == variable)
    model.cost = pyo.Objective(expr=sum(block.cost.expr for _, block in blocks) + resources.cost.expr)
    return model


def solve_plain(network: Network) -> float:
    """Optimum of the plain model through Pyomo's own HiGHS interface."""
    from pyomo.contrib.appsi.solvers.highs import Highs

    model = whole_model(network)
    solver = Highs()
    solver.config.mip_gap = 1e-9
    solver.highs_options = {"threads": 1, "random_seed": 0}
    solver.solve(model)
    return float(np.float64(pyo.value(model.cost)))
