"""Network design: one commodity (fcnet) and several (canad_r), every arc with a fixed charge."""

from pathlib import Path

import pandas as pd

from tests.published.folder import Folder, dear


def fcnet(path: Path) -> Folder:
    """State a single-commodity network: directed arcs are lanes, parallel arcs are modes of one lane."""
    nodes, arcs = pd.read_csv(path / "nodes.csv"), pd.read_csv(path / "arcs.csv")
    folder = Folder(path.name)
    folder.item("goods", quantum=1)
    folder.add("channels", channel="need")
    for row in nodes.itertuples():
        folder.site(row.node, "supplier" if row.demand < 0 else "dc")
        if row.demand < 0:
            folder.stock("goods", row.node, -row.demand)
        if row.demand > 0:
            folder.serve(row.node, row.node)
            folder.demand("goods", row.node, row.demand)
    for row in arcs.rename(columns={"from": "origin", "to": "destination"}).itertuples():
        folder.arc(row.origin, row.destination, row.capacity, row.fixed_cost, row.unit_cost, mode=row.parallel_id)
    folder.must_serve("goods", dear(arcs.unit_cost.max(), arcs.fixed_cost.max(), hops=3))
    return folder


def canad(path: Path) -> Folder:
    """State a multicommodity network design instance: a commodity is an item, all share an arc's room and charge.

    Flow may split, so items are continuous. The arc's own number is the lane's mode.
    """
    words = iter(path.read_text().split())
    nodes, arcs, commodities = (int(next(words)) for _ in range(3))
    folder = Folder(path.stem)
    folder.add("channels", channel="need")
    for node in range(1, nodes + 1):
        folder.site(f"N{node}", "dc")
        folder.serve(f"N{node}", f"N{node}")
    largest_unit, largest_fixed = 0.0, 0.0
    for _ in range(arcs):
        origin, destination, unit, capacity, fixed, _one, number = (float(next(words)) for _ in range(7))
        folder.arc(f"N{origin:.0f}", f"N{destination:.0f}", capacity, fixed, unit, mode=f"a{number:.0f}")
        largest_unit, largest_fixed = max(largest_unit, unit), max(largest_fixed, fixed)
    for k in range(commodities):
        origin, destination, quantity = (float(next(words)) for _ in range(3))
        item = f"K{k + 1}"
        folder.item(item)
        folder.stock(item, f"N{origin:.0f}", quantity)
        folder.demand(item, f"N{destination:.0f}", quantity)
        folder.must_serve(item, dear(largest_unit, largest_fixed))
    return folder
