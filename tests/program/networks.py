"""Small networks that between them use every law of the model."""

from collections.abc import Callable
from pathlib import Path

BASE: dict[str, str] = {
    "network.toml": 'name = "small"\ncurrency = "EUR"\nstart = 2026-03-02\nhorizon_days = 4\ncommit_days = 2\n',
    "items.csv": (
        "item,quantum,unit_cost,unit_volume,shelf_life_days\nmilk,1,2.0,0.01,\nbolt,1,0.5,0.002,\nbulk,0,1.0,0.05,\n"
    ),
    "sites.csv": (
        "site,kind,holding_rate,storage_volume,inbound_volume,outbound_volume,outbound_units\n"
        "DC,dc,0.2,,,,\nS1,store,0.3,,,,\nS2,store,0.3,,,,\n"
    ),
    "lanes.csv": (
        "origin,destination,mode,lead_time_days,cost_per_unit,cost_per_m3,cost_per_shipment,vehicle_volume,daily_volume,departs,method\n"
        "DC,S1,standard,1,0.10,1.0,,,,1111111,auto\n"
        "DC,S2,standard,0,0.15,1.0,,,,1111111,auto\n"
        "S1,S2,standard,1,0.30,2.0,,,,1011111,auto\n"
    ),
    "channels.csv": (
        "channel,priority,unmet,max_wait_days,min_remaining_life_days\nwalk,1,lost,0,0\nweb,1,backorder,2,1\n"
    ),
    "fulfilment.csv": (
        "site,channel,zone,delivery_days,cost_per_unit\n"
        "S1,walk,S1,0,0\nS2,walk,S2,0,0\nDC,web,north,1,0.4\nS1,web,north,0,0.6\n"
    ),
    "prices.csv": (
        "item,channel,margin,unmet_cost\n"
        "milk,walk,1.5,0.5\nmilk,web,2.0,0.2\nbolt,walk,0.8,0.3\nbolt,web,1.0,0.1\nbulk,walk,1.1,0.4\n"
    ),
    "forecasts.csv": "item,channel,zone,date,mean\n"
    + "".join(
        f"{item},{channel},{zone},2026-03-0{2 + day},{mean}\n"
        for item, channel, zone, mean in (
            ("milk", "walk", "S1", 4),
            ("milk", "walk", "S2", 3.4),
            ("milk", "web", "north", 2),
            ("bolt", "walk", "S1", 5),
            ("bolt", "walk", "S2", 2.6),
            ("bolt", "web", "north", 1),
            ("bulk", "walk", "S2", 1.25),
        )
        for day in range(4)
    ),
    "lots.csv": (
        "lot,item,site,quantity,received_date,expiry_date,status\n"
        "M1,milk,DC,14,2026-02-20,2026-03-03,available\n"
        "M2,milk,DC,9,2026-02-25,2026-03-09,available\n"
        "M3,milk,S1,3,2026-02-25,2026-03-02,available\n"
        "B1,bolt,DC,26,2026-01-10,,available\n"
        "B2,bolt,S1,2,2026-01-10,,available\n"
        "K1,bulk,DC,3.5,2026-01-10,,available\n"
    ),
    "receipts.csv": "receipt,item,site,date,quantity,lot,expiry_date\nR1,bolt,DC,2026-03-04,6,,\n",
}

Change = Callable[[dict[str, str]], None]


def _add(name: str, text: str) -> Change:
    def change(files: dict[str, str]) -> None:
        files[name] = text

    return change


def _replace(name: str, old: str, new: str) -> Change:
    def change(files: dict[str, str]) -> None:
        assert old in files[name]
        files[name] = files[name].replace(old, new)

    return change


def _together(*changes: Change) -> Change:
    def change(files: dict[str, str]) -> None:
        for one in changes:
            one(files)

    return change


ITEM_LANES = "item,origin,destination,mode,pack_size,min_quantity,cost_per_unit,method,allowed\n"
ORDERS = (
    "order,line,item,channel,zone,due_date,quantity,priority,unmet_cost\n"
    "O1,1,milk,web,north,2026-03-03,3,,\n"
    "O2,1,bolt,walk,S1,2026-03-04,7,,\n"
    "O3,1,bolt,web,north,2026-03-05,2,1,5\n"
)

