"""What the Iowa network states about stock: opening lots, receipts, expiry, policies; and the load that follows."""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from iowa_source import DAYS, LOCAL, MAIN, MAKERS, ONLINE_SHARE, SHELF_LIFE, SHORT, START, Source


@dataclass(frozen=True)
class Stock:
    """Opening stock and receipts, [bottles].

    Parameters
    ----------
    at_store : DataFrame
        item, store, quantity.
    at : dict of str to Series
        By warehouse (and the makers), quantity by item.
    receipts : DataFrame
        The receipts table.
    """

    at_store: pd.DataFrame
    at: dict[str, pd.Series]
    receipts: pd.DataFrame


def stock(source: Source) -> Stock:
    """State the stock: stores hold part of a week, Cedar Rapids about its Monday, Ankeny and the makers the rest."""
    random = np.random.default_rng(2019)
    case = source.items.set_index("item")["pack"]
    store = source.weekly[["item", "store"]].copy()
    share = random.uniform(0.1, 0.9, len(store))
    store["quantity"] = np.floor(source.weekly["mean"] * share + 0.5).astype(int)
    week = source.weekly.groupby("item")["mean"].sum().reindex(case.index, fill_value=0.0) * (1 + ONLINE_SHARE)

    def cases(weeks: float, spread: float) -> pd.Series:
        drawn = week * weeks * random.uniform(1 - spread, 1 + spread, len(week))
        return ((drawn / case).round().clip(lower=1) * case).astype(int)

    at = {LOCAL: cases(0.55, 0.45), MAIN: cases(0.6, 0.4), MAKERS: cases(2.0, 0.1)}
    short = at[MAKERS].index.isin(SHORT)
    at[MAKERS] = at[MAKERS].where(~short, (at[MAKERS] * 0.2 / case).round().astype(int) * case)
    coming = cases(0.35, 0.3)
    day = random.choice([1, 2, 3, 4, 7, 8], len(case))
    site = np.where(random.random(len(case)) < 0.3, LOCAL, MAIN)
    receipts = pd.DataFrame({"item": case.index, "site": site, "quantity": coming.to_numpy()})
    receipts["date"] = START + pd.to_timedelta(day, unit="D")
    receipts = receipts[~receipts["item"].isin(SHORT) & (random.random(len(case)) < 0.6)]
    receipts.insert(0, "receipt", [f"PO-{k:04d}" for k in range(1, len(receipts) + 1)])
    return Stock(store[store["quantity"] > 0], at, receipts)


def lots(source: Source, held: Stock) -> pd.DataFrame:
    """Split the warehouses' stock into two lots an item; items with a shelf life get an expiry, some of it close."""
    random = np.random.default_rng(1007)
    case = source.items.set_index("item")["pack"]
    life = source.items.set_index("item")["category"].map(SHELF_LIFE)
    rows = [
        (item, site, quantity, wanted)
        for site, by_item in held.at.items()
        for item, whole in by_item.items()
        for old in [int(round(whole * 0.3 / case[item]) * case[item]) if site != MAKERS else 0]
        for quantity, wanted in ((old, "old"), (whole - old, "new"))
        if quantity > 0
    ]
    table = pd.DataFrame(rows, columns=["item", "site", "quantity", "kind"])
    table = pd.concat([table, held.at_store.rename(columns={"store": "site"}).assign(kind="store")], ignore_index=True)
    life_of = table["item"].map(life)
    # Days left: an older lot dies within the horizon or has too little life for online; a newer one has plenty.
    left = {"old": random.integers(3, 24, len(table)), "store": random.integers(8, 120, len(table))}
    plenty = (life_of.fillna(0) * random.uniform(0.6, 0.9, len(table))).astype(int)
    days = np.select([table["kind"] == kind for kind in left], list(left.values()), plenty)
    received = np.where(life_of.notna(), days - life_of.fillna(0), -random.integers(3, 60, len(table)))
    table["received_date"] = START + pd.to_timedelta(received, unit="D")
    table["expiry_date"] = (START + pd.to_timedelta(days, unit="D")).where(life_of.notna())
    table = table.sort_values(["item", "site", "received_date", "kind"], ignore_index=True)
    table["status"] = "available"
    table.loc[(table["site"] == LOCAL) & (table["item"] == "43028") & (table["kind"] == "old"), "status"] = "quarantine"
    table.insert(0, "lot", [f"L{k:05d}" for k in range(1, len(table) + 1)])
    return table[["lot", "item", "site", "quantity", "received_date", "expiry_date", "status"]]


def stock_policies(source: Source) -> pd.DataFrame:
    """Say which store carries what, with a presentation minimum for the bigger sellers and safety stock upstream."""
    weekly = source.weekly
    pairs = source.items[["item"]].merge(source.stores[["store"]], how="cross")
    rows = pairs.merge(weekly, on=["item", "store"], how="left").rename(columns={"store": "site"})
    rows["carried"] = rows["mean"].notna()
    rows["min_stock"] = np.where(rows["mean"] >= 12, 3, np.where(rows["mean"] >= 6, 1, 0))
    rows["safety_stock"] = (rows["mean"].where(rows["mean"] >= 20).fillna(0) * 0.15).round().astype(int)
    rows["max_stock"] = (rows["mean"] * 4).round().where(rows["site"].isin(["3666", "3707", "4636"])).clip(lower=12)
    upstream = weekly.groupby("item")["mean"].sum().mul(0.08).round().astype(int).rename("safety_stock").reset_index()
    upstream = upstream.assign(site=LOCAL, carried=True, min_stock=0)
    table = pd.concat([rows, upstream])[["item", "site", "carried", "min_stock", "safety_stock", "max_stock"]]
    table["max_stock"] = table["max_stock"].astype("Int64")
    plain = table["carried"] & (table["min_stock"] == 0) & (table["safety_stock"] == 0) & table["max_stock"].isna()
    return table[~plain].assign(carried=lambda t: t["carried"].map({True: "true", False: "false"}))


@dataclass(frozen=True)
class Load:
    """The volume the network should expect, [m3].

    Parameters
    ----------
    by_day : Series
        What leaves Cedar Rapids on each date to stores and online, less what the stores already hold in week one.
    by_store : Series
        A week's volume by store.
    """

    by_day: pd.Series
    by_store: pd.Series

    @property
    def monday(self) -> float:
        """The first Monday's volume."""
        return float(self.by_day.iloc[0])

    @property
    def cover(self) -> float:
        """What must stand ready on the second Monday morning."""
        return float(self.by_day.loc[START + pd.Timedelta(days=7)])


def expected(source: Source, forecast: pd.DataFrame, held: Stock) -> Load:
    """Reckon the load from the forecasts and the stores' stock."""
    rows = forecast.assign(volume=forecast["mean"] * forecast["item"].map(source.volume))
    stock = held.at_store.rename(columns={"store": "zone"}).assign(volume=lambda t: t["item"].map(source.volume))
    first = rows[(rows["channel"] == "store") & (rows["date"] < START + pd.Timedelta(days=7))]
    first = first.drop_duplicates(["item", "zone"]).merge(stock, on=["item", "zone"], suffixes=("", "_unit"))
    spared = first.assign(volume=np.minimum(first["mean"], first["quantity"]) * first["volume_unit"])
    by_day = rows.groupby("date")["volume"].sum().sub(spared.groupby("date")["volume"].sum(), fill_value=0.0)
    by_store = rows[rows["channel"] == "store"].groupby("zone")["volume"].sum() * 7 / DAYS
    return Load(by_day, by_store)
