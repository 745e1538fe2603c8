"""Capacities and admission limits, set against the load they will meet."""

import numpy as np
import pyarrow as pa

from allocator.generate.demand import Demand
from allocator.generate.shape import Columns, Floats, Shape, take
from allocator.generate.sites import volume_of
from allocator.generate.stock import regional

RESOURCES = pa.array(["storage", "inbound", "outbound"])


def _loads(shape: Shape, demand: Demand, stock: Floats) -> Floats:
    """Give the volume each resource of each site should expect, (3, dcs + stores, days) float, [m3].

    Rows follow `RESOURCES`, sites the DCs and then the stores. Stock is expected to stay near its opening level,
    what goes out to come in again; deliveries to a store come on about four days a week.
    """
    volume = volume_of(shape)
    out_dc = np.einsum("i,id,it->dt", volume, regional(shape, demand), demand.season)
    sold = np.einsum("i,is,it->st", volume, demand.store, demand.season)
    out = np.concatenate([out_dc, sold])
    storage = np.repeat((volume @ stock[:, 1:])[:, None], shape.days, axis=1)
    into = np.concatenate([out_dc, 7 / 4 * sold.mean(axis=1, keepdims=True) * np.ones((1, shape.days))])
    return np.stack([storage, into, out])


def capacities(shape: Shape, demand: Demand, stock: Floats) -> Columns:
    """Give a figure for each day: DCs all three, stores storage and inbound; the share `tight` lies under the load."""
    random = shape.random(13)
    loads = _loads(shape, demand, stock)
    resource, site, day = (axis.ravel() for axis in np.indices(loads.shape))
    kept = (resource < 2) | (site < shape.dcs)
    resource, site, day = resource[kept], site[kept], day[kept]
    load = loads[resource, site, day]
    tight = random.permutation(load.size) < round(shape.tight * load.size)
    least = np.concatenate([_kept(loads, shape), np.zeros((2, *loads.shape[1:]))])[resource, site, day]
    volume = np.where(
        tight,
        np.maximum(load * random.uniform(0.7, 0.95, load.size), least),
        load * random.uniform(1.8, 3.0, load.size),
    )
    return {
        "site": take(shape.site_codes, 1 + site),
        "resource": take(RESOURCES, resource),
        "date": take(shape.dates, day),
        "volume": pa.array(np.round(volume + 0.05, 3)),
    }


def _kept(loads: Floats, shape: Shape) -> Floats:
    """Give the stock that is still there when most of what is wanted has left, (1, dcs + stores, days) float, [m3].

    A tight storage can be kept by not sending more, never by wishing away what is there: else its price would hide every other figure.
    """
    storage, _, out = loads
    # a DC gets purchase orders of about a sixth of its demand all the while
    leaving = np.where(np.arange(len(storage)) < shape.dcs, 0.65, 0.8)[:, None] * np.cumsum(out, axis=1)
    return np.asarray(np.maximum(storage - leaving, 0.0)[None])


def admission_limits(shape: Shape, demand: Demand) -> Columns:
    """Give the units a day that each further channel may draw from each DC: half as much again as its usual demand."""
    more = shape.channels - 1
    usual = demand.region.sum(axis=1).ravel()
    channel, dc = np.divmod(np.arange(more * shape.dcs), shape.dcs)
    return {
        "channel": take(shape.channel_codes, 1 + channel),
        "site": take(shape.dc_codes, dc),
        "date": pa.array(["*"] * usual.size, pa.string()),
        "max_units": pa.array(np.ceil(1.5 * usual)),
    }
