"""The algorithm of a made-up network: draw demand, place stock, set capacities, write the folder."""

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from allocator.generate import demand, rooms, sites, stock
from allocator.generate.shape import START, Columns, Shape


def generate(
    items: int,
    stores: int,
    days: int = 14,
    channels: int = 2,
    dcs: int = 2,
    seed: int = 0,
    tight: float = 0.1,
    expiring: float = 0.2,
    *,
    out: Path,
) -> Path:
    """Write a made-up network folder in Parquet; the same arguments give the same bytes.

    Parameters
    ----------
    items, stores, days, channels, dcs : int
        Size, at least 1 each. One supplier stands behind the DCs.
    seed : int
        Seed of everything drawn.
    tight : float
        Share of capacity rows (site, resource, day) below the load expected there.
    expiring : float
        Share of items whose lots expire.
    out : Path
        Folder to write; made when it isn't there. Tables of the same name are replaced.

    Returns
    -------
    Path
        `out`.

    Raises
    ------
    ValueError
        When a count is below 1 or a share is outside 0 to 1.
    """
    shape = Shape(items, stores, days, channels, dcs, seed, tight, expiring)
    out = Path(out)
    out.mkdir(parents=True, exist_ok=True)
    for name, columns in _tables(shape).items():
        pq.write_table(pa.table(columns), out / f"{name}.parquet")
    (out / "network.toml").write_text(
        f'name = "made-up {items} x {stores} x {days}, seed {seed}"\ncurrency = "EUR"\nstart = {START}\n'
        f"horizon_days = {days}\ncommit_days = 1\nseed = {seed}\n",
        encoding="utf-8",
    )
    return out


def _tables(shape: Shape) -> dict[str, Columns]:
    """Draw every table."""
    wanted = demand.draw_demand(shape)
    life = stock.shelf_life(shape)
    held = stock.opening(shape, wanted)
    return {
        "items": sites.items(shape, life),
        "sites": sites.sites(shape),
        "lanes": sites.lanes(shape, wanted),
        "item_lanes": sites.item_lanes(shape),
        "channels": sites.channels(shape),
        "fulfilment": sites.fulfilment(shape),
        "prices": sites.prices(shape),
        "forecasts": demand.forecasts(shape, wanted),
        "orders": demand.orders(shape, wanted),
        "lots": stock.lots(shape, held, life),
        "receipts": stock.receipts(shape, wanted, life),
        "stock_policies": stock.stock_policies(shape, wanted),
        "admission_limits": rooms.admission_limits(shape, wanted),
        "capacities": rooms.capacities(shape, wanted, held),
    }
