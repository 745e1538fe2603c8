"""Plan folders made up for tests of delivery: real names of files, an id and a size of one's choice."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd

from allocator.plan.publish import TABLES, digests, write_json, write_table

IDS = [f"{k:032x}" for k in range(1, 9)]


def plan_folder(folder: Path, plan_id: str, rows: int = 50, network: str = "dairy", factor: float = 1.0) -> Path:
    """Write a plan folder whose tables depend on its id and a factor."""
    folder.mkdir(parents=True)
    seed = int(plan_id, 16)
    frame = pd.DataFrame(
        {
            "item": [f"{seed} é'\" {k % 7}" for k in range(rows)],
            "from": np.where(np.arange(rows) % 3 == 0, None, "S1"),
            "date": pd.Timestamp("2026-03-02"),
            "quantity": np.arange(rows) * factor + seed + 0.1,
            "committed": np.arange(rows) % 2 == 0,
        }
    )
    for name in TABLES:
        write_table(frame if name in ("shipments", "ledger") else frame.head(3), folder / f"{name}.parquet")
    write_json({"status": "optimal", "objective": -1.5 * seed, "bound": None, "gap": 0.0}, folder / "certificate.json")
    (folder / "network").mkdir()
    (folder / "network" / "network.json").write_text("{}", encoding="utf-8")
    facts = {
        "plan_id": plan_id,
        "network": network,
        "scenario": [],
        "start": "2026-03-02",
        "horizon_days": 3,
        "input_hash": "f",
    }
    write_json(facts | {"files": digests(folder)}, folder / "manifest.json")
    return folder
