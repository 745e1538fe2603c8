"""Sites, lanes, packs, channels, service arcs and prices."""

import numpy as np
import pyarrow as pa

from allocator.generate.demand import Demand
from allocator.generate.shape import CATEGORIES, Columns, Floats, Ints, Shape, codes, take

PACKS = np.array([1, 6, 12, 1, 24, 6, 1, 12, 4, 1, 8, 1])  # pieces to a pack, by category


def category_of(shape: Shape) -> Ints:
    """Give each item's category, (items,) index."""
    return np.arange(shape.items) % CATEGORIES


def volume_of(shape: Shape) -> Floats:
    """Give each item's volume, (items,) float, [m3/unit]: from a jar to a carton."""
    return np.round(shape.random(3).lognormal(np.log(0.004), 0.7, shape.items), 5)


def cost_of(shape: Shape) -> Floats:
    """Give each item's cost, (items,) float, [currency/unit]."""
    return np.round(shape.random(4).lognormal(np.log(6.0), 0.8, shape.items), 2)


def items(shape: Shape, expires: Ints) -> Columns:
    """Give the items table; `expires` is each item's shelf life, (items,) [days], 0 for never."""
    volume = volume_of(shape)
    return {
        "item": shape.item_codes,
        "category": take(codes("C", CATEGORIES), category_of(shape)),
        "quantum": pa.array(np.ones(shape.items)),
        "unit_cost": pa.array(cost_of(shape)),
        "unit_volume": pa.array(volume),
        "unit_weight": pa.array(np.round(volume * 350, 3)),
        "shelf_life_days": pa.array(expires, mask=expires == 0),
    }


def sites(shape: Shape) -> Columns:
    """Give the sites table: capacities stand day by day in `capacities`."""
    random = shape.random(5)
    count = 1 + shape.dcs + shape.stores
    return {
        "site": shape.site_codes,
        "kind": pa.array(["supplier"] + ["dc"] * shape.dcs + ["store"] * shape.stores),
        "holding_rate": pa.array([0.0] + [0.2] * shape.dcs + [0.3] * shape.stores),
        "latitude": pa.array(np.round(random.uniform(41.0, 49.0, count), 4)),
        "longitude": pa.array(np.round(random.uniform(-2.0, 12.0, count), 4)),
    }


def _ends(shape: Shape) -> tuple[Ints, Ints]:
    """Give every lane's two ends as site positions: supplier to DC, DC to DC, every DC to every store."""
    dc, store = 1 + np.arange(shape.dcs), 1 + shape.dcs + np.arange(shape.stores)
    between = [(a, b) for a in dc for b in dc if a != b]
    origin = np.concatenate([np.zeros(shape.dcs, int), [a for a, _ in between], np.repeat(dc, shape.stores)])
    destination = np.concatenate([dc, [b for _, b in between], np.tile(store, shape.dcs)])
    return origin.astype(np.int64), destination.astype(np.int64)


def lanes(shape: Shape, demand: Demand) -> Columns:
    """Give the lanes table: lead times 1 to 3, departure days, a price for every vehicle."""
    random = shape.random(6)
    origin, destination = _ends(shape)
    home = np.full(1 + shape.dcs + shape.stores, -1)
    home[1 + shape.dcs :] = 1 + shape.home
    to_store, own = destination > shape.dcs, home[destination] == origin
    lead = np.where(origin == 0, 3, np.where(own, 1, 2))
    days = random.choice(["1111110", "1010100", "0101010", "1101100", "0110110"], shape.stores)
    departs = np.full(origin.size, "1111100", dtype=object)
    departs[to_store] = days[destination[to_store] - 1 - shape.dcs]
    load = volume_of(shape) @ demand.store  # m3 a day into each store
    vehicle = np.full(origin.size, 60.0)
    vehicle[to_store] = np.ceil(10 * np.maximum(1.2 * load[destination[to_store] - 1 - shape.dcs], 0.1)) / 10
    per_shipment = np.where(to_store, np.where(own, 25.0, 60.0), 400.0)
    return {
        "origin": take(shape.site_codes, origin),
        "destination": take(shape.site_codes, destination),
        "lead_time_days": pa.array(lead),
        "cost_per_m3": pa.array(np.round(random.uniform(4.0, 9.0, origin.size) * lead, 2)),
        "cost_per_shipment": pa.array(per_shipment),
        "vehicle_volume": pa.array(vehicle),
        "departs": pa.array(departs, pa.string()),
    }


