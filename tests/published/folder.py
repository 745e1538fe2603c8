"""A network folder of CSV tables, as somebody outside the project would write it."""

from dataclasses import dataclass, field
from pathlib import Path

import pandas as pd

START = pd.Timestamp("2026-01-05")  # a Monday


@dataclass
class Folder:
    """The tables of one network and the few settings a published instance needs.

    Parameters
    ----------
    name : str
        Name of the network.
    days, commit_days : int
        Horizon and commit window. Fixed charges are whole inside the commit window only, so an instance of
        several periods with fixed charges commits all of them.
    tables : dict of str to list of dict
        Rows by table; columns left out take the contract's defaults.
    """

    name: str
    days: int = 1
    commit_days: int = 1
    tables: dict[str, list[dict[str, object]]] = field(default_factory=dict)

    def add(self, table: str, **row: object) -> None:
        """Append one row."""
        self.tables.setdefault(table, []).append(row)

    def write(self, path: Path) -> Path:
        """Write `network.toml` and one CSV file a table; returns `path`."""
        path.mkdir(parents=True, exist_ok=True)
        path.joinpath("network.toml").write_text(
            f'name = "{self.name}"\ncurrency = "USD"\nstart = {START:%Y-%m-%d}\n'
            f"horizon_days = {self.days}\ncommit_days = {self.commit_days}\nseed = 1\n"
        )
        for table, rows in self.tables.items():
            pd.DataFrame(rows).to_csv(path / f"{table}.csv", index=False)
        return path

    def item(self, code: str, **more: object) -> None:
        """Add an item whose unit is one cubic metre, so that volumes count units."""
        self.add("items", **{"item": code, "quantum": 0, "unit_volume": 1, **more})

    def site(self, code: str, kind: str, **more: object) -> None:
        """Add a site that holds stock for nothing."""
        self.add("sites", **{"site": code, "kind": kind, "holding_rate": 0, **more})

    def stock(self, item: str, site: str, quantity: float) -> None:
        """Add what a site starts with."""
        self.add(
            "lots", lot=f"{item}-{site}", item=item, site=site, quantity=quantity, received_date=f"{START:%Y-%m-%d}"
        )

    def serve(self, site: str, zone: str, channel: str = "need", cost: float = 0.0) -> None:
        """Let a site serve a zone."""
        self.add("fulfilment", site=site, channel=channel, zone=zone, cost_per_unit=cost)

    def demand(self, item: str, zone: str, quantity: float, channel: str = "need", day: int = 0) -> None:
        """Add what a zone asks for on a day."""
        date = START + pd.Timedelta(days=day)
        self.add("forecasts", item=item, channel=channel, zone=zone, date=f"{date:%Y-%m-%d}", mean=quantity)

    def must_serve(self, item: str, unmet_cost: float, channel: str = "need") -> None:
        """Make a unit of unserved demand dearer than any way of serving it."""
        self.add("prices", item=item, channel=channel, margin=0, unmet_cost=unmet_cost)

    def arc(self, origin: str, destination: str, capacity: float, fixed: float, unit: float, **more: object) -> None:
        """Add a lane with a fixed charge: one vehicle as large as the lane."""
        row = {"origin": origin, "destination": destination, "lead_time_days": 0, "cost_per_unit": unit}
        charge = {"vehicle_volume": capacity, "daily_volume": capacity, "cost_per_shipment": fixed}
        self.add("lanes", **{**row, **charge, **more})


def dear(unit: float, fixed: float = 0.0, hops: int = 1) -> float:
    """Give an unmet_cost ten times what the dearest unit can cost over `hops` lanes."""
    return 10 * hops * (unit + fixed)
