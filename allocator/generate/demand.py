"""Demand: gamma over items and sites, a weekly season, promotions, sparse assortments."""

from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from allocator.generate.shape import Columns, Flags, Floats, Shape, days_from_start, take

WEEK = np.array([0.80, 0.80, 0.90, 1.00, 1.30, 1.45, 0.75])  # Monday first, mean 1
LEAST = 0.02  # units a day; less is not forecast


@dataclass(frozen=True)
class Demand:
    """Expected demand of a made-up network.

    Parameters
    ----------
    store : (items, stores) float, [units/day]
        Walk-in demand of an average day; 0 where the store doesn't carry the item.
    region : (channels - 1, items, dcs) float, [units/day]
        Demand of the other channels in each DC's region.
    season : (items, days) float
        Factor of each day: weekday times promotion.
    carried : (items, stores) bool
        The assortment.
    """

    store: Floats
    region: Floats
    season: Floats
    carried: Flags


def draw_demand(shape: Shape) -> Demand:
    """Draw rates, season, promotions and assortments."""
    random = shape.random(1)
    pace = random.gamma(0.8, 1.5, shape.items)  # few fast items, many slow ones
    size = random.gamma(4.0, 0.25, shape.stores)
    taste = random.gamma(3.0, 1 / 3, (shape.items, shape.stores))
    # A fast item is carried nearly everywhere, a slow one in a third of the stores.
    reach = np.clip(0.3 + 0.7 * pace / np.quantile(pace, 0.9), 0.0, 0.97)
    carried = random.random((shape.items, shape.stores)) < reach[:, None]
    carried[np.arange(shape.items), random.integers(0, shape.stores, shape.items)] = True
    store = np.where(carried, pace[:, None] * size * taste, 0.0)
    store[store < LEAST] = 0.0
    local = np.stack([store[:, shape.home == dc].sum(axis=1) for dc in range(shape.dcs)], axis=1)
    share = random.gamma(2.0, 0.06, (max(shape.channels - 1, 0), shape.items, 1))
    return Demand(store, share * local, _season(shape, random), carried)


def _season(shape: Shape, random: np.random.Generator) -> Floats:
    """Weekday factors, and for one item in twelve a week at one and a half to three times the pace."""
    season = np.tile(WEEK, (shape.items, shape.days // 7 + 1))[:, : shape.days]
    promoted = random.random(shape.items) < 1 / 12
    first = random.integers(-3, shape.days, shape.items)
    lift = np.where(promoted, random.uniform(1.5, 3.0, shape.items), 1.0)
    day = np.arange(shape.days)
    running = (day >= first[:, None]) & (day < first[:, None] + 7)
    return np.where(running, season * lift[:, None], season)


def forecasts(shape: Shape, demand: Demand) -> Columns:
    """Give the forecasts table: a row for each day of each item and zone with demand."""
    further = ((k, rate, shape.region_codes) for k, rate in enumerate(demand.region, start=1))
    parts = [
        _forecast(shape, demand, rate, k, zones) for k, rate, zones in [(0, demand.store, shape.store_codes), *further]
    ]
    return {name: pa.concat_arrays([part[name] for part in parts]) for name in parts[0]}


def _forecast(shape: Shape, demand: Demand, rate: Floats, channel: int, zones: pa.Array) -> Columns:
    item, zone = np.nonzero(rate >= LEAST)
    mean = np.round(rate[item, zone][:, None] * demand.season[item], 3).ravel()
    # Retail sales vary more than Poisson: variance = mean + 0.3 mean squared.
    std = np.round(np.sqrt(mean + 0.3 * mean**2), 3)
    return {
        "item": take(shape.item_codes, np.repeat(item, shape.days)),
        "channel": take(shape.channel_codes, np.full(mean.size, channel)),
        "zone": take(zones, np.repeat(zone, shape.days)),
        "date": take(shape.dates, np.tile(np.arange(shape.days), item.size)),
        "mean": pa.array(mean),
        "std": pa.array(std),
    }


def orders(shape: Shape, demand: Demand) -> Columns:
    """Give firm online orders due in the first days, about one for every two items."""
    random = shape.random(2)
    count = shape.items // 2 if shape.channels > 1 else 0
    item = random.integers(0, shape.items, count)
    region = random.integers(0, shape.dcs, count)
    rate = demand.region[0][item, region] if count else np.zeros(0)
    return {
        "order": take(pa.array([f"O{k:06d}" for k in range(count)], pa.string()), np.arange(count)),
        "line": pa.array(["1"] * count, pa.string()),
        "item": take(shape.item_codes, item),
        "channel": pa.array(["online"] * count, pa.string()),
        "zone": take(shape.region_codes, region),
        "due_date": days_from_start(random.integers(0, min(3, shape.days), count)),
        "quantity": pa.array(1.0 + random.poisson(rate)),
    }
