"""Time the lot assigner on a made-up network: DCs ship to stores, DCs and stores serve; print one JSON line.

Run with `python benchmarks/lots.py [--items N] [--stores S] [--moves-per-item M] [--lots-per-site L] [--bar SECONDS]`.
"""

from __future__ import annotations

import argparse
import json
import resource
import sys
import time
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from allocator.lots import NEVER, LotStock, Moves, Rule, assign

BUCKETS = 14
DCS = 4
LIFE = np.array([0, 2, 7])


def make_stock(rng: np.random.Generator, items: int, sites: int, lots_per_site: int, rotation: np.ndarray) -> LotStock:
    """Lay lots at every item and site; one in twenty comes in later."""
    rows = items * sites * lots_per_site
    item = np.repeat(np.arange(items, dtype=np.int32), sites * lots_per_site)
    site = np.tile(np.repeat(np.arange(sites, dtype=np.int32), lots_per_site), items)
    quantity = rng.integers(1, 13, rows) * np.where(site < DCS, 40, 1)
    later = rng.random(rows) < 0.05
    available = np.where(later, rng.integers(0, BUCKETS, rows), 0)
    received = np.where(later, available, -rng.integers(0, 60, rows))
    lot = rng.integers(0, items * 50, rows)
    lasts = (rotation[item] != Rule.FEFO) & (item % 3 > 0)
    expiry = np.where(lasts, NEVER, 3 + (lot * 7919) % 120 + np.maximum(received, 0))
    columns = (item, site, quantity.astype(float), received, expiry, lot, available)
    order = rng.permutation(rows)
    return LotStock(*(c[order] if c.dtype == float else c[order].astype(np.int32) for c in columns))


def make_moves(rng: np.random.Generator, items: int, stores: int, per_item: int) -> Moves:
    """Make per item two shipments from DCs for every three admissions, most of them at stores."""
    rows = items * per_item
    item = np.repeat(np.arange(items, dtype=np.int32), per_item)
    ships = rng.random(rows) < 0.4
    store = DCS + rng.integers(0, stores, rows)
    origin = np.where(ships | (rng.random(rows) < 0.1), rng.integers(0, DCS, rows), store)
    destination = np.where(ships, store, -1)
    bucket = rng.integers(0, BUCKETS, rows)
    arrive = bucket + store % 3
    arrive_bucket = np.where(ships & (arrive < BUCKETS), arrive, -1)
    need = np.where(ships, arrive, bucket + LIFE[rng.integers(0, len(LIFE), rows)])
    quantity = np.where(ships, rng.integers(1, 5, rows) * 6, rng.integers(1, 13, rows)).astype(float)
    columns = (item, origin, destination, bucket, arrive_bucket, bucket, arrive, need)
    order = rng.permutation(rows)
    coded = [column[order].astype(np.int32) for column in columns]
    return Moves(*coded, quantity[order], np.arange(rows, dtype=np.int64)[order], np.full(rows, -1, np.int32))


def main() -> int:
    """Run the case and print its figures; exit 5 when slower than the bar."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--items", type=int, default=4000)
    parser.add_argument("--stores", type=int, default=96)
    parser.add_argument("--moves-per-item", type=int, default=250)
    parser.add_argument("--lots-per-site", type=int, default=5)
    parser.add_argument("--repeat", type=int, default=1)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--bar", type=float, default=5.0)
    options = parser.parse_args()
    rng = np.random.default_rng(0)
    rotation = rng.choice(np.array([0, 0, 0, 1, 1, 2], dtype=np.int8), options.items)
    stock = make_stock(rng, options.items, DCS + options.stores, options.lots_per_site, rotation)
    moves = make_moves(rng, options.items, options.stores, options.moves_per_item)
    quantum = np.where(np.arange(options.items) % 20 == 0, 0.0, 1.0)
    last_day = np.arange(BUCKETS, dtype=np.int32)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    seconds = []
    for _ in range(options.repeat):
        began = time.perf_counter()
        result = assign(stock, moves, rotation, quantum, last_day, threads=options.threads)
        seconds.append(time.perf_counter() - began)
    figures = {
        "seconds": round(min(seconds), 3),
        "bar": options.bar,
        "threads": options.threads,
        "moves": len(moves),
        "lots": len(stock),
        "items": options.items,
        "sites": DCS + options.stores,
        "buckets": BUCKETS,
        "pieces": len(result.pieces),
        "waste_rows": len(result.waste),
        "closing_rows": len(result.closing),
        "filled_share": round(float(result.filled.sum() / moves.quantity.sum()), 4),
        "rss_before_mb": before // 1024,
        "peak_rss_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024,
    }
    print(json.dumps(figures))
    return 0 if min(seconds) <= options.bar else 5


if __name__ == "__main__":
    sys.exit(main())