CHANGES: dict[str, Change] = {
    "plain": lambda files: None,
    "packs": _add("item_lanes.csv", ITEM_LANES + "bolt,DC,S1,standard,4,,,,\nmilk,DC,S2,standard,3,,,,\n"),
    "minimum": _add("item_lanes.csv", ITEM_LANES + "bolt,DC,S1,standard,,6,,,\nbolt,DC,S2,standard,2,4,0.05,,\n"),
    "closed": _add("item_lanes.csv", ITEM_LANES + "bolt,DC,S2,standard,,,,,false\n"),
    "vehicles": _replace(
        "lanes.csv",
        "DC,S1,standard,1,0.10,1.0,,,,1111111,auto",
        "DC,S1,standard,1,0.10,1.0,2.5,0.06,0.2,1111111,auto",
    ),
    "orders": _add("orders.csv", ORDERS),
    "pull": _together(
        _add("orders.csv", ORDERS),
        _replace("lanes.csv", "DC,S1,standard,1,0.10,1.0,,,,1111111,auto", "DC,S1,standard,1,0.1,1,,,,1111111,pull"),
    ),
    "jit": _replace(
        "lanes.csv", "DC,S2,standard,0,0.15,1.0,,,,1111111,auto", "DC,S2,standard,0,0.15,1.0,,,,1111111,jit"
    ),
    "capacities": _together(
        _replace("sites.csv", "DC,dc,0.2,,,,", "DC,dc,0.2,0.30,0.001,0.12,20"),
        _add("capacities.csv", "site,resource,date,volume\nDC,outbound,2026-03-03,0.05\nS1,storage,2026-03-04,0.02\n"),
    ),
    "policies": _add(
        "stock_policies.csv",
        "item,site,carried,min_stock,safety_stock,max_stock\n"
        "milk,S1,true,2,4,6\nbolt,S2,true,1,3.5,5\nbulk,S1,false,,,\nbolt,S1,true,,,4\n",
    ),
    "admission": _add(
        "admission_limits.csv",
        "channel,site,date,max_units,max_share\nweb,*,*,2,\nwalk,S1,2026-03-03,,0.5\nweb,DC,2026-03-04,1,0.25\n",
    ),
    "priority": _replace("channels.csv", "web,1,backorder", "web,2,backorder"),
    "locks": _add(
        "locks.csv",
        "lock,item,origin,destination,mode,date,kind,quantity,reason,planner\n"
        "L1,bolt,DC,S1,standard,2026-03-02,fix,5,event,ann\n"
        "L2,milk,DC,S2,standard,2026-03-02,min,40,event,ann\n"
        "L3,bolt,DC,S2,standard,2026-03-03,max,1,event,ann\n"
        "L4,bolt,DC,S1,standard,2026-03-05,min,2,late,ann\n",
    ),
    "fill": _replace("network.toml", "commit_days = 2\n", "commit_days = 2\n\n[min_fill]\nwalk = 0.9\n"),
    "buckets": _replace("network.toml", "commit_days = 2\n", "commit_days = 2\nbuckets = [1, 1, 2]\n"),
}
CASES = tuple(CHANGES)


def with_spread(files: dict[str, str]) -> None:
    """Forecasts say how demand spreads: by a std, by quantiles, by one quantile, and not at all."""
    head, *rows = files["forecasts.csv"].splitlines()
    told = []
    for number, row in enumerate(rows):
        mean = float(row.rpartition(",")[2])
        spread = (f"{mean * 0.7},,,", f",{mean * 0.4},{mean},{mean * 2.5}", f",,,{mean * 2}", ",,,", f"{mean * 0.2},,,")
        told.append(f"{row},{spread[number % len(spread)]}")
    files["forecasts.csv"] = "\n".join([head + ",std,p10,p50,p90", *told]) + "\n"


def write_case(
    case: str,
    folder: Path,
    outlooks: int = 1,
    common_factor: float = 0.0,
    spread: bool = True,
    change: Change | None = None,
) -> Path:
    """Write a case's network folder, for one outlook or several; ``change`` is made last."""
    files = dict(BASE)
    CHANGES[case](files)
    if change is not None:
        change(files)
    if outlooks > 1:
        if spread:
            with_spread(files)
        keys = f"outlooks = {outlooks}\nseed = 11\ncommon_factor = {common_factor}\n"
        files["network.toml"] = files["network.toml"].replace("commit_days = 2\n", f"commit_days = 2\n{keys}")
    network = folder / "network"
    network.mkdir(parents=True, exist_ok=True)
    for name, text in files.items():
        (network / name).write_text(text)
    return network
