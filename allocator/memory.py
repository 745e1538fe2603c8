"""Memory: what this process may still take, and giving back what is free in it."""

from __future__ import annotations

import ctypes
import sys
from pathlib import Path


def give_back() -> None:
    """Give freed memory back to the system between stages; glibc keeps it, so that the peaks of stages would add up."""
    if not sys.platform.startswith("linux"):
        return
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
    if trim is not None:
        trim(0)


def available() -> int | None:
    """Memory that this process may still take: the machine's, or its control group's where that is less. [bytes]"""
    found = [_meminfo(), *_group()]
    known = [room for room in found if room is not None]
    return min(known) if known else None


def _meminfo() -> int | None:
    try:
        for line in Path("/proc/meminfo").read_text(encoding="ascii").splitlines():
            if line.startswith("MemAvailable:"):
                return int(line.split()[1]) << 10
    except (OSError, ValueError):
        return None
    return None


def _group() -> list[int]:
    """Room in the control group of this process, as a container sees it (version 2, else 1)."""
    for limit, used in (
        ("memory.max", "memory.current"),
        ("memory/memory.limit_in_bytes", "memory/memory.usage_in_bytes"),
    ):
        try:
            most, now = (Path("/sys/fs/cgroup", name).read_text(encoding="ascii").strip() for name in (limit, used))
            if most != "max":
                return [max(int(most) - int(now), 0)]
        except (OSError, ValueError):
            continue
    return []
