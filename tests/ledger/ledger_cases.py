"""Made-up postings and records, and what stock they must leave, summed in plain Python."""

from __future__ import annotations

import random
from collections import Counter
from pathlib import Path

import pandas as pd

from allocator.ledger.planned import Posting
from allocator.ledger.recorded import read_recorded
from allocator.ledger.transactions import transactions

PLANNERS, LOTS, SITES = 4, 3, ("DC", "S1", "S2")
START = 1_000_000
"""Units of each lot at the first site: never used up, so that the order of postings does not matter."""
Stock = Counter[tuple[str, str, str]]


def posting(planner: int) -> Posting:
    """A plan of one planner's own items: opening stock, shipments, admissions, a reservation and an override."""
    plan, draw = f"{planner:032x}", random.Random(planner)
    items = [f"I{planner}{n}" for n in range(3)]
    day = "2026-03-02"
    facts = {"plan": plan, "input_hash": "f" * 64, "date": day, "arrive_date": day, "received_date": day}
    pairs = [(item, f"L{lot}") for item in items for lot in range(LOTS)]
    values = {
        "kind": "opening",
        "item": [i for i, _ in pairs],
        "lot": [lot for _, lot in pairs],
        "to_place": SITES[0],
        "quantity": START,
    }
    opening = transactions(values | facts, len(pairs), "opening")
    made = pd.DataFrame(
        {"kind": [draw.choice(["shipment", "admission", "reservation", "override"]) for _ in range(20)]}, dtype=object
    )
    made["item"] = [draw.choice(items) for _ in range(20)]
    made["reference"] = [str(number) for number in range(20)]
    made["quantity"] = [draw.randint(1, 9) for _ in range(20)]
    made["lot"] = [f"L{draw.randrange(LOTS)}" if kind in ("shipment", "admission") else "" for kind in made["kind"]]
    made["to_place"] = [draw.choice(SITES[1:]) if kind in ("shipment", "override") else "" for kind in made["kind"]]
    rows = transactions(dict(made) | facts | {"from_place": SITES[0]}, len(made), plan)
    return Posting(plan, "f" * 64, f"network {planner}", day, "2026-03-03", rows, opening)


def write_batches(folder: Path, count: int, seed: int) -> Stock:
    """Write files of ``count`` random records and reversals in all, some of them twice; give the stock they leave with all postings."""
    draw, stock = random.Random(seed), Counter[tuple[str, str, str]]()
    for planner in range(PLANNERS):
        made = posting(planner)
        for row in pd.concat([made.opening, made.rows]).itertuples(index=False):
            _apply(stock, row.kind, row.item, row.lot, row.from_place, row.to_place, row.millionths)
    done, number, batch = 0, 0, 0
    while done < count:
        size = min(draw.randint(60, 120), count - done)
        lines = ["reference,kind,item,lot,quantity,date,from,to"]
        rows = []
        for _ in range(size):
            kind = draw.choice(["receipt", "return", "transfer", "sale", "waste", "found", "lost"])
            item, lot = f"I{draw.randrange(PLANNERS)}{draw.randrange(3)}", f"L{draw.randrange(LOTS)}"
            comes, leaves = (
                kind in ("receipt", "return", "transfer", "found"),
                kind in ("transfer", "sale", "waste", "lost"),
            )
            source, to = SITES[0] if leaves else "", draw.choice(SITES) if comes else ""
            quantity = draw.choice([1, 2, 3.5, 0.000001, 1234.567891])
            day = f"2026-03-{draw.randint(3, 9):02}"
            rows.append((kind, item, lot, source, to, round(quantity * 1_000_000)))
            lines.append(f"R{number},{kind},{item},{lot},{quantity:.6f},{day},{source},{to}")
            number += 1
        path = folder / f"{batch:03}.csv"
        path.write_text("\n".join(lines) + "\n", encoding="utf-8")
        for row in rows:
            _apply(stock, *row)
        done += size
        ids = read_recorded(path)["id"].tolist()
        back = [k for k in range(size) if rows[k][4] in ("", SITES[0])][: draw.randint(0, 20)][: count - done]
        if back:
            (folder / f"{batch:03}.ids").write_text("\n".join(ids[k] for k in back), encoding="utf-8")
            for k in back:
                _apply(stock, *rows[k][:5], -rows[k][5])
            done += len(back)
        if draw.random() < 0.3:  # the same file once more
            (folder / f"{batch:03}x.csv").write_bytes(path.read_bytes())
        batch += 1
    return Counter({place: much for place, much in stock.items() if much})


def _apply(stock: Stock, kind: str, item: str, lot: str, source: str, to: str, much: int) -> None:
    if kind in ("shipment", "admission", "transfer", "sale", "waste", "lost"):
        stock[item, lot, source] -= much
    if kind in ("opening", "shipment", "receipt", "return", "transfer", "found"):
        stock[item, lot, to] += much
