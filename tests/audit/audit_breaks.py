"""Ways to break the good plan, each of them one rule; more than one way for some rules."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import pandas as pd
from audit_sample import MOVES, NETWORK, sample_certificate, sample_plan


@dataclass
class Case:
    """What the audit is given: the good plan until a break changes it."""

    plan: dict[str, pd.DataFrame] = field(default_factory=sample_plan)
    certificate: dict[str, Any] = field(default_factory=sample_certificate)
    network: dict[str, str] = field(default_factory=dict)

    def put(self, table: str, row: int, **values: Any) -> None:
        """Change cells of one row."""
        frame = self.plan[table].copy()
        for column, value in values.items():
            frame[column] = frame[column].astype(object)
            frame.iloc[row, frame.columns.get_loc(column)] = value
        self.plan[table] = frame.infer_objects()

    def drop(self, table: str, row: int) -> None:
        """Drop one row."""
        self.plan[table] = self.plan[table].drop(index=row).reset_index(drop=True)

    def repeat(self, table: str, row: int, **values: Any) -> None:
        """Add a copy of one row, with some cells changed."""
        frame = self.plan[table]
        self.plan[table] = pd.concat([frame, frame.iloc[[row]].assign(**values)], ignore_index=True)

    def edit(self, table: str, old: str, new: str) -> None:
        """Change the text of an input table."""
        text = self.network.get(table, NETWORK[table])
        assert text.count(old) == 1, f"{old!r} stands {text.count(old)} times in {table}"
        self.network[table] = text.replace(old, new)


@dataclass(frozen=True)
class Break:
    """One way to break one rule; `where` must stand in the finding."""

    rule: str
    where: str
    change: Callable[[Case], object]

    def __str__(self) -> str:
        return f"{self.rule}: {self.where}"


def day(date: int) -> pd.Timestamp:
    """Give a day of January 2026."""
    return pd.Timestamp(2026, 1, date)


def move_row(text: str) -> int:
    """Give the row of a lot move by the start of its line."""
    return next(row for row, line in enumerate(MOVES.strip().split("\n")[1:]) if line.startswith(text))


def swap_lots(case: Case) -> None:
    """Let the last milk shipment take the younger lot: FEFO is broken, everything else still adds up."""
    for row in (move_row("L2,MILK,DC,ST"), move_row("L2,MILK,ST,ST")):
        case.put("lot_moves", row, lot="L9", expiry_date=pd.Timestamp(2026, 2, 1))
        case.put("ledger", row, lot="L9")
    case.put("lot_moves", move_row("L2,MILK,DC,ST"), received_date=day(6))
    case.put("lot_moves", move_row("L2,MILK,ST,ST"), lot="L9")


def planned_lots(case: Case) -> None:
    """The same, under the rule PLANNED: nothing is broken."""
    swap_lots(case)
    for row in (move_row("L2,MILK,DC,ST"), move_row("L2,MILK,ST,ST")):
        case.put("lot_moves", row, rule="PLANNED")


def ring(case: Case) -> None:
    """Send 7 units of a lot round from store to DC and back on one day: they come from nowhere, yet all sums hold."""
    ship = {"item": "MILK", "quantity": 7.0, "ship_date": day(8), "arrive_date": day(8)}
    case.repeat("shipments", 2, **ship, origin="ST", destination="DC", mode="back", method="push", packs=7.0)
    case.put("shipments", 2, quantity=15.0, packs=2.5)
    out = {"date": day(8), "arrive_date": day(8), "received_date": day(8), "quantity": 7.0}
    row = move_row("L2,MILK,DC,ST")
    case.repeat("lot_moves", row, **out, **{"from": "ST", "to": "DC", "mode": "back"})
    case.repeat("lot_moves", row, **out)
    case.repeat("ledger", row, **{"from": "ST", "to": "DC"}, quantity=7.0, id="R1")
    case.repeat("ledger", row, quantity=7.0, id="R2")


def late_loss(case: Case) -> None:
    """Drop waiting demand a bucket before its wait is over."""
    case.put("unmet", 0, date=day(7))


def early_service(case: Case) -> None:
    """Serve the milk order of the 6th a day before it falls due."""
    for table in ("admissions", "lot_moves", "ledger"):
        row = 5 if table == "admissions" else move_row("L1,MILK,DC,NORTH,2026-01-06")
        case.put(table, row, date=day(5))


def no_exception(row: int) -> Callable[[Case], object]:
    """Leave an exception out."""
    return lambda case: case.drop("exceptions", row)


def certify(**values: Any) -> Callable[[Case], object]:
    """Change figures of the certificate."""
    return lambda case: case.certificate.update(values)


def put(table: str, row: int, **values: Any) -> Callable[[Case], object]:
    """Change cells of one row."""
    return lambda case: case.put(table, row, **values)


def edit(table: str, old: str, new: str) -> Callable[[Case], object]:
    """Change the text of an input table."""
    return lambda case: case.edit(table, old, new)


BREAKS = [
    Break("columns", "table unmet", lambda case: case.plan.pop("unmet")),
    Break("columns", "table kpis", lambda case: case.plan.update(kpis=case.plan["kpis"].drop(columns="scope"))),
    Break("keys", "projections row 36", lambda case: case.repeat("projections", 0)),
    Break("keys", "ledger row 1: id T0", put("ledger", 1, id="T0")),
    Break("codes", "shipments row 0, column item", put("shipments", 0, item="MLK")),
    Break("codes", "shipments row 0", put("shipments", 0, mode="plane")),
    Break("codes", "lot_moves row 0, column lot", put("lot_moves", 0, lot="L77")),
    Break("codes", "lot_moves row 0, column for", put("lot_moves", 0, **{"for": "gift"})),
    Break("codes", "channel web", put("admissions", 4, claim="firm/priority=3")),
    Break("codes", "exceptions, storage", put("exceptions", 2, where="XX")),
    Break("codes", "unmet row 0, column status", put("unmet", 0, status="late")),
    Break("dates", "shipments row 0, column ship_date", put("shipments", 0, ship_date=day(3))),
    Break("dates", "projections row 3, column date", put("projections", 3, date=day(9))),
    Break("quantities", "admissions row 0", put("admissions", 0, quantity=-4.0)),
    Break("quantities", "shipments row 0", put("shipments", 0, quantity=float("nan"))),
    Break("quanta", "shipments row 3", put("shipments", 3, quantity=1.5)),
    Break("lane_open", "item OIL", put("shipments", 7, destination="ST", origin="DC", mode="call")),
    Break(
        "lane_open",
        "item MILK",
        edit("item_lanes", "MILK,DC,ST,standard,6,,0.25,,", "MILK,DC,ST,standard,6,,0.25,,false"),
    ),
    Break("carried", "item MILK", edit("stock_policies", "OIL,ST,false", "MILK,ST,false")),
    Break("departure", "lane DC > ST (standard)", put("shipments", 2, ship_date=day(9), arrive_date=day(9))),
    Break("departure", "item OIL", edit("lanes", "1111111,jit", "1011111,jit")),
    Break("arrival", "lane SUP > DC (standard), 2026-01-05", put("shipments", 0, arrive_date=day(7))),
    Break(
        "horizon", "lane SUP > DC (sea)", edit("locks", "K4,BOX,SUP,DC,sea,2026-01-07", "K4,BOX,SUP,DC,sea,2026-01-08")
    ),
    Break("packs", "item MILK, lane DC > ST (standard), 2026-01-05", put("shipments", 1, quantity=13.0, packs=13 / 6)),
    Break("packs", "item BOX, lane SUP > DC (standard)", put("shipments", 4, packs=4.0)),
    Break("min_quantity", "item MILK, lane SUP > DC (standard)", edit("item_lanes", "standard,4,8", "standard,4,12")),
    Break("committed", "lane DC > ST (standard), 2026-01-08", put("shipments", 2, committed=True)),
    Break("method", "lane DC > ST (call)", put("shipments", 5, method="push")),
    Break("method", "lane SUP > DC (standard)", put("shipments", 0, method="auto")),
    Break("lane_volume", "lane SUP > DC (standard), 2026-01-06", edit("lanes", "5,1,10,1111100", "5,1,1.4,1111100")),
    Break("outbound", "site DC, 2026-01-06", edit("sites", "DC,dc,0.2,50,20,10,100", "DC,dc,0.2,50,20,2,100")),
    Break("outbound_units", "site DC, 2026-01-05", edit("sites", "50,20,10,100", "50,20,10,17")),
    Break("inbound", "site ST, 2026-01-07", no_exception(3)),
    Break("inbound", "site DC, 2026-01-06", edit("sites", "DC,dc,0.2,50,20", "DC,dc,0.2,50,0.01")),
    Break("storage", "site ST, 2026-01-05", no_exception(2)),
    Break("storage", "site ST, 2026-01-05", put("exceptions", 2, amount=0.02)),
    Break("min_stock", "item MILK, site DC, 2026-01-05", no_exception(0)),
    Break("max_stock", "item MILK, site DC, 2026-01-07", no_exception(1)),
    Break("lock", "item BOX, lane SUP > DC (standard), 2026-01-06", no_exception(4)),
    Break("lock", "item MILK, lane SUP > DC (standard)", edit("locks", "max,8", "max,7")),
    Break("lock", "item BOX, lane DC > ST (standard)", edit("locks", "fix,1,", "fix,0,")),
    Break(
        "pull", "item BOX, site ST", edit("orders", "O3,1,BOX,store,ST,2026-01-07,2", "O3,1,BOX,store,ST,2026-01-07,1")
    ),
    Break("pull", "item BOX, site ST", edit("channels", "web,1,backorder,2,0", "web,1,lost,2,0")),
    Break("jit", "item OIL, site DC, 2026-01-08", put("admissions", 9, quantity=0.9)),
    Break("fulfilment", "channel web, zone NORTH", edit("fulfilment", "ST,web,NORTH,1,0.9\n", "")),
    Break("demand", "item BOX, channel store, zone ST", lambda case: case.drop("unmet", 2)),
    Break("demand", "item OIL", put("admissions", 6, quantity=1.0)),
    Break("demand_age", "lost", late_loss),
    Break("demand_age", "waiting", put("unmet", 1, quantity=2.0)),
    Break("demand_age", "served or lost so far", early_service),
    Break("unmet_cost", "item BOX", put("unmet", 2, cost=3.0)),
    Break("unmet_cost", "item OIL", put("unmet", 1, cost=0.75)),
    Break(
        "admission_units",
        "site ST, channel store, 2026-01-05",
        edit("admission_limits", "store,ST,*,10", "store,ST,*,3"),
    ),
    Break("admission_share", "item OIL, site DC", edit("admission_limits", "web,DC,*,20,", "web,DC,*,20,0.5")),
    Break("min_fill", "channel web", no_exception(5)),
    Break("balance", "item BOX, site DC, 2026-01-07", put("projections", 30, stock=8.0)),
    Break("stock", "item OIL, site DC", edit("lots", "OL0,OIL,DC,2,", "OL0,OIL,DC,1.5,")),
    Break("projections", "item BOX, site ST, 2026-01-08", lambda case: case.drop("projections", 35)),
    Break("below_min", "item MILK, site DC", put("projections", 5, below_min=2.0)),
    Break("reserves", "item BOX, site DC", put("reserves", 1, quantity=10.0)),
    Break("lot_on_hand", "lot L1", edit("lots", "L1,MILK,DC,20,", "L1,MILK,DC,19,")),
    Break(
        "lot_on_hand",
        "lot L9",
        edit(
            "lots", "L9,MILK,SUP,100,2025-12-20,2026-02-01,available", "L9,MILK,SUP,100,2025-12-20,2026-02-01,blocked"
        ),
    ),
    Break("lot_on_hand", "lot L2", put("lot_moves", 2, received_date=day(1))),
    Break("lot_on_hand", "shipment, 2026-01-08", ring),
    Break("lot_eligible", "lot L0", edit("channels", "store,2,lost,0,1", "store,2,lost,0,2")),
    Break("lot_eligible", "arrive_date", put("lot_moves", 0, arrive_date=day(7))),
    Break("lot_eligible", "lot L1", edit("lanes", "DC,ST,standard,0,", "DC,ST,standard,4,")),
    Break("lot_sums", "item MILK, lane SUP > DC (standard)", put("lot_moves", 0, quantity=7.0)),
    Break("lot_sums", "item OIL, site DC, channel web", lambda case: case.drop("lot_moves", move_row("OL0"))),
    Break("waste", "lot L0", lambda case: case.drop("lot_moves", move_row("L0,MILK,ST,,"))),
    Break("waste", "projections, item MILK, site ST, 2026-01-06", put("projections", 9, waste=2.0)),
    Break("waste", "lot L2", lambda case: case.repeat("lot_moves", 23, lot="L2", received_date=day(8))),
    Break("lot_rule", "lot L9", put("lot_moves", 0, rule="FIFO")),
    Break("lot_order", "lot L9, item MILK, site DC", swap_lots),
    Break("ledger", "lot L9", put("ledger", 0, quantity=9.0)),
    Break("ledger", "lot L9", lambda case: case.drop("ledger", 0)),
    Break("ledger", "ledger row 0", put("ledger", 0, id="")),
    Break("exceptions", "site ST, 2026-01-05", put("exceptions", 2, amount=0.05)),
    Break("exceptions", "item MILK, site DC, 2026-01-06", lambda case: case.repeat("exceptions", 0, date=day(6))),
    Break("exceptions", "item MILK, site DC, 2026-01-05, cost of min_stock", put("exceptions", 0, cost=114.0)),
    Break("exceptions", "exceptions row 0", put("exceptions", 0, what="weather")),
    Break("exceptions", "exceptions row 7", lambda case: case.repeat("exceptions", 6, date=day(6), amount=0.0)),
    Break("exceptions", "demand of BOX", put("exceptions", 6, date=day(7))),
    Break("kpis", "fill_rate", put("kpis", 0, value=0.9)),
    Break("kpis", "units_lost", lambda case: case.drop("kpis", 7)),
    Break("components", "freight", lambda case: case.certificate["components"].update(freight=9.0)),
    Break("components", "priority", lambda case: case.certificate["components"].pop("priority")),
    Break("objective", "certificate, objective", certify(objective=8124.0)),
    Break("bound", "certificate, bound", certify(bound=8125.0)),
    Break("gap", "certificate, gap", certify(gap=0.0)),
    Break("gap", "certificate, gap", certify(bound=None)),
]
