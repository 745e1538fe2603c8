"""Tables to the coded network, part by part."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from allocator.network import coding
from allocator.network.demand import build_demand
from allocator.network.lanes import build_lanes, lane_codes
from allocator.network.network import KINDS, Calendar, Lanes, Limits, Locks, Network, Policies, Previous, Sites
from allocator.network.outlooks import build_outlooks
from allocator.network.supply import build_lots
from allocator.tables import Tables

FloatArray = NDArray[np.float64]


def build_network(tables: Tables, previous: pd.DataFrame | None = None) -> Network:
    """Code the tables.

    Parameters
    ----------
    tables : Tables
        Checked tables.
    previous : DataFrame, optional
        Shipments of the previous plan (its ``shipments`` table).

    Returns
    -------
    Network
    """
    calendar = build_calendar(tables)
    item_table = tables["items"]
    items = [str(code) for code in coding.texts(item_table, "item")]
    sites = [str(code) for code in coding.texts(tables["sites"], "site")]
    channels = [str(code) for code in coding.texts(tables["channels"], "channel")]
    zones = sorted({str(code) for code in tables["fulfilment"]["zone"].unique().to_pylist()})
    quantum = coding.amounts(item_table, "quantum", 1.0)
    unit_volume = coding.amounts(item_table, "unit_volume", 0.0)
    policies = _policies(tables, items, sites, quantum)
    lots, idle = build_lots(tables, calendar, items, sites, unit_volume)
    lanes = build_lanes(
        tables, calendar, items, sites, quantum, unit_volume, policies.carried,
        float((lots.quantity * unit_volume[lots.item]).sum()),
    )  # fmt: skip
    claims, demand = build_demand(tables, calendar, items, channels, zones, quantum)
    margin, unmet, cancel = _prices(tables, items, channels)
    order = coding.ranks(tables["channels"], "channel", channels)
    waits = np.zeros(len(channels), dtype=bool)
    waits[order] = coding.choices(tables["channels"], "unmet", ("lost", "backorder")) == 1
    fulfilment = coding.amounts(tables["fulfilment"], "cost_per_unit", 0.0)
    return Network(
        calendar=calendar,
        items=items,
        quantum=quantum,
        unit_cost=coding.amounts(item_table, "unit_cost", 0.0),
        unit_volume=unit_volume,
        rotation=coding.choices(item_table, "rotation", ("FEFO", "FIFO", "LIFO")),
        sites=_sites(tables, calendar, sites),
        lanes=lanes,
        channels=channels,
        zones=zones,
        channel_waits=waits,
        margin=margin,
        unmet_cost=unmet,
        claims=claims,
        demand=demand,
        lots=lots,
        idle_volume=idle,
        policies=policies,
        locks=_locks(tables, calendar, items, lanes),
        limits=_limits(tables, calendar, sites, channels),
        previous=_previous(previous, tables, calendar, items, lanes),
        change_cost=float(tables.settings.change_cost or 0.0) if previous is not None else 0.0,
        serves_channel=np.array([fulfilment.min(), fulfilment.max()]) if len(fulfilment) else np.zeros(2),
        cancel_cost=cancel,
        outlooks=build_outlooks(tables, calendar, items, channels, zones),
    )


def build_calendar(tables: Tables) -> Calendar:
    """Buckets of the horizon."""
    settings = tables.settings
    length = np.array(settings.buckets, dtype=np.int64)
    first = np.cumsum(length) - length
    return Calendar(settings.start, first, length, int((first < settings.commit_days).sum()))


def _sites(tables: Tables, calendar: Calendar, sites: list[str]) -> Sites:
    table = tables["sites"]
    limits = {
        "storage": (coding.amounts(table, "storage_volume", np.inf), False),
        "inbound": (coding.amounts(table, "inbound_volume", np.inf), True),
        "outbound": (coding.amounts(table, "outbound_volume", np.inf), True),
        "outbound_units": (coding.amounts(table, "outbound_units", np.inf), True),
    }
    capacity = tables["capacities"]
    site = coding.ranks(capacity, "site", sites)
    kind = coding.choices(capacity, "resource", ("storage", "inbound", "outbound"))
    day = coding.day_numbers(capacity, "date", calendar.start, -1)
    volume = coding.amounts(capacity, "volume")
    built = {}
    for number, (name, (base, flows)) in enumerate(limits.items()):
        daily = np.repeat(base[:, None], calendar.days, axis=1)
        mine = (kind == number) & (day >= 0) & (day < calendar.days)
        daily[site[mine], day[mine]] = volume[mine]
        if flows:
            built[name] = np.add.reduceat(daily, calendar.first, axis=1)
        else:
            built[name] = np.minimum.reduceat(daily, calendar.first, axis=1)
    return Sites(
        codes=sites,
        kind=coding.choices(table, "kind", KINDS),
        holding_rate=coding.amounts(table, "holding_rate", 0.2),
        **built,
    )


def _policies(tables: Tables, items: list[str], sites: list[str], quantum: FloatArray) -> Policies:
    table = tables["stock_policies"]
    item = coding.ranks(table, "item", items)
    site = coding.ranks(table, "site", sites)
    shape = (len(items), len(sites))
    carried = np.ones(shape, dtype=bool)
    carried[item, site] = coding.flags(table, "carried")
    q = quantum[item]
    step = np.where(q > 0, q, 1.0)

    def level(name: str, blank: float, up: bool) -> FloatArray:
        value = coding.amounts(table, name, blank)
        whole = np.ceil(value / step - 1e-9) * step if up else np.floor(value / step + 1e-9) * step
        out = np.full(shape, blank)
        out[item, site] = np.where((q > 0) & np.isfinite(value), whole, value)
        return out

    return Policies(
        carried, level("min_stock", 0.0, True), level("safety_stock", 0.0, True), level("max_stock", np.inf, False)
    )


def _prices(tables: Tables, items: list[str], channels: list[str]) -> tuple[FloatArray, FloatArray, FloatArray]:
    table = tables["prices"]
    item = coding.ranks(table, "item", items)
    channel = coding.ranks(table, "channel", channels)
    margin = np.zeros((len(items), len(channels)))
    unmet = np.zeros_like(margin)
    margin[item, channel] = coding.amounts(table, "margin", 0.0)
    unmet[item, channel] = coding.amounts(table, "unmet_cost", 0.0)
    cancel = unmet.copy()
    stated = coding.amounts(table, "cancel_cost")
    cancel[item, channel] = np.where(np.isnan(stated), unmet[item, channel], stated)
    return margin, unmet, cancel


def _locks(tables: Tables, calendar: Calendar, items: list[str], lanes: Lanes) -> Locks:
    """Locks of one item, lane, bucket joined: the largest of the least, the smallest of the most."""
    table = tables["locks"]
    place = {code: number for number, code in enumerate(lanes.codes)}
    lane = np.array([place[code] for code in lane_codes(table)], dtype=np.int64)
    item = coding.ranks(table, "item", items)
    bucket = calendar.bucket_of(coding.day_numbers(table, "date", calendar.start, -1))
    kind = coding.choices(table, "kind", ("fix", "min", "max"))
    quantity = coding.amounts(table, "quantity")
    inside = (bucket >= 0) & (bucket < calendar.buckets)
    found: dict[tuple[int, int, int], list[float]] = {}
    for i, k, t, what, q in zip(
        item[inside], lane[inside], bucket[inside], kind[inside], quantity[inside], strict=True
    ):
        entry = found.setdefault((int(i), int(k), int(t)), [0.0, np.inf, 0.0])
        if what in (0, 1):
            entry[0] = max(entry[0], float(q))
        if what in (0, 2):
            entry[1] = min(entry[1], float(q))
        if what == 0:
            entry[2] = 1.0
    keys = np.array(sorted(found), dtype=np.int64).reshape(-1, 3)
    values = np.array([found[key] for key in sorted(found)]).reshape(-1, 3)
    return Locks(keys[:, 0], keys[:, 1], keys[:, 2], values[:, 0], values[:, 1], values[:, 2] > 0)


def _limits(tables: Tables, calendar: Calendar, sites: list[str], channels: list[str]) -> Limits:
    """Admission limits: the most specific row wins, (site, date), (site, *), (*, date), (*, *)."""
    table = tables["admission_limits"]
    shape = (len(sites), len(channels), calendar.days)
    units, share = np.full(shape, np.inf), np.full(shape, np.inf)
    channel = coding.ranks(table, "channel", channels)
    site_codes, dates = coding.texts(table, "site"), coding.texts(table, "date")
    max_units, max_share = coding.amounts(table, "max_units", np.inf), coding.amounts(table, "max_share", np.inf)
    rank = {code: number for number, code in enumerate(sites)}
    rows = sorted(range(len(channel)), key=lambda r: (site_codes[r] != "*") * 2 + (dates[r] != "*"))
    for row in rows:
        site, date = str(site_codes[row]), str(dates[row])
        day = None if date == "*" else (dt.date.fromisoformat(date) - calendar.start).days
        if day is not None and not 0 <= day < calendar.days:
            continue
        where = (
            slice(None) if site == "*" else rank[site],
            channel[row],
            slice(None) if day is None else day,
        )
        units[where], share[where] = max_units[row], max_share[row]
    rate = np.array([float(tables.settings.min_fill.get(code, 0.0)) for code in channels])
    first = calendar.first
    return Limits(np.add.reduceat(units, first, axis=2), np.minimum.reduceat(share, first, axis=2), rate)


def _previous(
    previous: pd.DataFrame | None, tables: Tables, calendar: Calendar, items: list[str], lanes: Lanes
) -> Previous:
    none = np.empty(0, dtype=np.int64)
    compared = np.zeros((len(lanes.codes), calendar.buckets), dtype=bool)
    if previous is None or not tables.settings.change_cost or previous.empty:
        return Previous(none, none, none, np.empty(0), compared)
    days = (pd.to_datetime(previous["ship_date"]) - pd.Timestamp(calendar.start)).dt.days
    day = days.to_numpy().astype(np.int64)
    rank = {code: number for number, code in enumerate(items)}
    place = {code: number for number, code in enumerate(lanes.codes)}
    item = previous["item"].map(rank).fillna(-1).to_numpy().astype(np.int64)
    triples = zip(previous["origin"], previous["destination"], previous["mode"], strict=True)
    lane = np.array([place.get(code, -1) for code in triples], dtype=np.int64)
    bucket = calendar.bucket_of(day)
    keep = (item >= 0) & (lane >= 0) & (bucket >= 0) & (bucket < calendar.buckets)
    reach = int(bucket[keep].max()) if keep.any() else -1
    compared[:, : reach + 1] = lanes.ship_day[:, : reach + 1] >= 0
    quantity = previous["quantity"].to_numpy(dtype=np.float64)
    table = pd.DataFrame({"i": item[keep], "l": lane[keep], "t": bucket[keep], "q": quantity[keep]})
    total = table.groupby(["i", "l", "t"], as_index=False)["q"].sum()
    return Previous(
        total["i"].to_numpy(), total["l"].to_numpy(), total["t"].to_numpy(), total["q"].to_numpy(), compared
    )


def read_previous(path: Path) -> pd.DataFrame:
    """Shipments of a plan folder.

    Raises
    ------
    FileNotFoundError
        When the folder is not a plan.
    """
    file = path / "shipments.parquet"
    if not (path / "manifest.json").exists() or not file.exists():
        raise FileNotFoundError(
            f"previous_plan: '{path}' is not a plan folder (no manifest.json); give the folder of a finished plan or drop the key"
        )
    frame = pd.read_parquet(file)
    for name in ("ship_date", "arrive_date"):
        frame[name] = pd.to_datetime(frame[name]).astype("datetime64[s]")
    return frame
