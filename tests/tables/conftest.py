"""A small, whole network that every test starts from."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

NETWORK = """name = "two"
currency = "EUR"
start = 2026-01-05
horizon_days = 4
buckets = [1, 1, 2]
seed = 7
min_fill = { web = 0.5 }
"""

TABLES = {
    "items": "item,category,quantum,unit_cost,unit_volume,shelf_life_days,rotation\n"
    "00123,dry,1,2.5,0.1,,\nNA,dry,2,1,0,10,\nnan,fresh,0,1,0.2,,LIFO\n",
    "sites": "site,kind,holding_rate,latitude\nD1,dc,,52.5\nS1,store,0.1,\nP,supplier,,\n",
    "lanes": "origin,destination,mode,lead_time_days,vehicle_volume,departs,method\n"
    "P,D1,,2,,,\nD1,S1,standard,1,10,1111100,push\nD1,S1,express,0,,0000011,\n",
    "item_lanes": "item,origin,destination,mode,pack_size,allowed\n"
    "category:dry,D1,S1,standard,6,\nnan,D1,S1,standard,,false\n",
    "channels": "channel,priority,unmet,max_wait_days\nweb,1,backorder,3\nwalk,2,,\n",
    "fulfilment": "site,channel,zone\nD1,web,N\nS1,walk,S1\n",
    "prices": "item,channel,margin,unmet_cost\n00123,web,-1,2\n",
    "forecasts": "item,channel,zone,date,mean,std,p10,p50,p90\n"
    "00123,web,N,2026-01-05,3,1,,,\nNA,walk,S1,2026-01-06,2.5,,1,2,4\n",
    "orders": "order,line,item,channel,zone,due_date,quantity,priority\nO1,1,NA,web,N,2026-01-06,4,\n",
    "lots": "lot,item,site,quantity,received_date,expiry_date,status\n"
    "L1,00123,D1,10,2026-01-01,,\nL2,NA,S1,4,2026-01-02,,\nL3,nan,P,4.5,2026-01-02,,blocked\n",
    "receipts": "receipt,item,site,date,quantity,expiry_date\nR1,00123,D1,2026-01-06,5,\n",
    "stock_policies": "item,site,carried,min_stock,max_stock\n00123,S1,true,2,9\n",
    "admission_limits": "channel,site,date,max_units,max_share\nweb,*,*,5,\nweb,D1,2026-01-05,,0.5\n",
    "capacities": "site,resource,date,volume\nD1,storage,2026-01-05,100\n",
    "locks": "lock,item,origin,destination,mode,date,kind,quantity,reason,planner\n"
    "K1,NA,D1,S1,standard,2026-01-06,fix,4,promotion,me\n",
}

Make = Callable[..., Path]


@pytest.fixture
def tables() -> dict[str, str]:
    """CSV text of each table."""
    return dict(TABLES)


@pytest.fixture
def make(tmp_path: Path) -> Make:
    """Write the network into a folder, some files replaced (None = left out)."""

    def write(network: str = NETWORK, **changed: str | bytes | None) -> Path:
        folder = tmp_path / "net"
        folder.mkdir(exist_ok=True)
        (folder / "network.toml").write_text(network, encoding="utf-8")
        for name, text in {**TABLES, **changed}.items():
            path = folder / f"{name}.csv"
            if text is None:
                path.unlink(missing_ok=True)
            else:
                path.write_bytes(text.encode() if isinstance(text, str) else text)
        return folder

    return write
