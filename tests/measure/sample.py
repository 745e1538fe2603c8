"""A plausible plan for a made-up network, for the tests of KPIs, report and explain; no solver behind it."""

from __future__ import annotations

from collections import defaultdict

import numpy as np
import pandas as pd

from allocator.measure import Days, asked, capacity_use, serve
from tests.measure.made_network import NASTY_ITEM, NASTY_SITE, START, write_csv, write_network

__all__ = [
    "NASTY_ITEM",
    "NASTY_SITE",
    "START",
    "make_certificate",
    "make_manifest",
    "make_plan",
    "served_shares",
    "write_csv",
    "write_network",
]


class Simulation:
    """Runs the days forward with a simple rule and notes every move by lot."""

    def __init__(self, tables) -> None:
        """Open every site with its usable lots."""
        self.days = Days.of(tables)
        self.start = pd.Timestamp(self.days.start)
        self.items = tables.frame("items").set_index("item")
        self.lanes = tables.frame("lanes")
        self.stock = defaultdict(list)  # (item, site) -> [expiry, received, lot, quantity]
        self.coming = defaultdict(list)
        lots = tables.frame("lots")
        for lot in lots[lots["status"] == "available"].itertuples():
            self.stock[lot.item, lot.site].append([lot.expiry_date, lot.received_date, lot.lot, float(lot.quantity)])
        for receipt in tables.frame("receipts").itertuples():
            day = int((receipt.date - self.start).days)
            self.coming[day].append(
                (
                    receipt.item,
                    receipt.site,
                    [receipt.expiry_date, receipt.date, receipt.receipt, float(receipt.quantity)],
                )
            )
        self.shipments, self.admissions, self.unmet, self.moves, self.rows = [], [], [], [], []

    def on_hand(self, item: str, site: str) -> float:
        """Add up the usable stock."""
        return sum(lot[3] for lot in self.stock[item, site])

    def take(self, item: str, site: str, quantity: float) -> list[list]:
        """Take lots, earliest expiry first."""
        taken, lots = (
            [],
            sorted(
                self.stock[item, site],
                key=lambda lot: (pd.isna(lot[0]), lot[0] if not pd.isna(lot[0]) else self.start, lot[1], lot[2]),
            ),
        )
        for lot in lots:
            part = min(lot[3], quantity)
            if part > 0:
                taken.append([*lot[:3], part])
                lot[3] -= part
                quantity -= part
        self.stock[item, site] = [lot for lot in lots if lot[3] > 0]
        return taken

    def ship(self, item: str, lane, day: int, quantity: float, method: str) -> None:
        """Send up to a quantity along a lane."""
        date = self.start + pd.Timedelta(days=day)
        quantity = min(np.floor(quantity), self.on_hand(item, lane.origin))
        if quantity < 1 or lane.departs[date.weekday()] == "0" or day + lane.lead_time_days >= self.days.horizon:
            return
        arrive = date + pd.Timedelta(days=int(lane.lead_time_days))
        self.shipments.append(
            (item, lane.origin, lane.destination, lane.mode, date, arrive, quantity, quantity, method, day < 3)
        )
        for expiry, received, lot, part in self.take(item, lane.origin, quantity):
            self.moves.append(
                (
                    lot,
                    item,
                    lane.origin,
                    lane.destination,
                    date,
                    part,
                    "FEFO",
                    "shipment",
                    arrive,
                    expiry,
                    received,
                    lane.mode,
                    "",
                    "",
                )
            )
            self.coming[day + int(lane.lead_time_days)].append((item, lane.destination, [expiry, arrive, lot, part]))

    def serve(self, item: str, site: str, channel: str, zone: str, claim: str, day: int, quantity: float) -> float:
        """Serve up to a quantity and return what was served."""
        date = self.start + pd.Timedelta(days=day)
        quantity = min(quantity, self.on_hand(item, site))
        if quantity <= 0:
            return 0.0
        price = round(0.3 * float(self.items.loc[item, "unit_cost"]), 3)
        self.admissions.append((item, site, channel, zone, date, quantity, quantity, price, claim))
        for expiry, received, lot, part in self.take(item, site, quantity):
            self.moves.append(
                (lot, item, site, zone, date, part, "FEFO", "admission", pd.NaT, expiry, received, "", channel, claim)
            )
        return quantity


