"""The real Iowa tables, and what follows from them alone: weekly means, order weekdays, packs."""

from dataclasses import dataclass
from pathlib import Path

import pandas as pd

ROOT = Path(__file__).parents[1]
START = pd.Timestamp("2019-10-07")  # a Monday
DAYS, WEEKS_BEFORE = 14, 26
MAIN, LOCAL, MAKERS = "ANKENY", "CEDAR-RAPIDS", "MAKERS"
PLACE = {MAKERS: (41.5868, -93.6250), MAIN: (41.7318, -93.6001), LOCAL: (41.9180, -91.6790)}
DIRECT = ["2509", "2552", "2647"]  # big stores that Ankeny also serves itself
BULK, CORNER = "3773", "4637"  # a distributor supplied on call from Ankeny; a shop without a back room
PICKUP = ["2588", "2647", "3385"]  # stores that also pick online orders
SHELF_LIFE = {"COCKTAILS/RTD": 270, "WHISKEY LIQUEUR": 365}  # days, stated
SHORT = ["11788", "36308", "38177", "48105", "64865", "58838"]  # items the makers can't supply in full
COCKTAIL = "58838"  # taken for its shelf life, though it sells less than the others
ITEMS = 41  # of the 60 real items: those ordered most often
LEAST = 0.05  # units a day; less is not forecast
ONLINE_SHARE = 0.06


@dataclass(frozen=True)
class Source:
    """The real tables, and what follows from them alone.

    Parameters
    ----------
    items, stores, orders : DataFrame
        As published, codes as text.
    weekly : DataFrame
        item, store, mean and std of bottles a week over the weeks before the start.
    weekdays : DataFrame
        store, weekday, share: the weekdays on which a store orders and how much of its volume each takes.
    volume : Series
        [m3/bottle] by item: twice the liquid, for glass and carton.
    """

    items: pd.DataFrame
    stores: pd.DataFrame
    orders: pd.DataFrame
    weekly: pd.DataFrame
    weekdays: pd.DataFrame
    volume: pd.Series


def read(folder: Path) -> Source:
    """Read the source and reduce the 26 weeks before the start to weekly figures."""
    text = {"item": str, "store": str, "zip": str}
    items, stores = (pd.read_csv(folder / f"{name}.csv", dtype=text) for name in ("items", "stores"))
    orders = pd.read_csv(folder / "orders.csv", dtype=text, parse_dates=["date"])
    often = set(orders["item"].value_counts().index[:ITEMS]) | set(
        items.loc[items["category"] == "COCKTAILS/RTD", "item"]
    )
    items, orders = items[items["item"].isin(often)], orders[orders["item"].isin(often)]
    weeks = (orders["date"] - START).dt.days // 7
    past = orders[(weeks < 0) & (weeks >= -WEEKS_BEFORE)].assign(week=weeks, weekday=orders["date"].dt.day_of_week)
    table = past.pivot_table(index=["item", "store"], columns="week", values="bottles", aggfunc="sum", fill_value=0)
    weekly = pd.DataFrame({"mean": table.mean(axis=1), "std": table.std(axis=1, ddof=1)})
    seldom = (table > 0).sum(axis=1) < 3
    weekly = weekly[(weekly["mean"] >= 7 * LEAST) & ~seldom].reset_index()
    # A weekday counts when the store ordered on it in at least six of the 26 weeks; holidays shift the odd order.
    usual = past.groupby(["store", "weekday"]).agg(days=("date", "nunique"), bottles=("bottles", "sum")).reset_index()
    usual = usual[usual["days"] >= 6]
    usual["share"] = usual["bottles"] / usual.groupby("store")["bottles"].transform("sum")
    volume = (items.set_index("item")["bottle_ml"] * 2e-6).round(6)
    return Source(items, stores, orders, weekly, usual[["store", "weekday", "share"]], volume)


def packs(source: Source) -> pd.Series:
    """Give the pack a store takes: the case, or the inner pack where under 60 % of the real lines are whole cases."""
    table = source.items.set_index("item")
    lines = source.orders.assign(case=source.orders["item"].map(table["pack"]))
    whole = (lines["bottles"] % lines["case"] == 0).groupby(lines["item"]).mean()
    inner = table["inner_pack"].where(table["pack"] % table["inner_pack"] == 0, 1)
    return table["pack"].where(whole >= 0.6, inner)
