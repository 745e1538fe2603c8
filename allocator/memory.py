"""Memory: what this process may still take, a limit on that, and giving back what is free in it."""

from __future__ import annotations

import ctypes
import os
import sys
from pathlib import Path

_limit: int | None = None


class MemoryLimitError(ValueError):
    """A limit on memory that can't be kept: what is needed, and what would mend it."""


def keep_to(limit: int | None) -> None:
    """Limit what this process may take, with those it starts; None: only the machine does. [bytes]"""
    global _limit
    _limit = limit


def held() -> int:
    """Memory this process holds; 0 where the system does not say. [bytes]"""
    try:
        return int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1]) * os.sysconf("SC_PAGE_SIZE")
    except (OSError, ValueError, IndexError):
        return 0


def told(size: float) -> str:
    """A size for people: ``1.3 GB``, ``512 MB``."""
    return f"{size / 2**30:.1f} GB" if size >= 2**30 else f"{max(size, 0) / 2**20:.0f} MB"


def give_back() -> None:
    """Give freed memory back to the system between stages; glibc keeps it, so that the peaks of stages would add up."""
    if not sys.platform.startswith("linux"):
        return
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
    if trim is not None:
        trim(0)


def available() -> int | None:
    """Memory that this process may still take: the machine's, its control group's or that of :func:`keep_to`, whichever is least. [bytes]"""
    found = [_meminfo(), *_group(), None if _limit is None else max(_limit - held(), 0)]
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