def make_plan(tables) -> dict[str, pd.DataFrame]:
    """Simulate a plan: push by need from the DCs, pull for trade, rebalance once, serve first come."""
    run = Simulation(tables)
    want = asked(tables)
    demand = defaultdict(list)
    for row, claim in enumerate(want.claims.itertuples()):
        demand[claim.item].append((claim.channel, claim.zone, claim.claim, want.quantity[row]))
    arcs = tables.frame("fulfilment").groupby(["channel", "zone"])["site"].agg(list).to_dict()
    waits = tables.frame("channels").set_index("channel")["max_wait_days"].to_dict()
    sites = sorted(tables.frame("sites")["site"])
    queue: dict = defaultdict(list)
    for day in range(run.days.horizon):
        date = run.start + pd.Timedelta(days=day)
        for item, site, lot in run.coming.pop(day, []):
            run.stock[item, site].append(lot)
        for item in run.items.index:
            walk = {zone: quantity for channel, zone, _, quantity in demand[item] if channel == "walk-in"}
            for lane in run.lanes.itertuples():
                if lane.origin == "SUPPLIER" and day == 0:
                    run.ship(item, lane, day, 250, "push")
                elif (
                    lane.origin.startswith("DC")
                    and lane.destination.startswith("DC")
                    and day == 4
                    and lane.origin == "DC-EAST"
                ):
                    run.ship(item, lane, day, 12, "rebalance")
                elif lane.destination in walk:
                    need = walk[lane.destination][day : day + 3].sum() - run.on_hand(item, lane.destination)
                    run.ship(
                        item,
                        lane,
                        day,
                        max(need, 0),
                        "pull" if day > 6 else ("jit" if lane.destination.endswith("7") else "push"),
                    )
            for channel, zone, claim, quantity in demand[item]:
                key = (item, channel, zone, claim)
                if quantity[day] > 0:
                    queue[key].append([day, quantity[day]])
                for entry in queue[key]:
                    if channel == "trade" and entry[0] == day and day % 3 == 0:
                        continue  # found a day late
                    for site in arcs[channel, zone]:
                        entry[1] -= run.serve(item, site, channel, zone, claim, day, entry[1])
                gone = sum(left for due, left in queue[key] if day >= due + waits[channel])
                queue[key] = [entry for entry in queue[key] if entry[1] > 0 and day < entry[0] + waits[channel]]
                if gone > 0:
                    run.unmet.append(
                        (
                            item,
                            channel,
                            zone,
                            date,
                            gone,
                            gone * 2.5,
                            ("no stock upstream", "outbound full")[day % 2],
                            claim,
                            "lost",
                        )
                    )
            for site in sites:
                expired = [lot for lot in run.stock[item, site] if lot[0] <= date]
                for lot in expired:
                    run.moves.append(
                        (lot[2], item, site, "", date, lot[3], "FEFO", "waste", pd.NaT, lot[0], lot[1], "", "", "")
                    )
                run.stock[item, site] = [lot for lot in run.stock[item, site] if not lot[0] <= date]
                run.rows.append((item, site, date, run.on_hand(item, site), 0.0, sum(lot[3] for lot in expired)))
    last = run.start + pd.Timedelta(days=run.days.horizon - 1)
    for (item, channel, zone, claim), entries in queue.items():
        if entries:
            run.unmet.append(
                (
                    item,
                    channel,
                    zone,
                    last,
                    sum(left for _, left in entries),
                    0.0,
                    "no stock upstream",
                    claim,
                    "waiting",
                )
            )
    return _frames(run, tables)


def _frames(run: Simulation, tables) -> dict[str, pd.DataFrame]:
    when = run.start + pd.Timedelta(days=2)
    item = run.items.index[0]
    frame = pd.DataFrame
    plan = {
        "shipments": frame(
            run.shipments,
            columns=[
                "item",
                "origin",
                "destination",
                "mode",
                "ship_date",
                "arrive_date",
                "quantity",
                "packs",
                "method",
                "committed",
            ],
        ),
        "reserves": frame(
            [(i, "DC-EAST", when, "web", 20.0) for i in run.items.index[:8]],
            columns=["item", "site", "date", "channel", "quantity"],
        ),
        "admissions": frame(
            run.admissions,
            columns=["item", "site", "channel", "zone", "date", "quantity", "booking_limit", "bid_price", "claim"],
        ),
        "projections": frame(run.rows, columns=["item", "site", "date", "stock", "below_min", "waste"]),
        "unmet": frame(
            run.unmet, columns=["item", "channel", "zone", "date", "quantity", "cost", "reason", "claim", "status"]
        ),
        "exceptions": frame(
            [
                (
                    "storage",
                    "",
                    "DC-EAST",
                    when,
                    3.2,
                    "m3",
                    410.0,
                    "raise storage_volume of DC-EAST to 153.2 m3 on 2025-10-08",
                ),
                (
                    "min_stock",
                    item,
                    NASTY_SITE,
                    when,
                    2.0,
                    "units",
                    96.0,
                    "lower min_stock to 0, or receive 2 units by 2025-10-08",
                ),
            ],
            columns=["what", "item", "where", "date", "amount", "unit", "cost", "mend"],
        ),
        "lot_moves": frame(
            run.moves,
            columns=[
                "lot",
                "item",
                "from",
                "to",
                "date",
                "quantity",
                "rule",
                "for",
                "arrive_date",
                "expiry_date",
                "received_date",
                "mode",
                "channel",
                "claim",
            ],
        ),
    }
    minimum = tables.frame("stock_policies").set_index(["item", "site"])["min_stock"]
    asked_for = pd.MultiIndex.from_frame(plan["projections"][["item", "site"]])
    floor = minimum.reindex(asked_for).fillna(0.0).to_numpy()
    plan["projections"]["below_min"] = np.maximum(floor - plan["projections"]["stock"], 0.0)
    return plan


