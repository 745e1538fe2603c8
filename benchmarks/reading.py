"""Read and check millions of forecast rows in a fresh process: seconds and peak memory, as JSON.

Run as ``python benchmarks/reading.py [ROWS]`` (default 5,000,000).
"""

from __future__ import annotations

import json
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

ITEMS, STORES, DAYS = 5_000, 50, 20
START = np.datetime64("2026-01-05")


def generate(folder: Path, rows: int, shuffled: bool = True) -> None:
    """Write a network whose forecasts have `rows` rows, in random order."""
    days = max(1, -(-rows // (ITEMS * STORES)))
    items, stores = [f"I{i:06d}" for i in range(ITEMS)], [f"S{i:04d}" for i in range(STORES)]
    settings = f'name = "bench"\ncurrency = "EUR"\nstart = 2026-01-05\nhorizon_days = {days}\nseed = 1\n'
    (folder / "network.toml").write_text(settings)
    tables = {
        "items": {"item": items, "shelf_life_days": [10] * ITEMS},
        "sites": {"site": ["DC", *stores], "kind": ["dc"] + ["store"] * STORES},
        "lanes": {"origin": ["DC"] * STORES, "destination": stores, "lead_time_days": [1] * STORES},
        "channels": {"channel": ["walk"]},
        "fulfilment": {"site": stores, "channel": ["walk"] * STORES, "zone": stores},
        "lots": {"lot": items, "item": items, "site": ["DC"] * ITEMS, "quantity": [100] * ITEMS},
    }
    tables["lots"]["received_date"] = ["2026-01-01"] * ITEMS
    for name, columns in tables.items():
        pq.write_table(pa.table(columns), folder / f"{name}.parquet")
    draw = np.random.default_rng(1)
    row = draw.permutation(rows) if shuffled else np.arange(rows)
    mean = draw.gamma(2.0, 3.0, rows)
    forecasts = {
        "item": pa.array(items).take(pa.array(row // (STORES * days) % ITEMS)),
        "channel": pa.array(["walk"]).take(pa.array(np.zeros(rows, int))),
        "zone": pa.array(stores).take(pa.array(row // days % STORES)),
        "date": pa.array(START + row % days),
        "mean": mean,
        "std": mean / 2,
    }
    pq.write_table(pa.table(forecasts), folder / "forecasts.parquet")


def read(folder: str) -> None:
    """Read the network in this process and print what it took."""
    began = time.perf_counter()
    from allocator.tables import read_tables

    loaded = time.perf_counter()
    tables = read_tables(folder)
    done = time.perf_counter()
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024**2
    report = {
        "rows": tables.encoded("forecasts").num_rows,
        "import_seconds": round(loaded - began, 3),
        "seconds": round(done - loaded, 3),
        "peak_rss_gib": round(peak, 3),
    }
    began = time.perf_counter()
    digest = tables.input_hash
    report |= {"hash_seconds": round(time.perf_counter() - began, 3), "input_hash": digest}
    print(json.dumps(report))


def main(rows: int) -> None:
    """Generate a network in a temporary folder and read it in a fresh process."""
    with tempfile.TemporaryDirectory() as folder:
        generate(Path(folder), rows)
        root = Path(__file__).resolve().parent.parent
        command = [sys.executable, __file__, "--read", folder]
        subprocess.run(command, check=True, cwd=root, env={"PYTHONPATH": str(root)})


if __name__ == "__main__":
    if sys.argv[1:2] == ["--read"]:
        read(sys.argv[2])
    else:
        main(int(sys.argv[1]) if len(sys.argv) > 1 else 5_000_000)
