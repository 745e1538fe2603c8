"""Lanes: calendar, volumes, vehicles, and each item's own rules on them."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from allocator.network import coding
from allocator.network.network import METHODS, Calendar, Lanes
from allocator.tables import Tables

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]
BoolArray = NDArray[np.bool_]

LaneCode = tuple[str, str, str]


def lane_codes(table: pa.Table) -> list[LaneCode]:
    """Origin, destination, mode of each row."""
    columns = [coding.texts(table, name) for name in ("origin", "destination", "mode")]
    return [(str(o), str(d), str(m)) for o, d, m in zip(*columns, strict=True)]


def build_lanes(
    tables: Tables,
    calendar: Calendar,
    items: list[str],
    sites: list[str],
    quantum: FloatArray,
    unit_volume: FloatArray,
    carried: BoolArray,
    usable_volume: float,
) -> Lanes:
    """Lanes of the network.

    Parameters
    ----------
    carried : (I, S) bool
        Whether the site carries the item.
    usable_volume : float
        Volume of all usable stock and receipts, the size of a vehicle on lanes without any limit. [m3]
    """
    table = tables["lanes"]
    codes = lane_codes(table)
    origin = coding.ranks(table, "origin", sites)
    destination = coding.ranks(table, "destination", sites)
    lead = coding.wholes(table, "lead_time_days")
    departs = [mask or "1111111" for mask in coding.texts(table, "departs")]
    ship_day, departing = _departures(departs, calendar)
    arrive_day = np.where(ship_day >= 0, ship_day + lead[:, None], -1)
    arrival = np.where(ship_day >= 0, calendar.bucket_of(arrive_day), -2)
    arrival = np.where(arrival == calendar.buckets, -1, arrival)
    daily = coding.amounts(table, "daily_volume")
    vehicle = coding.amounts(table, "vehicle_volume")
    fallback = usable_volume if usable_volume > 0 else 1.0
    vehicle = np.where(np.isnan(vehicle), np.where(np.isnan(daily), fallback, daily), vehicle)
    cost_m3 = coding.amounts(table, "cost_per_m3", 0.0)
    method = coding.choices(table, "method", METHODS)
    own = _ItemRules(tables, items, codes)
    pack = own.column("pack_size", np.maximum(quantum, 0.0)[:, None].repeat(len(codes), axis=1))
    pack = np.maximum(pack, quantum[:, None])
    per_unit = own.column("cost_per_unit", np.tile(coding.amounts(table, "cost_per_unit", 0.0), (len(items), 1)))
    allowed = own.column("allowed", np.ones((len(items), len(codes)))) > 0
    return Lanes(
        codes=codes,
        origin=origin,
        destination=destination,
        lead=lead,
        ship_day=ship_day,
        arrive_day=arrive_day,
        arrival=arrival,
        daily_volume=np.where(np.isnan(daily)[:, None], np.inf, daily[:, None] * departing),
        vehicle_volume=np.where(vehicle > 0, vehicle, fallback),
        cost_per_shipment=coding.amounts(table, "cost_per_shipment", 0.0),
        method_of_lane=method,
        pack=pack,
        min_quantity=own.column("min_quantity", np.zeros((len(items), len(codes)))),
        freight=per_unit + cost_m3[None, :] * unit_volume[:, None],
        method=own.column("method", np.tile(method.astype(float), (len(items), 1))).astype(np.int64),
        open=allowed & carried[:, destination],
    )


def _departures(departs: list[str], calendar: Calendar) -> tuple[IntArray, FloatArray]:
    """First departing day of each lane and bucket (-1: none) and number of departing days."""
    weekday = (calendar.start.weekday() + np.arange(calendar.days)) % 7
    open_days = np.array([[mask[k] == "1" for k in range(7)] for mask in departs], dtype=bool).reshape(-1, 7)
    runs = open_days[:, weekday]
    first = np.full((len(departs), calendar.buckets), -1, dtype=np.int64)
    count = np.zeros((len(departs), calendar.buckets))
    for t, (start, length) in enumerate(zip(calendar.first, calendar.length, strict=True)):
        window = runs[:, start : start + length]
        any_day = window.any(axis=1)
        first[any_day, t] = start + window[any_day].argmax(axis=1)
        count[:, t] = window.sum(axis=1)
    return first, count


class _ItemRules:
    """Item rules on lanes: category rows first, then the item's own rows, which win column by column."""

    def __init__(self, tables: Tables, items: list[str], codes: list[LaneCode]) -> None:
        table = tables["item_lanes"]
        self.table = table
        place = {code: number for number, code in enumerate(codes)}
        self.lane = np.array([place.get(code, -1) for code in lane_codes(table)], dtype=np.int64)
        self.name = [str(name) for name in coding.texts(table, "item")]
        rank = {code: number for number, code in enumerate(items)}
        members: dict[str, list[int]] = {}
        item_table = tables["items"]
        for code, category in zip(coding.texts(item_table, "item"), coding.texts(item_table, "category"), strict=True):
            members.setdefault(f"category:{category}", []).append(rank[str(code)])
        self.members = [members.get(name, []) if name.startswith("category:") else [rank[name]] for name in self.name]
        self.order = sorted(range(len(self.name)), key=lambda row: not self.name[row].startswith("category:"))

    def column(self, name: str, default: FloatArray) -> FloatArray:
        """(I, L) values of a column; blank cells keep the default."""
        out = np.array(default, dtype=np.float64)
        if name == "method":
            raw = coding.choices(self.table, name, METHODS).astype(float)
            values = np.where(raw < 0, np.nan, raw)
        elif name == "allowed":
            filled = self.table[name].to_pylist()
            values = np.array([np.nan if v is None else float(v) for v in filled], dtype=np.float64)
        else:
            values = coding.amounts(self.table, name)
        for row in self.order:
            if self.lane[row] >= 0 and not np.isnan(values[row]):
                out[self.members[row], self.lane[row]] = values[row]
        return out
