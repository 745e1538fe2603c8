"""Build one network's program both ways in this process: ours, and item by item in plain Pyomo. One JSON line.

Run as ``python -m benchmarks.building NETWORK [REPEAT]``. Both sides start from the same coded network, in the same process, ours before and after
Pyomo's; imports are done before. Ours ends with the arrays HiGHS takes; Pyomo's with its model (turning that into arrays comes on top).
"""

from __future__ import annotations

import gc
import json
import resource
import statistics
import sys
import time
from collections.abc import Callable
from functools import partial
from typing import Any


class Stopwatch:
    """Seconds of wall clock and of this process's CPU, by phase."""

    def __init__(self) -> None:
        self.wall: dict[str, float] = {}
        self.cpu: dict[str, float] = {}

    def __call__(self, phase: str, function: Callable[[], Any]) -> Any:
        """Call, and add what it took to the phase."""
        wall, cpu = time.perf_counter(), time.process_time()
        result = function()
        self.wall[phase] = self.wall.get(phase, 0.0) + time.perf_counter() - wall
        self.cpu[phase] = self.cpu.get(phase, 0.0) + time.process_time() - cpu
        return result


def phases(network: Any) -> tuple[Stopwatch, Any]:
    """Build as :func:`allocator.program.stack.build_program` does, phase by phase; the program, too."""
    from allocator.network.prices import build_prices
    from allocator.program.classes import build_classes
    from allocator.program.data import build_items
    from allocator.program.lift import compile_blocks
    from allocator.program.resources import compile_resources, resource_data
    from allocator.program.stack import _stack
    from allocator.program.stamp import stamp
    from allocator.program.structure import build_structure

    watch = Stopwatch()
    prices = watch("data", lambda: build_prices(network))
    classes = watch("data", lambda: build_classes(network))
    pieces = []
    templates = watch("compile", lambda: list(compile_blocks(partial(build_structure, network), classes.groups)))
    for size, template in templates:
        data = watch("data", partial(build_items, network, template.structure, classes, prices, classes.groups[size]))
        pieces.append(watch("stamp", partial(stamp, template, data)))
    shared = watch("shared", lambda: compile_resources(build_structure(network, 1), resource_data(network, prices)))
    return watch, watch("stack", lambda: _stack(pieces, shared, classes, prices))


def measure(folder: str, repeat: int) -> dict[str, Any]:
    """Measure both sides."""
    import pyomo.environ  # noqa: F401
    from pyomo.repn.plugins.parameterized_standard_form import ParameterizedLinearStandardFormCompiler  # noqa: F401
    from pyomo.repn.plugins.standard_form import LinearStandardFormCompiler

    from allocator.network import build_network
    from allocator.program.stack import build_program
    from allocator.tables import read_tables
    from tests.program.plain import whole_model

    first = Stopwatch()
    tables = first("read", lambda: read_tables(folder))
    network = first("network", lambda: build_network(tables))
    ours, plain = Stopwatch(), Stopwatch()
    runs: list[Stopwatch] = []

    def build() -> Any:
        runs.append(Stopwatch())
        return runs[-1]("all", lambda: build_program(network))

    shape = ours("all", build).shape
    for _ in range(repeat):
        build()
    parts, _ = phases(network)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    model = plain("model", lambda: whole_model(network))
    plain("arrays", partial(LinearStandardFormCompiler().write, model, mixed_form=True))
    after = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    del model
    gc.collect()
    for _ in range(repeat):
        build()
    warm = runs[1:]
    seconds = statistics.median(run.wall["all"] for run in warm)
    cpu = statistics.median(run.cpu["all"] for run in warm)
    return {
        "rows": shape[0],
        "columns": shape[1],
        "nonzeros": shape[2],
        "items": len(network.items),
        "read_seconds": first.wall["read"],
        "network_seconds": first.wall["network"],
        "phases_cpu_seconds": parts.cpu,
        "ours": {"wall": seconds, "cpu": cpu, "first_cpu": runs[0].cpu["all"], "runs": len(warm)},
        "pyomo": {"wall": plain.wall["model"], "cpu": plain.cpu["model"], "runs": 1},
        "pyomo_arrays": {"wall": plain.wall["arrays"], "cpu": plain.cpu["arrays"], "runs": 1},
        "ratio": plain.cpu["model"] / cpu,
        "ratio_wall": plain.wall["model"] / seconds,
        "pyomo_memory_mib": (after - before) // 1024,
    }


if __name__ == "__main__":
    print(json.dumps(measure(sys.argv[1], int(sys.argv[2]) if len(sys.argv) > 2 else 3)))
