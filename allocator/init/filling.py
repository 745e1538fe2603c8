"""From what a map took to the tables of a network: what follows from other tables, and what the exports do not say."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd

from allocator.init.demand import naive, spread
from allocator.init.mapping import ROW, TABLE, Left, Rows, Taken
from allocator.init.units import numbers, written
from allocator.init.ways import lanes_of, pack
from allocator.tables.schema import SCHEMA

LEAST_DAYS, MOST_DAYS = 14, 91
"""Shortest and longest horizon that is set."""


@dataclass
class Filled:
    """Tables of a network, all cells text, each row with where it came from; what was left behind and what was assumed."""

    tables: dict[str, Rows]
    left: list[Left]
    assumed: list[str] = field(default_factory=list)
    history: Rows | None = None
    horizon: int = LEAST_DAYS


def fill(taken: Taken, assume: Mapping[str, Any], start: dt.date) -> Filled:
    """Complete the tables of a network.

    Parameters
    ----------
    taken : Taken
    assume : dict
        The map's ``assume``: channel, kind, supply.
    start : datetime.date
    """
    found = {name: pd.concat(parts, ignore_index=True).fillna("") for name, parts in taken.tables.items()}
    for rows in found.values():
        rows.replace("@start", start.isoformat(), inplace=True)
    made = Filled({name: rows for name, rows in found.items() if name in SCHEMA}, list(taken.left))
    for name in ("items", "sites"):
        made.tables[name] = _once(made.tables.get(name, _empty(name)), SCHEMA[name].keys, made.left)
    if "ways" in found:
        made.tables["lanes"], made.tables["item_lanes"] = lanes_of(found["ways"], made.tables["items"], made.left)
    made.history = found.get("history")
    _demand(made, start)
    _horizon(made, start)
    _channels(made, assume.get("channel", {}))
    _fulfilment(made)
    _prices(made, found.get("worth"), assume)
    _supply(made, found.get("supply"), start)
    _kinds(made)
    _quanta(made)
    for name in ("stock_policies", "lots", "fulfilment", "orders", "receipts", "prices"):
        if name in made.tables:
            made.tables[name] = _once(made.tables[name], SCHEMA[name].keys, made.left)
    return made


def _empty(name: str) -> Rows:
    return pd.DataFrame(columns=[*SCHEMA[name].names, TABLE, ROW], dtype=object)


def _once(rows: Rows, keys: list[str], left: list[Left]) -> Rows:
    """The first row of each key; a later one of the same table is told, one of another table says the same thing again."""
    again = rows.duplicated(keys)
    for table, more in rows[again].groupby(TABLE, sort=False):
        mine = rows[~again & (rows[TABLE] == table)]
        twice = pd.MultiIndex.from_frame(more[keys]).isin(pd.MultiIndex.from_frame(mine[keys]))
        if twice.any():
            why = f"says again what an earlier row says of the same {', '.join(keys)}"
            left.append(Left(str(table), more.loc[twice, ROW].tolist(), why))
    return rows[~again].reset_index(drop=True)


def _demand(made: Filled, start: dt.date) -> None:
    """Forecasts by day; last year's sales where there is no demand to come."""
    rows = made.tables.get("forecasts")
    if rows is not None:
        made.tables["forecasts"] = spread(rows, start, made.left)
    orders = made.tables.get("orders")
    if (rows is not None and len(made.tables["forecasts"])) or (orders is not None and len(orders)):
        return
    if made.history is not None and len(again := naive(made.history, start, LEAST_DAYS)):
        made.tables["forecasts"] = again
        made.assumed.append(
            f"forecasts: the export holds no demand from {start} on, so each day of the horizon expects what was sold 52 weeks before; "
            "better ones: allocator forecast history/sales.csv (docs/forecast.md)"
        )


