"""A small network with a good plan, worked out by hand.

Three sites, three items, two channels and four buckets, the last of two days.
"""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import pandas as pd

from allocator.tables import Tables, read_tables

TOML = """
name = "audit"
currency = "EUR"
start = 2026-01-05
horizon_days = 5
buckets = [1, 1, 1, 2]
commit_days = 2
change_cost = 0.01
[min_fill]
web = 0.95
"""

NETWORK = {
    "items": """
item,category,quantum,unit_cost,unit_volume
MILK,fresh,1,2,0.01
OIL,bulk,0,1,0.1
BOX,,1,10,0.5
""",
    "sites": """
site,kind,holding_rate,storage_volume,inbound_volume,outbound_volume,outbound_units
SUP,supplier,0.1,,,,
DC,dc,0.2,50,20,10,100
ST,store,0.2,0.6,5,10,
""",
    "lanes": """
origin,destination,mode,lead_time_days,cost_per_unit,cost_per_m3,cost_per_shipment,vehicle_volume,daily_volume,departs,method
SUP,DC,standard,1,0.1,1,5,1,10,1111100,auto
DC,ST,standard,0,0.2,0,0,,,1111111,auto
DC,ST,call,1,0.3,0,0,,,1111111,pull
SUP,DC,jit,1,0.15,0,0,,,1111111,jit
SUP,DC,sea,10,0.05,0,3,,5,1111111,auto
ST,DC,back,0,0.01,0,0,,,1111111,auto
""",
    "item_lanes": """
item,origin,destination,mode,pack_size,min_quantity,cost_per_unit,method,allowed
MILK,DC,ST,standard,6,,0.25,,
category:fresh,SUP,DC,standard,4,8,,,
BOX,DC,ST,standard,5,,,,
OIL,DC,ST,call,,,,,false
""",
    "channels": """
channel,priority,unmet,max_wait_days,min_remaining_life_days
store,2,lost,0,1
web,1,backorder,2,0
""",
    "fulfilment": """
site,channel,zone,delivery_days,cost_per_unit
ST,store,ST,0,0
DC,web,NORTH,1,0.5
ST,web,NORTH,1,0.9
""",
    "prices": """
item,channel,margin,unmet_cost
MILK,store,1.5,0.5
MILK,web,2,1
OIL,web,1,0.3
BOX,store,6,2
BOX,web,7,1
""",
    "forecasts": """
item,channel,zone,date,mean
MILK,store,ST,2026-01-05,4
MILK,store,ST,2026-01-06,4
MILK,store,ST,2026-01-07,4
MILK,store,ST,2026-01-08,4
MILK,store,ST,2026-01-09,4
OIL,web,NORTH,2026-01-05,1.25
OIL,web,NORTH,2026-01-06,1.25
OIL,web,NORTH,2026-01-07,1.25
OIL,web,NORTH,2026-01-08,1.25
OIL,web,NORTH,2026-01-09,1.25
BOX,store,ST,2026-01-05,0.4
BOX,store,ST,2026-01-06,0.4
BOX,store,ST,2026-01-07,0.4
BOX,store,ST,2026-01-08,0.4
BOX,store,ST,2026-01-09,0.4
BOX,web,NORTH,2026-01-05,3
""",
    "orders": """
order,line,item,channel,zone,due_date,quantity,priority,unmet_cost
O1,1,MILK,web,NORTH,2026-01-04,3,,
O2,1,MILK,web,NORTH,2026-01-06,5,0,4
O3,1,BOX,store,ST,2026-01-07,2,,
""",
    "lots": """
lot,item,site,quantity,received_date,expiry_date,status
L0,MILK,ST,5,2026-01-01,2026-01-06,available
L1,MILK,DC,20,2026-01-02,2026-01-08,available
L2,MILK,DC,20,2026-01-03,2026-01-20,available
L9,MILK,SUP,100,2025-12-20,2026-02-01,available
LB,MILK,DC,10,2026-01-02,2026-03-01,blocked
OL0,OIL,DC,2,2026-01-01,,available
OL1,OIL,SUP,100,2026-01-01,,available
BX1,BOX,DC,10,2026-01-01,,available
BX2,BOX,SUP,4,2026-01-01,,available
""",
    "receipts": """
receipt,item,site,date,quantity,lot,expiry_date
R1,MILK,DC,2026-01-07,6,,2026-01-30
""",
    "stock_policies": """
item,site,carried,min_stock,safety_stock,max_stock
MILK,DC,true,25.5,30,33.5
OIL,ST,false,0,0,
""",
    "admission_limits": """
channel,site,date,max_units,max_share
store,ST,*,10,
web,*,*,,1
web,DC,*,20,
web,*,2026-01-05,,0.7
""",
    "capacities": """
site,resource,date,volume
ST,inbound,2026-01-07,2
""",
    "locks": """
lock,item,origin,destination,mode,date,kind,quantity,reason,planner
K1,BOX,SUP,DC,standard,2026-01-06,min,4,fair,ann
K2,BOX,DC,ST,standard,2026-01-05,fix,1,display,ann
K3,MILK,SUP,DC,standard,2026-01-05,max,8,dock,bob
K4,BOX,SUP,DC,sea,2026-01-07,min,1,sample,bob
""",
}