def item_lanes(shape: Shape) -> Columns:
    """Give packs by category on every lane into a store; a category of single pieces has no row."""
    origin, destination = _ends(shape)
    to_store = np.flatnonzero(destination > shape.dcs)
    packed = np.flatnonzero(PACKS[: shape.items] > 1)  # item k has category k, so fewer items have fewer categories
    lane, category = np.tile(to_store, packed.size), np.repeat(packed, to_store.size)
    names = pa.array([f"category:{code}" for code in codes("C", CATEGORIES).to_pylist()])
    return {
        "item": take(names, category),
        "origin": take(shape.site_codes, origin[lane]),
        "destination": take(shape.site_codes, destination[lane]),
        "pack_size": pa.array(PACKS[category].astype(float)),
    }


def channels(shape: Shape) -> Columns:
    """Give the channels: stores lose what they lack, online waits two days, bulk buyers come last."""
    online = np.arange(shape.channels) == 1
    return {
        "channel": shape.channel_codes,
        "priority": pa.array(np.minimum(np.arange(shape.channels), 2) + 1),
        "unmet": take(pa.array(["lost", "backorder"]), online.astype(int)),
        "max_wait_days": pa.array(np.where(online, 2, 0)),
        "min_remaining_life_days": pa.array(np.where(online, 5, 0)),
    }


def fulfilment(shape: Shape) -> Columns:
    """Give the service arcs: a store serves its own zone; a region is served by every DC and one store in ten."""
    some = np.arange(0, shape.stores, 10)
    site = np.concatenate([np.tile(1 + np.arange(shape.dcs), shape.dcs), 1 + shape.dcs + some])
    region = np.concatenate([np.repeat(np.arange(shape.dcs), shape.dcs), shape.home[some]])
    more, arcs = shape.channels - 1, site.size
    near = np.concatenate([np.tile(np.arange(shape.dcs), shape.dcs), shape.home[some]]) == region
    cost = np.where(site > shape.dcs, 1.5, np.where(near, 2.0, 3.0))
    site, region = np.tile(site, more), np.tile(region, more)
    delivery, cost = np.tile(np.where(near, 1, 2), more), np.tile(cost, more)
    own = 1 + shape.dcs + np.arange(shape.stores)
    channel = np.concatenate([np.zeros(shape.stores, int), 1 + np.repeat(np.arange(more), arcs)])
    return {
        "site": take(shape.site_codes, np.concatenate([own, site])),
        "channel": take(shape.channel_codes, channel),
        "zone": pa.concat_arrays([shape.store_codes, take(shape.region_codes, region)]),
        "delivery_days": pa.array(np.concatenate([np.zeros(shape.stores, int), delivery])),
        "cost_per_unit": pa.array(np.concatenate([np.zeros(shape.stores), cost])),
    }


def prices(shape: Shape) -> Columns:
    """Give margins: a markup drawn by item, a little less in each further channel."""
    cost = cost_of(shape)
    markup = shape.random(7).uniform(0.35, 0.8, shape.items)
    item, channel = np.repeat(np.arange(shape.items), shape.channels), np.tile(np.arange(shape.channels), shape.items)
    margin = cost[item] * markup[item] * 0.95**channel
    unmet = np.where(channel == 1, 0.05, 0.2) * cost[item]
    return {
        "item": take(shape.item_codes, item),
        "channel": take(shape.channel_codes, channel),
        "margin": pa.array(np.round(margin, 2)),
        "unmet_cost": pa.array(np.round(unmet, 2)),
    }