def _horizon(made: Filled, start: dt.date) -> None:
    days = [
        made.tables[name][column]
        for name, column in (("forecasts", "date"), ("orders", "due_date"))
        if name in made.tables
    ]
    last = max((column.max() for column in days if len(column)), default="")
    try:
        ahead = (dt.date.fromisoformat(last) - start).days + 1
    except ValueError:
        ahead = LEAST_DAYS
    made.horizon = min(max(ahead, LEAST_DAYS), MOST_DAYS)
    if ahead > made.horizon:
        made.assumed.append(
            f"horizon_days = {made.horizon}: demand goes on to {last}; what is later waits for a longer horizon"
        )


def _asked(made: Filled) -> Rows:
    """Channel and zone of all demand."""
    parts = [made.tables[name][["channel", "zone"]] for name in ("forecasts", "orders") if name in made.tables]
    return pd.concat(parts).drop_duplicates() if parts else pd.DataFrame({"channel": [], "zone": []}, dtype=object)


def _channels(made: Filled, values: Mapping[str, Any]) -> None:
    rows = made.tables.get("channels", _empty("channels"))
    named = [_asked(made)["channel"], made.tables.get("fulfilment", _empty("fulfilment"))["channel"]]
    new = sorted(set(pd.concat(named)) - set(rows["channel"]) - {""})
    if new:
        more = pd.DataFrame({"channel": new, TABLE: "", ROW: 0})
        for name in values.keys() - {"about"}:
            more[name] = str(values[name])
        made.tables["channels"] = pd.concat([rows, more], ignore_index=True).fillna("")
        made.assumed.append(f"channels {', '.join(new)}: {values['about']}")


def _fulfilment(made: Filled) -> None:
    """A zone that is a site is served from that site."""
    rows = made.tables.get("fulfilment", _empty("fulfilment"))
    asked = _asked(made)
    served = pd.MultiIndex.from_frame(rows[["channel", "zone"]])
    open_zones = asked[~pd.MultiIndex.from_frame(asked).isin(served) & asked["zone"].isin(made.tables["sites"]["site"])]
    if len(open_zones):
        more = open_zones.copy()
        more["site"], more[TABLE], more[ROW] = open_zones["zone"], "", 0
        made.tables["fulfilment"] = pd.concat([rows, more], ignore_index=True).fillna("")
        made.assumed.append("fulfilment: demand at a site is served from that site alone, on the same day")


def _prices(made: Filled, worth: Rows | None, assume: Mapping[str, Any]) -> None:
    if "channels" not in made.tables or worth is None:
        return
    rows = _once(worth, ["item"], made.left)
    known = made.tables.get("prices", _empty("prices"))
    channels = made.tables["channels"][["channel"]]
    late = float(assume.get("late", 0.0))
    margin = numbers(rows["margin"]).fillna(0.0)
    cost = _of_items(made, "unit_cost", rows["item"])
    nothing = (margin <= 0).to_numpy()
    margin = margin.where(~nothing, cost.fillna(0.0))
    margin = margin.where(margin > 0, 1.0)
    if nothing.any():
        made.assumed.append(
            f"prices: {int(nothing.sum())} items have no price above their cost; serving a unit is worth its unit cost (1 where that is 0)"
        )
    if late:
        made.assumed.append(
            f"prices: a unit lost, or a unit and day late, costs {late:g} of its margin where the export says nothing"
        )
    unmet = numbers(rows.get("unmet_cost", pd.Series("", index=rows.index))).fillna(margin * late)
    each = pd.DataFrame(
        {
            "item": rows["item"],
            "margin": written(margin),
            "unmet_cost": written(unmet),
            TABLE: rows[TABLE],
            ROW: rows[ROW],
        }
    )
    every = each.merge(channels, how="cross")
    new = ~pd.MultiIndex.from_frame(every[["item", "channel"]]).isin(
        pd.MultiIndex.from_frame(known[["item", "channel"]])
    )
    made.tables["prices"] = pd.concat([known, every[new]], ignore_index=True).fillna("")


