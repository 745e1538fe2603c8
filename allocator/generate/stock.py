"""Stock: lots with and without expiry, receipts under way, stock policies."""

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from allocator.generate.demand import Demand
from allocator.generate.shape import Columns, Floats, Ints, Shape, codes, days_from_start, take


def shelf_life(shape: Shape) -> Ints:
    """Give each item's shelf life, (items,) int, [days]; 0 where it never expires."""
    random = shape.random(8)
    expires = random.permutation(shape.items) < round(shape.expiring * shape.items)
    return np.where(expires, random.integers(25, 90, shape.items), 0)


def regional(shape: Shape, demand: Demand) -> Floats:
    """Give the demand that each DC stands behind, (items, dcs) float, [units/day]."""
    walk_in = np.stack([demand.store[:, shape.home == dc].sum(axis=1) for dc in range(shape.dcs)], axis=1)
    return np.asarray(walk_in + demand.region.sum(axis=0))


def presentation(shape: Shape, demand: Demand) -> Ints:
    """Give the stock a store shows, (items, stores) int, [units]: none to two where the item is carried."""
    return np.where(demand.carried, shape.random(12).integers(0, 3, demand.carried.shape), 0)


def opening(shape: Shape, demand: Demand) -> Floats:
    """Give opening stock, (items, 1 + dcs + stores) float, [units], whole.

    The supplier has a part of the horizon, DCs three to twelve days, stores what they show and one to six days:
    some items will be short.
    """
    random = shape.random(9)
    behind = regional(shape, demand)
    dc = random.poisson(behind * random.uniform(3.0, 12.0, behind.shape))
    store = presentation(shape, demand) + random.poisson(demand.store * random.uniform(1.0, 6.0, demand.store.shape))
    supplier = np.ceil(behind.sum(axis=1, keepdims=True) * shape.days * random.uniform(0.2, 1.2, (shape.items, 1)))
    return np.concatenate([supplier, dc, store], axis=1).astype(float)


def lots(shape: Shape, stock: Floats, life: Ints) -> Columns:
    """Give the lots: two a DC and item, one elsewhere; one in fifty of those at a DC is in quarantine."""
    random = shape.random(10)
    item, site = np.nonzero(stock)
    quantity = stock[item, site]
    split = (site >= 1) & (site <= shape.dcs) & (quantity >= 2)
    older = np.where(split, np.floor(quantity * random.uniform(0.2, 0.6, quantity.size)), 0.0)
    item, site = np.concatenate([item, item[split]]), np.concatenate([site, site[split]])
    quantity = np.concatenate([quantity - older, older[split]])
    kept = quantity > 0
    item, site, quantity = item[kept], site[kept], quantity[kept]
    # A lot that expires has at least three days left, so that it is stock on day 0.
    longest = np.where(life[item] > 0, life[item] - 3, 40)
    age = np.floor(random.uniform(0.1, 1.0, quantity.size) * longest).astype(np.int64)
    # a store with its only lot in quarantine could show nothing: that is priced far above anything else in the plan
    held = (random.random(quantity.size) < 0.02) & (site >= 1) & (site <= shape.dcs)
    return {
        "lot": codes("L", quantity.size),
        "item": take(shape.item_codes, item),
        "site": take(shape.site_codes, site),
        "quantity": pa.array(quantity),
        "received_date": days_from_start(-age),
        "expiry_date": _expiry(life[item], -age),
        "status": take(pa.array(["available", "quarantine"]), held.astype(int)),
    }


def _expiry(life: Ints, received: Ints) -> pa.Array:
    """Add the shelf life; blank where the item never expires."""
    dates = days_from_start(received + life)
    return pc.if_else(pa.array(life > 0), dates, pa.scalar(None, pa.date32()))


def receipts(shape: Shape, demand: Demand, life: Ints) -> Columns:
    """Give the receipts: about every second item and DC has a purchase order of two to six days of demand under way."""
    random = shape.random(11)
    behind = regional(shape, demand)
    item, dc = np.nonzero(random.random(behind.shape) < 0.5)
    quantity = np.ceil(behind[item, dc] * random.uniform(2.0, 6.0, item.size))
    day = random.integers(0, shape.days, item.size)
    kept = quantity > 0
    item, dc, quantity, day = item[kept], dc[kept], quantity[kept], day[kept]
    return {
        "receipt": codes("P", quantity.size),
        "item": take(shape.item_codes, item),
        "site": take(shape.dc_codes, dc),
        "date": days_from_start(day),
        "quantity": pa.array(quantity),
        "expiry_date": _expiry(life[item], day),
    }


def stock_policies(shape: Shape, demand: Demand) -> Columns:
    """Give a row for each item and store: not carried, or a presentation minimum and two days of safety stock."""
    carried = demand.carried.ravel()
    least = presentation(shape, demand).ravel()
    item, store = np.divmod(np.arange(carried.size), shape.stores)
    safety = np.where(carried, np.round(2 * demand.store.ravel()), 0.0)
    return {
        "item": take(shape.item_codes, item),
        "site": take(shape.store_codes, store),
        "carried": pa.array(carried),
        "min_stock": pa.array(least.astype(float)),
        "safety_stock": pa.array(safety),
    }