# Lot moves of the plan; the horizon's dates are 05, 06, 07 and 08 (two days) January.
MOVES = """
lot,item,from,to,date,quantity,rule,for,arrive_date,expiry_date,received_date,mode,channel,claim
L9,MILK,SUP,DC,2026-01-05,8,FEFO,shipment,2026-01-06,2026-02-01,2025-12-20,standard,,
L1,MILK,DC,ST,2026-01-05,12,FEFO,shipment,2026-01-05,2026-01-08,2026-01-02,standard,,
L2,MILK,DC,ST,2026-01-08,8,FEFO,shipment,2026-01-08,2026-01-20,2026-01-03,standard,,
BX1,BOX,DC,ST,2026-01-05,1,FIFO,shipment,2026-01-05,,2026-01-01,standard,,
BX2,BOX,SUP,DC,2026-01-06,3,FIFO,shipment,2026-01-07,,2026-01-01,standard,,
BX1,BOX,DC,ST,2026-01-06,5,FIFO,shipment,2026-01-07,,2026-01-01,call,,
BX2,BOX,SUP,DC,2026-01-07,1,FIFO,shipment,2026-01-17,,2026-01-01,sea,,
OL1,OIL,SUP,DC,2026-01-06,0.25,FIFO,shipment,2026-01-07,,2026-01-01,jit,,
OL1,OIL,SUP,DC,2026-01-07,1,FIFO,shipment,2026-01-08,,2026-01-01,jit,,
L0,MILK,ST,ST,2026-01-05,4,FEFO,admission,,2026-01-06,2026-01-01,,store,forecast
L1,MILK,ST,ST,2026-01-06,4,FEFO,admission,,2026-01-08,2026-01-05,,store,forecast
L1,MILK,ST,ST,2026-01-07,4,FEFO,admission,,2026-01-08,2026-01-05,,store,forecast
L2,MILK,ST,ST,2026-01-08,8,FEFO,admission,,2026-01-20,2026-01-08,,store,forecast
L1,MILK,DC,NORTH,2026-01-05,3,FEFO,admission,,2026-01-08,2026-01-02,,web,firm
L1,MILK,DC,NORTH,2026-01-06,5,FEFO,admission,,2026-01-08,2026-01-02,,web,firm/priority=0/unmet_cost=4
OL0,OIL,DC,NORTH,2026-01-05,1.25,FIFO,admission,,,2026-01-01,,web,forecast
OL0,OIL,DC,NORTH,2026-01-06,0.75,FIFO,admission,,,2026-01-01,,web,forecast
OL1,OIL,DC,NORTH,2026-01-07,0.25,FIFO,admission,,,2026-01-07,,web,forecast
OL1,OIL,DC,NORTH,2026-01-08,1,FIFO,admission,,,2026-01-08,,web,forecast
BX1,BOX,ST,ST,2026-01-06,1,FIFO,admission,,,2026-01-05,,store,forecast
BX1,BOX,ST,ST,2026-01-07,2,FIFO,admission,,,2026-01-07,,store,firm
BX1,BOX,ST,NORTH,2026-01-07,3,FIFO,admission,,,2026-01-07,,web,forecast
L0,MILK,ST,,2026-01-06,1,FEFO,waste,,2026-01-06,2026-01-01,,,
L1,MILK,ST,,2026-01-08,4,FEFO,waste,,2026-01-08,2026-01-05,,,
"""