def make_certificate(tables, plan) -> dict:
    """State a certificate whose components follow roughly from the plan."""
    items = tables.frame("items").set_index("item")
    prices = tables.frame("prices").set_index(["item", "channel"])
    admissions, shipments = plan["admissions"], plan["shipments"]
    earned = prices["margin"].reindex(pd.MultiIndex.from_frame(admissions[["item", "channel"]])).to_numpy()
    waste = plan["projections"]["waste"] * plan["projections"]["item"].map(items["unit_cost"])
    components = dict.fromkeys(
        [
            "freight",
            "vehicles",
            "fulfilment",
            "holding",
            "waste",
            "unmet",
            "lateness",
            "change",
            "margin",
            "priority",
            "min_stock",
            "safety_stock",
            "max_stock",
            "storage",
            "inbound",
            "locks",
            "min_fill",
        ],
        0.0,
    )
    components |= {
        "margin": -float((earned * admissions["quantity"]).sum()),
        "freight": float(shipments["quantity"].sum() * 0.2),
        "vehicles": 41.0 * 180,
        "holding": 312.4,
        "waste": float(waste.sum()),
        "fulfilment": float(admissions.loc[admissions["channel"] != "walk-in", "quantity"].sum() * 0.6),
        "unmet": float(plan["unmet"]["cost"].sum()),
        "lateness": 84.0,
        "min_stock": 96.0,
        "storage": 410.0,
    }
    value = -sum(components.values())
    return {
        "objective": -value,
        "value": value,
        "bound": -value * 1.0006,
        "gap": 0.0006,
        "status": "optimal",
        "engine": "whole",
        "components": components,
        "prices": _prices(tables, plan),
        "largest_violation": 0.0,
    }


def _prices(tables, plan) -> list[dict]:
    use = capacity_use(tables, plan)
    full = use[use["use"] > 0.9 * use["limit"]].reset_index(drop=True)
    rows = [
        {
            "resource": row.resource,
            "site": row.site if isinstance(row.site, str) else None,
            "origin": row.origin if isinstance(row.origin, str) else None,
            "destination": row.destination if isinstance(row.destination, str) else None,
            "mode": row.mode if isinstance(row.mode, str) else None,
            "channel": None,
            "date": row.date.date().isoformat(),
            "price": round(1.5 + (position * 37 % 140) / 10, 2),
            "use": float(row.use),
            "limit": float(row.limit),
            "unit": row.unit,
        }
        for position, row in enumerate(full.itertuples())
    ]
    rows.append(
        {
            "resource": "admission",
            "site": "DC-EAST",
            "origin": None,
            "destination": None,
            "mode": None,
            "channel": "web",
            "date": "2025-10-08",
            "price": 0.85,
            "use": 30.0,
            "limit": 30.0,
            "unit": "units",
        }
    )
    return rows


def make_manifest() -> dict:
    """State a manifest as the plan writer would."""
    return {
        "plan_id": "2025-10-06-a1b2c3d4",
        "network": "Made-up grocery",
        "created": "2025-10-06T02:14:09Z",
        "engine": "whole",
        "options": {"deadline": "45m", "gap": 0.001},
        "versions": {"allocator": "0.1.0", "highspy": "1.16.0"},
        "timings": {"read": 0.41, "model": 2.2, "solve": 17.9, "lots": 0.3},
        "input_hash": "9f" * 32,
        "files": {"shipments.parquet": "ab" * 32, "admissions.parquet": "cd" * 32},
        "notes": ["1 lot (40 units) is in quarantine at DC-EAST and is not planned"],
        "quarantined": [
            {
                "table": "forecasts",
                "row": 812,
                "column": "mean",
                "value": "-3",
                "rule": "at least 0",
                "mend": "give 0 or leave the row out",
            }
        ],
    }


def served_shares(tables, plan) -> pd.DataFrame:
    """Give asked, served, late, lost and waiting by channel, for a look at how plausible the plan is."""
    return serve(tables, plan, Days.of(tables)).by("channel")
