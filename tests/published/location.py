"""Capacitated warehouse location (OR-Library cap41 to cap134)."""

from pathlib import Path

from tests.published.folder import Folder, dear


def orlib_cap(path: Path) -> Folder:
    """State a warehouse location instance: opening a site = one vehicle on its lane from the supplier.

    A customer's demand may be split, so the cost of serving all of it from a warehouse becomes a cost per unit.
    """
    words = iter(path.read_text().split())
    warehouses, customers = int(next(words)), int(next(words))
    sites = [(float(next(words)), float(next(words))) for _ in range(warehouses)]
    folder = Folder(path.stem)
    folder.item("goods")
    folder.add("channels", channel="need")
    folder.site("supplier", "supplier")
    for w, (capacity, opening) in enumerate(sites):
        folder.site(f"W{w:02d}", "dc")
        folder.arc("supplier", f"W{w:02d}", capacity, opening, 0)
    total, largest = 0.0, 0.0
    for c in range(customers):
        demand = float(next(words))
        total += demand
        folder.demand("goods", f"C{c:02d}", demand)
        for w in range(warehouses):
            unit = float(next(words)) / demand
            largest = max(largest, unit)
            folder.serve(f"W{w:02d}", f"C{c:02d}", cost=unit)
    folder.stock("goods", "supplier", total)
    folder.must_serve("goods", dear(largest, max(opening for _, opening in sites)))
    return folder
