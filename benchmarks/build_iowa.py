"""Build the demo network: `python benchmarks/build_iowa.py [SOURCE] [TARGET]` writes `scenarios/iowa`.

What is read is real: stores, items, packs, costs, retail prices, coordinates, orders. What these files state on top
(stock, lots, lead times, capacities, the online channel) is the network's own; its README says so.
"""

import sys
from pathlib import Path

import numpy as np
import pandas as pd
from iowa_source import (
    BULK,
    CORNER,
    DAYS,
    DIRECT,
    LEAST,
    LOCAL,
    MAIN,
    MAKERS,
    ONLINE_SHARE,
    PICKUP,
    PLACE,
    ROOT,
    SHELF_LIFE,
    START,
    Source,
    packs,
    read,
)
from iowa_stock import Load, expected, lots, stock, stock_policies


def forecasts(source: Source) -> pd.DataFrame:
    """Put each store's weekly mean on its order weekdays; online takes a share of each ZIP area, every day alike."""
    lumps = source.weekly.merge(source.weekdays, on="store")
    lumps["mean"] *= lumps["share"]
    lumps["std"] *= np.sqrt(lumps["share"])
    walk_in = pd.concat(lumps.assign(day=lumps["weekday"] + week) for week in range(0, DAYS, 7))
    walk_in = walk_in.rename(columns={"store": "zone"}).assign(channel="store")
    area = source.weekly.merge(source.stores[["store", "zip"]], on="store")
    rate = area.groupby(["item", "zip"])["mean"].sum().mul(ONLINE_SHARE / 7).reset_index()
    online = pd.concat(rate.assign(day=day) for day in range(DAYS))
    online = online.rename(columns={"zip": "zone"}).assign(channel="online", std=np.sqrt(online["mean"]))
    rows = pd.concat([walk_in, online[online["mean"] >= LEAST]])
    rows["date"] = START + pd.to_timedelta(rows["day"], unit="D")
    rows = rows[["item", "channel", "zone", "date", "mean", "std"]].round({"mean": 3, "std": 3})
    return rows.sort_values(["item", "channel", "zone", "date"])


def orders(source: Source, forecast: pd.DataFrame) -> pd.DataFrame:
    """Take the largest real order lines of the first days, where the forecast knows the item and store."""
    known = set(zip(forecast["item"], forecast["zone"], strict=True))
    rows = source.orders[(source.orders["date"] >= START) & (source.orders["date"] < START + pd.Timedelta(days=4))]
    rows = rows[[pair in known for pair in zip(rows["item"], rows["store"], strict=True)]]
    rows = rows.sort_values(["bottles", "item", "store"], ascending=[False, True, True]).groupby("store").head(2)
    rows = rows.head(16).sort_values(["date", "store", "item"]).assign(channel="store", zone=lambda t: t["store"])
    rows = rows.assign(order="IA-" + rows["date"].dt.strftime("%m%d-") + rows["store"])
    rows["line"] = (rows.groupby("order").cumcount() + 1).astype(str)
    rows = rows.rename(columns={"date": "due_date", "bottles": "quantity"})
    return rows[["order", "line", "item", "channel", "zone", "due_date", "quantity"]]


def items(source: Source) -> pd.DataFrame:
    """Give the real items; volume and weight follow from the bottle, shelf life is stated by category."""
    table = source.items
    return pd.DataFrame(
        {
            "item": table["item"],
            "description": table["description"],
            "category": table["category"],
            "quantum": 1,
            "unit_cost": table["bottle_cost"],
            "unit_volume": table["item"].map(source.volume),
            "unit_weight": (table["bottle_ml"] * 1.6e-3).round(3),
            "shelf_life_days": table["category"].map(SHELF_LIFE).astype("Int64"),
        }
    )


