"""Ways that single items may take, made into lanes and what lanes ask of items."""

from __future__ import annotations

import numpy as np
import pandas as pd

from allocator.init.mapping import ROW, TABLE, Left, Rows
from allocator.init.units import numbers, written

CATEGORY = "category:"
_PAIR = ["origin", "destination"]
_LANE = [*_PAIR, "mode"]
_ASKED = ["pack_size", "min_quantity", "cost_per_unit"]


def lanes_of(ways: Rows, items: Rows, left: list[Left]) -> tuple[Rows, Rows]:
    """Lanes, and rows of item_lanes that open them to the items they were given for and close them to all others.

    Parameters
    ----------
    ways : DataFrame
        item (blank: all; or ``category:NAME``), origin, destination, mode, lead_time_days, cost_per_unit, pack_size, min_quantity: all text.
    items : DataFrame
        item, category.
    left : list of Left
        Told here what is not carried over.

    Returns
    -------
    (DataFrame, DataFrame)
        lanes and item_lanes.
    """
    ways = _complete(ways)
    ways = _one_lead_time_a_lane(ways)
    again = ways.duplicated([*_LANE, "item"])
    for table, rows in ways[again].groupby(TABLE, sort=False):
        left.append(Left(str(table), rows[ROW].tolist(), "says again what an earlier row says of the same way"))
    ways = ways[~again]
    whole = ways["item"] == ""
    lanes = ways.sort_values("item", kind="stable").drop_duplicates(_LANE).copy()
    lanes["cost_per_unit"] = lanes["cost_per_unit"].where(lanes["item"] == "", "")
    asked = ways[~whole]
    shut = _closed(ways, items)
    rows = pd.concat([asked.assign(allowed="true"), shut], ignore_index=True)
    general = ways[whole & (ways[["pack_size", "min_quantity"]] != "").any(axis=1)]
    rows = pd.concat([rows, _for_all(general, items, rows)], ignore_index=True)
    return (
        lanes[[*_LANE, "lead_time_days", "cost_per_unit", TABLE, ROW]].reset_index(drop=True),
        rows[["item", *_LANE, *_ASKED, "allowed", TABLE, ROW]],
    )


def _complete(ways: Rows) -> Rows:
    for column in ("item", *_LANE, "lead_time_days", *_ASKED):
        if column not in ways.columns:
            ways[column] = ""
    ways[[*_ASKED, "lead_time_days"]] = ways[[*_ASKED, "lead_time_days"]].fillna("")
    ways["mode"] = ways["mode"].fillna("").mask(lambda mode: mode == "", "standard")
    for column in ("pack_size", "min_quantity"):  # 0 and less ask nothing
        ways[column] = ways[column].mask(numbers(ways[column]) <= 0, "")
    return ways


def _one_lead_time_a_lane(ways: Rows) -> Rows:
    """Where items need different times between two sites, each time is a mode of its own; the commonest keeps the name."""
    days = ways["lead_time_days"].mask(ways["lead_time_days"] == "", "0")
    counted = (
        ways.assign(lead_time_days=days).groupby([*_LANE, "lead_time_days"], sort=False).size().reset_index(name="n")
    )
    counted = counted.sort_values([*_LANE, "n", "lead_time_days"], ascending=[True, True, True, False, True])
    first = counted.drop_duplicates(_LANE).set_index(_LANE)["lead_time_days"]
    usual = first.reindex(pd.MultiIndex.from_frame(ways[_LANE])).to_numpy()
    other = days.to_numpy() != usual
    mode = ways["mode"].where(~other, ways["mode"] + " " + days + "d")
    return ways.assign(lead_time_days=days, mode=mode)


def _closed(ways: Rows, items: Rows) -> Rows:
    """Rows that close lanes given for single items to every other item; whole categories at once where none of theirs is open."""
    category = items["category"] if "category" in items.columns else pd.Series("", index=items.index)
    known = pd.DataFrame({"item": items["item"], "category": category}).drop_duplicates("item")
    groups = sorted(set(known["category"]) - {""})
    loose = known.loc[known["category"] == "", "item"].to_numpy()
    made = []
    for lane, rows in ways.groupby(_LANE, sort=False):
        named = set(rows["item"])
        if "" in named:
            continue
        open_groups = {name.removeprefix(CATEGORY) for name in named if name.startswith(CATEGORY)}
        names = [CATEGORY + group for group in groups if group not in open_groups]
        # a category that is mixed is closed as a whole too: its open items have rows of their own, which win
        names += [name for name in loose if name not in named]
        made.append(pd.DataFrame({"item": names, **dict(zip(_LANE, lane, strict=True))}))
    shut = pd.concat(made, ignore_index=True) if made else pd.DataFrame(columns=["item", *_LANE])
    for column in (*_ASKED, TABLE):
        shut[column] = ""
    shut["allowed"], shut[ROW] = "false", 0
    return shut


def _for_all(general: Rows, items: Rows, stated: Rows) -> Rows:
    """What a lane asks of all items, as a row for each item that has none there."""
    if general.empty:
        return general.assign(allowed="")
    every = general.drop(columns="item").merge(items[["item"]].drop_duplicates(), how="cross")
    told = pd.MultiIndex.from_frame(stated[["item", *_LANE]])
    new = ~pd.MultiIndex.from_frame(every[["item", *_LANE]]).isin(told)
    return every[new].assign(allowed="", cost_per_unit="")


def pack(quantity: pd.Series[float], size: pd.Series[str]) -> pd.Series[str]:
    """Quantities rounded up to whole packs."""
    sizes = numbers(size).fillna(1.0).clip(lower=1.0)
    return written(pd.Series(np.ceil(quantity / sizes - 1e-9) * sizes, index=quantity.index))
