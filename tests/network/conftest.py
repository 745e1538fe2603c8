"""A network of two items, three sites and two channels that every test of the coding starts from."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from allocator.network import Network, build_network
from allocator.tables import read_tables

START = 'name = "coded"\ncurrency = "EUR"\nstart = 2026-03-02\n'  # a Monday
FILES = {
    "items": "item,category,quantum,unit_cost,unit_volume\nbolt,iron,1,2,0.5\nnail,iron,1,1,0.1\noil,wet,0,3,1\n",
    "sites": "site,kind,holding_rate\nDC,dc,0.365\nS1,store,0.365\nS2,store,0.365\n",
    "lanes": "origin,destination,mode,lead_time_days,cost_per_unit,cost_per_m3\nDC,S1,standard,1,1,2\nDC,S2,standard,0,1,2\n",
    "channels": "channel,priority,unmet,max_wait_days\nwalk,1,lost,0\nweb,2,backorder,2\n",
    "fulfilment": "site,channel,zone,delivery_days,cost_per_unit\nS1,walk,S1,0,0\nDC,web,north,1,0.5\n",
    "forecasts": "item,channel,zone,date,mean\nbolt,walk,S1,2026-03-02,1\n",
    "lots": "lot,item,site,quantity,received_date\nL1,bolt,DC,10,2026-02-01\n",
}

Coded = Callable[..., Network]


@pytest.fixture
def coded(tmp_path: Path) -> Coded:
    """Write the network, some tables exchanged or added, and code it."""

    def code(toml: str = "horizon_days = 4\ncommit_days = 2\n", **tables: str) -> Network:
        for name, text in {**FILES, **tables}.items():
            (tmp_path / f"{name}.csv").write_text(text)
        (tmp_path / "network.toml").write_text(START + toml)
        return build_network(read_tables(tmp_path))

    return code