def lanes(source: Source) -> pd.DataFrame:
    """Give the lanes: makers to Ankeny, Ankeny and Cedar Rapids, same-day delivery on each store's order weekdays."""
    blank = {"mode": "standard", "daily_volume": np.nan, "method": "auto"}
    rows = [
        dict(blank, origin=MAKERS, destination=MAIN, lead_time_days=3, cost_per_m3=30, cost_per_shipment=250,
             vehicle_volume=8, departs="1111100"),
        dict(blank, origin=MAIN, destination=LOCAL, lead_time_days=1, cost_per_m3=14, cost_per_shipment=120,
             vehicle_volume=4, daily_volume=8, departs="1111100"),
        dict(blank, origin=LOCAL, destination=MAIN, lead_time_days=1, cost_per_m3=14, cost_per_shipment=120,
             vehicle_volume=4, daily_volume=8, departs="0100100"),
    ]  # fmt: skip
    days = source.weekdays.groupby("store")["weekday"].agg(set)
    for store in source.stores.itertuples():
        departs = "".join("1" if day in days[store.store] else "0" for day in range(7))
        north, east = 111.2 * (store.latitude - PLACE[LOCAL][0]), 82.7 * (store.longitude - PLACE[LOCAL][1])
        km = 8.0 if np.isnan(north) else float(np.hypot(north, east))
        method = "jit" if store.store == CORNER else "auto"
        rows.append(
            dict(blank, origin=LOCAL, destination=store.store, lead_time_days=0, departs=departs, method=method,
                 cost_per_m3=round(8 + 1.5 * km, 2), cost_per_shipment=9, vehicle_volume=1.2)
        )  # fmt: skip
        if store.store in [*DIRECT, BULK]:
            method = "pull" if store.store == BULK else "auto"
            rows.append(
                dict(blank, origin=MAIN, destination=store.store, lead_time_days=1, departs="1111100", method=method,
                     cost_per_m3=45, cost_per_shipment=60, vehicle_volume=2)
            )  # fmt: skip
    columns = ["origin", "destination", "mode", "lead_time_days", "cost_per_m3", "cost_per_shipment", "vehicle_volume"]
    return pd.DataFrame(rows)[[*columns, "daily_volume", "departs", "method"]]


def item_lanes(source: Source, lane: pd.DataFrame) -> pd.DataFrame:
    """Give whole cases between the warehouses, the store's pack into a store that carries the item."""
    case = source.items.set_index("item")["pack"]
    between = lane[lane["destination"].isin([MAIN, LOCAL])][["origin", "destination"]]
    upstream = between.merge(case.rename("pack_size").reset_index(), how="cross")
    down = lane[["origin", "destination"]].merge(
        source.weekly[["item", "store"]], left_on="destination", right_on="store"
    )
    down["pack_size"] = down["item"].map(packs(source)).where(down["destination"] != CORNER, 1)
    rows = pd.concat([upstream, down])
    return rows.loc[rows["pack_size"] > 1, ["item", "origin", "destination", "pack_size"]].sort_values(
        ["item", "origin", "destination"]
    )


def sites(source: Source, load: Load) -> pd.DataFrame:
    """Give the warehouses and the real stores; a few stores have a small back room."""
    warehouses = pd.DataFrame(
        {
            "site": [MAKERS, MAIN, LOCAL],
            "kind": ["supplier", "dc", "dc"],
            "holding_rate": [0.0, 0.2, 0.22],
            "storage_volume": [np.nan, 60.0, round(0.9 * load.cover, 2)],
            "inbound_volume": [np.nan, 12.0, round(0.65 * load.cover, 2)],
            "outbound_volume": [np.nan, 12.0, round(2 * load.monday, 2)],
            "latitude": [PLACE[site][0] for site in (MAKERS, MAIN, LOCAL)],
            "longitude": [PLACE[site][1] for site in (MAKERS, MAIN, LOCAL)],
        }
    )
    stores = source.stores[["store", "latitude", "longitude"]].rename(columns={"store": "site"})
    room = load.by_store.rank(ascending=False) <= 6
    stores = stores.assign(kind="store", holding_rate=0.25)
    stores["storage_volume"] = stores["site"].map((0.8 * load.by_store[room]).round(2))
    return pd.concat([warehouses, stores])


def capacities(load: Load) -> pd.DataFrame:
    """Tighten Cedar Rapids' dock on the busy days to around the expected load, and stocktaking closes Ankeny's."""
    share = {0: 1.02, 2: 0.95, 3: 1.05, 7: 0.93, 9: 1.0}
    rows = [(LOCAL, "outbound", day, round(part * float(load.by_day.iloc[day]), 2)) for day, part in share.items()]
    rows += [(MAIN, "outbound", 4, 1.5), (LOCAL, "inbound", 8, 1.0)]
    table = pd.DataFrame(rows, columns=["site", "resource", "day", "volume"])
    table.insert(2, "date", START + pd.to_timedelta(table.pop("day"), unit="D"))
    return table.sort_values(["site", "resource", "date"])


