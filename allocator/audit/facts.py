"""What the audit knows of a network, read straight from the input tables: codes as positions, amounts as arrays."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pyarrow as pa

from allocator.audit.calendar import Calendar
from allocator.audit.keys import Flags, Floats, Keys, Names, Whole, floats, pack, whole
from allocator.audit.registry import Place
from allocator.tables.by_item import ByItem

if TYPE_CHECKING:
    from allocator.tables import Tables

FORECAST = "forecast"
CUT = ("forecasts", "orders", "lots", "receipts", "stock_policies", "prices", "locks")
"""Input tables whose rows are each of one item."""


@dataclass(frozen=True)
class Facts:
    """A network as the audit sees it. Arrays with a letter are indexed by the names of that letter.

    Attributes
    ----------
    tables : Tables
        The input.
    calendar : Calendar
        Days and buckets.
    items, sites, modes, channels, zones, lots : Names
        Codes.
    quantum, unit_cost, unit_volume : (I,) float
        Smallest quantity that moves, [currency/unit], [m3/unit].
    rotation : (I,) str
        FEFO, FIFO or LIFO.
    holding_rate : (S,) float, [1/year]
        Cost of holding stock as a share of its value.
    origin, destination, mode, lead : (L,) int
        Lanes; lead time in days.
    lane_keys : Keys
        Position of a lane by its packed origin, destination, mode.
    departing : (L, H) bool
        Days each lane departs.
    ship_day, depart_days : (L, B) int
        Ship day of each bucket (-1: none) and number of departing days.
    backorder, max_wait, min_life, priority : (C,)
        Channels.
    arcs : Keys
        Position of a fulfilment row by its packed site, channel, zone.
    arc_site, arc_channel, arc_zone, delivery, handling : (A,)
        Fulfilment rows: delivery days, cost per unit.
    first, stop : int, int or None
        The items whose input rows `frame` gives (None: all of them).
    cuts : dict of str to ByItem
        Input tables in order of items, as far as they were asked for.
    """

    tables: Tables
    calendar: Calendar
    items: Names
    sites: Names
    modes: Names
    channels: Names
    zones: Names
    lots: Names
    quantum: Floats
    unit_cost: Floats
    unit_volume: Floats
    rotation: list[str]
    holding_rate: Floats
    lanes: pd.DataFrame
    origin: Whole
    destination: Whole
    mode: Whole
    lead: Whole
    lane_keys: Keys
    departing: Flags
    ship_day: Whole
    depart_days: Whole
    backorder: Flags
    max_wait: Whole
    min_life: Whole
    priority: Floats
    arcs: Keys
    arc_site: Whole
    arc_channel: Whole
    arc_zone: Whole
    delivery: Whole
    handling: Floats
    first: int = 0
    stop: int | None = None
    cuts: dict[str, ByItem] = field(default_factory=dict)

    @property
    def pair_sizes(self) -> tuple[int, int]:
        """Sizes of a packed (item, site)."""
        return len(self.items), len(self.sites)

    @property
    def window(self) -> tuple[int, int]:
        """The items looked at: from the first to before the second."""
        return self.first, len(self.items) if self.stop is None else self.stop

    def among(self, first: int, stop: int) -> Facts:
        """Give the same facts, with the input tables cut to some items."""
        return replace(self, first=first, stop=stop)

    def frame(self, name: str) -> pd.DataFrame:
        """Give an input table, words as categories; only the rows of the items looked at."""
        if name not in CUT or self.stop is None:
            return read_frame(self.tables, name)
        if name not in self.cuts:
            table = self.tables.encoded(name)
            self.cuts[name] = ByItem(table, self.items.find(table["item"]).astype(np.int32))
        return framed(self.cuts[name].cut(*self.window))

    def lane_of(self, origin: Whole, destination: Whole, mode: Whole) -> Whole:
        """Give the position of each lane; -1 for a lane that is not there."""
        sizes = (len(self.sites), len(self.sites), len(self.modes))
        return self.lane_keys.find(pack(sizes, origin, destination, mode))

    def arc_of(self, site: Whole, channel: Whole, zone: Whole) -> Whole:
        """Give the position of each fulfilment row; -1 where there is none."""
        return self.arcs.find(pack((len(self.sites), len(self.channels), len(self.zones)), site, channel, zone))

    def lane_name(self, lane: int) -> str:
        """Write a lane as `ORIGIN > DESTINATION (MODE)`."""
        ends = f"{self.sites[int(self.origin[lane])]} > {self.sites[int(self.destination[lane])]}"
        return f"{ends} ({self.modes[int(self.mode[lane])]})"

    @cached_property
    def lane_names(self) -> Names:
        """Every lane as `ORIGIN > DESTINATION (MODE)`, sorted."""
        return Names(pd.Index(sorted(self.lane_name(lane) for lane in range(len(self.lanes))), dtype=object))

    @cached_property
    def lane_by_name(self) -> Whole:
        """(L,) position of the lane behind each of `lane_names`."""
        order = {self.lane_name(lane): lane for lane in range(len(self.lanes))}
        return whole([order[str(name)] for name in self.lane_names.codes])

    def place(self, **columns: Any) -> Place:
        """Give a function that writes where a row is, from columns of positions (`bucket` and `day` become dates)."""
        writers: dict[str, Callable[[int], str]] = {
            "item": self.items.__getitem__,
            "site": self.sites.__getitem__,
            "channel": self.channels.__getitem__,
            "zone": self.zones.__getitem__,
            "lot": self.lots.__getitem__,
            "lane": self.lane_name,
            "day": self.calendar.date,
            "bucket": lambda bucket: self.calendar.date(int(self.calendar.first[bucket])),
        }

        def write(row: int) -> str:
            parts = []
            for name, column in columns.items():
                value = column[row]
                word = writers[name](int(value)) if name in writers else str(value)
                parts.append(word if name in ("day", "bucket", "text") else f"{name} {word}")
            return ", ".join(parts)

        return write


def read_frame(tables: Tables, name: str) -> pd.DataFrame:
    """Give an input table as a frame, words as categories and days as datetime64."""
    frame: pd.DataFrame = tables.encoded(name).to_pandas(date_as_object=False)
    return frame


def framed(table: pa.Table) -> pd.DataFrame:
    """Give rows of a table as a frame: words as categories, few of them unused, and days as datetime64."""
    for place, field_ in enumerate(table.schema):
        column = table.column(place)
        if pa.types.is_dictionary(field_.type):
            words = sum(len(chunk.dictionary) for chunk in column.chunks)
            if words <= table.num_rows:
                continue
            column = column.cast(field_.type.value_type)
        elif not (pa.types.is_string(field_.type) or pa.types.is_large_string(field_.type)):
            continue
        table = table.set_column(place, field_.name, column.dictionary_encode())
    frame: pd.DataFrame = table.to_pandas(date_as_object=False)
    return frame


def read_facts(tables: Tables) -> Facts:
    """Code a network's tables.

    Parameters
    ----------
    tables : Tables
        The input, with defaults filled.

    Returns
    -------
    Facts
    """
    calendar = Calendar.of(tables.settings)
    items, sites, lanes = read_frame(tables, "items"), read_frame(tables, "sites"), read_frame(tables, "lanes")
    channels, fulfilment = read_frame(tables, "channels"), read_frame(tables, "fulfilment")
    item, site, mode = Names.of(items["item"]), Names.of(sites["site"]), Names.of(lanes["mode"])
    channel = Names.of(channels["channel"])
    zone = Names.of(*(tables.encoded(name)["zone"] for name in ("fulfilment", "forecasts", "orders")))
    items = items.set_index("item").reindex(item.codes)
    sites = sites.set_index("site").reindex(site.codes)
    channels = channels.set_index("channel").reindex(channel.codes)
    ends = [site.find(lanes["origin"]), site.find(lanes["destination"]), mode.find(lanes["mode"])]
    departing = calendar.departures(lanes["departs"])
    ship_day, depart_days = calendar.ship_days(departing)
    arcs = [site.find(fulfilment["site"]), channel.find(fulfilment["channel"]), zone.find(fulfilment["zone"])]
    return Facts(
        tables=tables,
        calendar=calendar,
        items=item,
        sites=site,
        modes=mode,
        channels=channel,
        zones=zone,
        lots=Names.of(tables.encoded("lots")["lot"], receipt_lots(read_frame(tables, "receipts"))),
        quantum=floats(items["quantum"]),
        unit_cost=floats(items["unit_cost"]),
        unit_volume=floats(items["unit_volume"]),
        rotation=[str(rule) for rule in items["rotation"]],
        holding_rate=floats(sites["holding_rate"]),
        lanes=lanes,
        origin=ends[0],
        destination=ends[1],
        mode=ends[2],
        lead=whole(lanes["lead_time_days"]),
        lane_keys=Keys.of(pack((len(site), len(site), len(mode)), *ends)),
        departing=departing,
        ship_day=ship_day,
        depart_days=depart_days,
        backorder=np.asarray(channels["unmet"].astype(str) == "backorder", dtype=bool),
        max_wait=whole(channels["max_wait_days"]),
        min_life=whole(channels["min_remaining_life_days"]),
        priority=floats(channels["priority"]),
        arcs=Keys.of(pack((len(site), len(channel), len(zone)), *arcs)),
        arc_site=arcs[0],
        arc_channel=arcs[1],
        arc_zone=arcs[2],
        delivery=whole(fulfilment["delivery_days"]),
        handling=floats(fulfilment["cost_per_unit"]),
    )


def receipt_lots(receipts: pd.DataFrame) -> pd.Series[Any]:
    """Give the lot code of each receipt: its own, else the receipt's code."""
    own, code = receipts["lot"].astype(object), receipts["receipt"].astype(object)
    return own.where(own.notna(), code)