SHIPMENTS = """
item,origin,destination,mode,ship_date,arrive_date,quantity,packs,method,committed
MILK,SUP,DC,standard,2026-01-05,2026-01-06,8,2,push,true
MILK,DC,ST,standard,2026-01-05,2026-01-05,12,2,push,true
MILK,DC,ST,standard,2026-01-08,2026-01-08,8,1.3333333333333333,push,false
BOX,DC,ST,standard,2026-01-05,2026-01-05,1,0.2,push,true
BOX,SUP,DC,standard,2026-01-06,2026-01-07,3,3,push,true
BOX,DC,ST,call,2026-01-06,2026-01-07,5,5,pull,true
BOX,SUP,DC,sea,2026-01-07,2026-01-17,1,1,rebalance,false
OIL,SUP,DC,jit,2026-01-06,2026-01-07,0.25,0.25,jit,true
OIL,SUP,DC,jit,2026-01-07,2026-01-08,1,1,jit,false
"""

ADMISSIONS = """
item,site,channel,zone,date,quantity,booking_limit,bid_price,claim
MILK,ST,store,ST,2026-01-05,4,4,1,forecast
MILK,ST,store,ST,2026-01-06,4,4,1,forecast
MILK,ST,store,ST,2026-01-07,4,4,1,forecast
MILK,ST,store,ST,2026-01-08,8,8,1,forecast
MILK,DC,web,NORTH,2026-01-05,3,3,1,firm
MILK,DC,web,NORTH,2026-01-06,5,5,1,firm/priority=0/unmet_cost=4
OIL,DC,web,NORTH,2026-01-05,1.25,2,1,forecast
OIL,DC,web,NORTH,2026-01-06,0.75,2,1,forecast
OIL,DC,web,NORTH,2026-01-07,0.25,2,1,forecast
OIL,DC,web,NORTH,2026-01-08,1,2,1,forecast
BOX,ST,store,ST,2026-01-06,1,1,1,forecast
BOX,ST,store,ST,2026-01-07,2,2,1,firm
BOX,ST,web,NORTH,2026-01-07,3,3,1,forecast
"""

# item, site, then stock, below_min and waste of the four buckets
PROJECTED: list[tuple[str, str, tuple[float, ...], tuple[float, ...], tuple[float, ...]]] = [
    ("MILK", "SUP", (92, 92, 92, 92), (0, 0, 0, 0), (0, 0, 0, 0)),
    ("MILK", "DC", (25, 28, 34, 26), (1, 0, 0, 0), (0, 0, 0, 0)),
    ("MILK", "ST", (13, 8, 4, 0), (0, 0, 0, 0), (0, 1, 0, 4)),
    ("OIL", "SUP", (100, 99.75, 98.75, 98.75), (0, 0, 0, 0), (0, 0, 0, 0)),
    ("OIL", "DC", (0.75, 0, 0, 0), (0, 0, 0, 0), (0, 0, 0, 0)),
    ("OIL", "ST", (0, 0, 0, 0), (0, 0, 0, 0), (0, 0, 0, 0)),
    ("BOX", "SUP", (4, 1, 0, 0), (0, 0, 0, 0), (0, 0, 0, 0)),
    ("BOX", "DC", (9, 4, 7, 7), (0, 0, 0, 0), (0, 0, 0, 0)),
    ("BOX", "ST", (1, 0, 0, 0), (0, 0, 0, 0), (0, 0, 0, 0)),
]

UNMET = """
item,channel,zone,date,quantity,cost,reason,claim,status
OIL,web,NORTH,2026-01-08,0.5,0.15,no stock,forecast,lost
OIL,web,NORTH,2026-01-08,2.5,0,no stock,forecast,waiting
BOX,store,ST,2026-01-08,1,2,no stock,forecast,lost
"""

EXCEPTIONS = """
what,item,where,date,amount,unit,cost,mend
min_stock,MILK,DC,2026-01-05,1,units,113,more stock
max_stock,MILK,DC,2026-01-07,1,units,113,less stock
storage,,ST,2026-01-05,0.03,m3,339,more room
inbound,,ST,2026-01-07,0.5,m3,5650,more room
lock,BOX,SUP > DC (standard),2026-01-06,1,units,1560,more stock
min_fill,,web,2026-01-05,2.1375,units,333.45,more stock
demand,BOX,store/ST,2026-01-08,1,units,2,more stock
"""

RESERVES = """
item,site,date,channel,quantity
MILK,DC,2026-01-05,*,5
BOX,DC,2026-01-05,web,3
"""

KPIS = """
kpi,scope,value,unit
fill_rate,network,0.8,share
fill_rate,channel:web,0.5,share
waste_units,network,5,units
expired_value,network,10,EUR
freight,network,24.9175,EUR
units_shipped,network,39.25,units
units_served,network,37.25,units
units_lost,network,1.5,units
"""