def _of_items(made: Filled, column: str, items: pd.Series) -> pd.Series:
    """A figure of each of some items (n,), NaN where there is none."""
    known = made.tables["items"].set_index("item").get(column, pd.Series(dtype=object))
    return numbers(known.reindex(items).fillna("").reset_index(drop=True))


def _supply(made: Filled, supply: Rows | None, start: dt.date) -> None:
    """What suppliers can deliver, as a lot of each item at the supplier: as much as is asked for in all, where no quantity is given."""
    if supply is None:
        return
    rows = _once(supply, ["item", "site"], made.left)
    asked = _total(made)
    size = rows.get("pack_size", pd.Series("", index=rows.index))
    given = numbers(rows.get("quantity", pd.Series("", index=rows.index)))
    enough = pack(rows["item"].map(asked).fillna(0.0) + numbers(size).fillna(0.0), size)
    quantity = rows.get("quantity", enough).mask(given.isna(), enough)
    lots = pd.DataFrame({"lot": "supply", "item": rows["item"], "site": rows["site"], "quantity": quantity})
    days = _of_items(made, "shelf_life_days", rows["item"])
    fresh = days.map(lambda n: "" if np.isnan(n) else (start + dt.timedelta(days=int(n) + MOST_DAYS)).isoformat())
    lots = lots.assign(
        received_date=start.isoformat(), expiry_date=fresh.to_numpy(), **{TABLE: rows[TABLE], ROW: rows[ROW]}
    )
    lots = lots[numbers(lots["quantity"]) > 0]
    made.tables["lots"] = pd.concat([made.tables.get("lots", _empty("lots")), lots], ignore_index=True).fillna("")
    if given.isna().any():
        made.assumed.append(
            f"lots at suppliers: {int(given.isna().sum())} items and suppliers have no limit in the export; each has a lot 'supply' as large as all "
            "demand and safety stock of the item (put in what they can really deliver)"
        )


def _total(made: Filled) -> pd.Series[float]:
    """All that is asked for of each item: forecasts, orders, safety stocks. [units]"""
    parts = [
        pd.Series(numbers(rows[column]).fillna(0.0).to_numpy(), index=rows["item"])
        for name, column in (("forecasts", "mean"), ("orders", "quantity"), ("stock_policies", "safety_stock"))
        if (rows := made.tables.get(name)) is not None and column in rows.columns
    ]
    return pd.concat(parts).groupby(level=0).sum() if parts else pd.Series(dtype=float)


def _kinds(made: Filled) -> None:
    """Sites of unknown kind: one that ships on is a dc, another a store."""
    sites, lanes = made.tables["sites"], made.tables.get("lanes", _empty("lanes"))
    kind = sites.get("kind", pd.Series("", index=sites.index))
    unknown = ~kind.isin(["supplier", "plant", "dc", "store"])
    sites["kind"] = kind.where(~unknown, sites["site"].isin(lanes["origin"]).map({True: "dc", False: "store"}))
    if unknown.any():
        made.assumed.append(
            f"sites: {int(unknown.sum())} sites have no kind in the export; those that ship on are a dc, the others a store"
        )
    supplier = sites["kind"] == "supplier"
    sites["holding_rate"] = sites.get("holding_rate", pd.Series("", index=sites.index)).mask(supplier, "0")


def _quanta(made: Filled) -> None:
    """Items that are counted in fractions anywhere are continuous."""
    broken: set[str] = set()
    for name in ("lots", "orders", "receipts"):
        rows = made.tables.get(name)
        if rows is not None and len(rows):
            quantity = numbers(rows["quantity"])
            broken |= set(rows.loc[(quantity != np.floor(quantity)) & quantity.notna(), "item"])
    items = made.tables["items"]
    stated = items.get("quantum", pd.Series("", index=items.index))
    items["quantum"] = stated.mask((stated == "") & items["item"].isin(broken), "0")
    if broken:
        made.assumed.append(
            f"items: {len(broken)} items have fractions of a unit in stock or orders, so they move in any quantity (quantum = 0)"
        )
