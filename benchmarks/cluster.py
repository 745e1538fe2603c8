"""Two Ray actors against two local processes on the same network, turn about, start-up apart (bar: at most 15 % slower).

``python -m benchmarks.cluster NETWORK [--repeats 3] [--workers 2]``; JSON on standard output. Seconds count from the first order to the plan's
quantities, so neither reading nor the start of workers is in them; CPU seconds are those that workers spent on orders.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import statistics
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from allocator.network import build_network
from allocator.network.network import Network
from allocator.options import Watch
from allocator.priced.engine import Setting, solve_priced
from allocator.tables import read_tables
from benchmarks.nodes import Nodes

BAR = 1.15


def main() -> None:
    """Run and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("network", type=Path)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--gap", type=float, default=0.005)
    asked = parser.parse_args()
    network = build_network(read_tables(asked.network), None)
    with Nodes(2, (asked.workers + 1) // 2) as nodes, tempfile.TemporaryDirectory() as shared:
        os.environ.update(nodes.env)
        local = Setting(gap=asked.gap, workers=asked.workers)
        ray = Setting(gap=asked.gap, workers=asked.workers, cluster=nodes.address, shared=Path(shared))
        runs = [
            (name, measure(network, setting))
            for _ in range(asked.repeats)
            for name, setting in (("local", local), ("ray", ray))
        ]
    found = {name: _middle([facts for whose, facts in runs if whose == name]) for name in ("local", "ray")}
    ratios = {what: found["ray"][what] / found["local"][what] for what in ("seconds", "cpu_seconds")}
    same = len({facts["cost"] for _, facts in runs}) == 1
    machine = {"cpu_count": os.cpu_count(), "python": platform.python_version(), "load": os.getloadavg()}
    print(json.dumps({"machine": machine, "runs": runs, "median": found, "ratio": ratios, "same": same}, indent=1))
    sys.exit(0 if ratios["seconds"] <= BAR and same else 5)


def measure(network: Network, setting: Setting) -> dict[str, Any]:
    """One run."""
    marks: dict[str, float] = {}

    def stage(name: str) -> None:
        marks[name] = time.monotonic()

    plan = solve_priced(network, setting, Watch(stage))
    end = time.monotonic()
    return {
        "seconds": end - marks["prices"],
        "start_up_seconds": marks["prices"] - marks["program"],
        "cpu_seconds": plan.spent.cpu,
        "orders": plan.spent.orders,
        "rounds": plan.rounds,
        "cost": plan.cost,
        "bound": plan.bound,
    }


def _middle(runs: list[dict[str, Any]]) -> dict[str, float]:
    return {name: statistics.median(facts[name] for facts in runs) for name in ("seconds", "cpu_seconds")}


if __name__ == "__main__":
    main()