COMPONENTS = {
    "freight": 8 * 0.11 + 20 * 0.25 + 3 * 0.6 + 1 * 0.2 + 5 * 0.3 + 1.25 * 0.15 + 1 * 0.05,
    "vehicles": 5 * 1 + 5 * 2 + 3 * 0.1,
    "fulfilment": 11.25 * 0.5 + 3 * 0.9,
    "holding": (92 + 55.6 + 10 + 49.6 + 0.15 + 5 + 68 + 2) / 365,
    "waste": 5 * 2.0,
    "unmet": 0.5 * 0.3 + 1 * 2,
    "lateness": (7 + 0.5 * 2) * 0.3 + 6 * 1,  # half a unit of oil is lost in the last bucket: late for its two days
    "change": 25.25 * 0.01,
    "margin": -(20 * 1.5 + 8 * 2 + 3.25 * 1 + 3 * 6 + 3 * 7),
    "priority": 6 * 8.0,  # BOX on the web must stand 1 % of 10 and the spread 0.9 above the store's 8: premium 8
    "min_stock": 10 * 11.3,
    "safety_stock": 15 * (0.02 * 6 + 2 * 2 * 0.2 / 365),
    "max_stock": 10 * 11.3,
    "storage": 0.03 * 10 * 1130,
    "inbound": 0.5 * 10 * 1130,
    "locks": 100 * 15.6,
    "min_fill": 2.1375 * 10 * 15.6,
}

PREVIOUS = """
item,origin,destination,mode,ship_date,arrive_date,quantity
MILK,SUP,DC,standard,2026-01-05,2026-01-06,10
BOX,DC,ST,standard,2026-01-06,2026-01-06,2
GONE,DC,ST,standard,2026-01-06,2026-01-06,2
"""

BUCKETS = ("2026-01-05", "2026-01-06", "2026-01-07", "2026-01-08")


def frame(text: str) -> pd.DataFrame:
    """Read a table written in CSV; columns named as dates become dates, blanks in words stay blank words."""
    read = pd.read_csv(io.StringIO(text.strip() + "\n"), dtype=str, keep_default_na=False)
    for name in read.columns:
        if name == "date" or name.endswith("_date"):
            read[name] = pd.to_datetime(read[name].replace("", None))
        elif name in ("quantity", "packs", "amount", "cost", "value", "booking_limit", "bid_price"):
            read[name] = read[name].astype(float)
    return read


def sample_tables(folder: Path, **changed: str) -> Tables:
    """Write the network as CSV and read it; keyword arguments replace whole tables, `toml` the settings."""
    (folder / "network.toml").write_text(changed.pop("toml", TOML))
    for name, text in {**NETWORK, **changed}.items():
        (folder / f"{name}.csv").write_text(text.strip() + "\n")
    return read_tables(folder)


def sample_plan(**costs: float) -> dict[str, pd.DataFrame]:
    """Give the good plan; keyword arguments replace components of the objective."""
    moves = frame(MOVES)
    shipments = frame(SHIPMENTS)
    shipments["committed"] = shipments["committed"] == "true"
    ledger = moves.rename(columns={"for": "kind"})[["item", "lot", "quantity", "from", "to", "date", "kind"]]
    ledger = ledger.assign(id=[f"T{row}" for row in range(len(ledger))], plan="P1")
    projections = pd.DataFrame(
        [
            (item, site, pd.Timestamp(day), float(stock[b]), float(low[b]), float(waste[b]))
            for item, site, stock, low, waste in PROJECTED
            for b, day in enumerate(BUCKETS)
        ],
        columns=["item", "site", "date", "stock", "below_min", "waste"],
    )
    value = pd.DataFrame(
        [("value", "network", -sum((COMPONENTS | costs).values()), "EUR")], columns=["kpi", "scope", "value", "unit"]
    )
    return {
        "shipments": shipments,
        "reserves": frame(RESERVES),
        "admissions": frame(ADMISSIONS),
        "projections": projections,
        "unmet": frame(UNMET),
        "exceptions": frame(EXCEPTIONS),
        "lot_moves": moves,
        "ledger": ledger[["id", "plan", "item", "lot", "quantity", "from", "to", "date", "kind"]],
        "kpis": pd.concat([frame(KPIS), value], ignore_index=True),
    }


def sample_certificate(**costs: float) -> dict[str, Any]:
    """Give the good plan's certificate; keyword arguments replace components of the objective."""
    components = COMPONENTS | costs
    total = sum(components.values())
    return {"objective": total, "components": components, "bound": total - 40.0, "gap": 40.0 / total}


def sample_previous() -> pd.DataFrame:
    """Give the previous plan's shipments."""
    return frame(PREVIOUS)