def trade(source: Source) -> dict[str, pd.DataFrame]:
    """Give channels, service arcs, prices and admission limits."""
    areas = sorted(source.stores["zip"].unique())
    own = source.stores["store"]
    area_of = source.stores.set_index("store")["zip"]
    reach = [(LOCAL, areas, 1, 0.3), (MAIN, areas, 2, 0.5), *((store, [area_of[store]], 0, 0.2) for store in PICKUP)]
    walk_in = pd.DataFrame({"site": own, "channel": "store", "zone": own, "delivery_days": 0, "cost_per_unit": 0.0})
    online_arcs = [
        pd.DataFrame({"site": site, "channel": "online", "zone": zones, "delivery_days": days, "cost_per_unit": cost})
        for site, zones, days, cost in reach
    ]
    margin = (source.items["bottle_retail"] - source.items["bottle_cost"]).round(2)
    prices = pd.DataFrame({"item": source.items["item"], "channel": "store", "margin": margin, "unmet_cost": 0.0})
    prices["unmet_cost"] = (0.2 * source.items["bottle_cost"]).round(2)
    online = prices.assign(channel="online", unmet_cost=(0.05 * source.items["bottle_cost"]).round(2))
    return {
        "channels": pd.DataFrame(
            [("store", 1, "lost", 0, 0), ("online", 2, "backorder", 3, 30)],
            columns=["channel", "priority", "unmet", "max_wait_days", "min_remaining_life_days"],
        ),
        "fulfilment": pd.concat([walk_in, *online_arcs]),
        "prices": pd.concat([prices, online]).sort_values(["item", "channel"]),
        "admission_limits": pd.DataFrame(
            [
                ("online", LOCAL, "*", 90, np.nan),
                ("online", LOCAL, "2019-10-12", 30, np.nan),
                ("online", "*", "*", np.nan, 0.3),
            ],
            columns=["channel", "site", "date", "max_units", "max_share"],
        ).astype({"max_units": "Int64"}),
    }


def locks() -> pd.DataFrame:
    """State two planners' decisions: a promised transfer and a stop on one delivery."""
    return pd.DataFrame(
        [
            ("K1", "64870", MAIN, LOCAL, START + pd.Timedelta(days=1), "min", 480, "tasting week, agreed",
             "J. Novak"),
            ("K2", "48105", LOCAL, "2552", START, "max", 24, "store asked for no more than a case", "J. Novak"),
        ],
        columns=["lock", "item", "origin", "destination", "date", "kind", "quantity", "reason", "planner"],
    )  # fmt: skip


def build(source: Source) -> dict[str, pd.DataFrame]:
    """Give every table of the network."""
    forecast, held, lane = forecasts(source), stock(source), lanes(source)
    load = expected(source, forecast, held)
    return {
        "items": items(source),
        "sites": sites(source, load),
        "lanes": lane,
        "item_lanes": item_lanes(source, lane),
        **trade(source),
        "forecasts": forecast,
        "orders": orders(source, forecast),
        "lots": lots(source, held),
        "receipts": held.receipts,
        "stock_policies": stock_policies(source),
        "capacities": capacities(load),
        "locks": locks(),
    }


def main() -> None:
    """Write the folder."""
    given = [Path(word) for word in sys.argv[1:]]
    folder = given[0] if given else ROOT.parent / "shared" / "data" / "iowa_liquor"
    target = given[1] if len(given) > 1 else ROOT / "scenarios" / "iowa"
    target.mkdir(parents=True, exist_ok=True)
    source = read(folder / "data" if (folder / "data").is_dir() else folder)
    for name, table in build(source).items():
        table.to_csv(target / f"{name}.csv", index=False, date_format="%Y-%m-%d", lineterminator="\n")
    (target / "network.toml").write_text(
        "#:schema ../../docs/schema/network.schema.json\n"
        'name = "Iowa spirits, Cedar Rapids"\ncurrency = "USD"\n'
        f"start = {START:%Y-%m-%d}\nhorizon_days = {DAYS}\ncommit_days = 1\nseed = 2019\n"
    )


if __name__ == "__main__":
    main()
