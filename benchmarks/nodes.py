"""A Ray cluster of several nodes on this machine, loopback only and with a token: for tests and benchmarks, never for work."""

from __future__ import annotations

import os
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from types import TracebackType

ROOT = Path(__file__).resolve().parent.parent
STORE = "100000000"
"""Bytes of a node's object store."""


class Nodes:
    """Raylets started from the command line, each a node of its own; a context manager that ends every process it started.

    Parameters
    ----------
    count : int
        Nodes; the first is the head.
    cpus : int
        Of each.
    """

    def __init__(self, count: int = 2, cpus: int = 1) -> None:
        # a short path: Ray's sockets lie below it, and their names may have 107 bytes
        self.folder = Path(tempfile.mkdtemp(prefix="rn-", dir="/tmp"))
        self.cpus, self.count = cpus, count
        self.nodes: list[subprocess.Popen[bytes]] = []
        self.token = secrets.token_hex(24)
        self.port = _free_port()

    @property
    def address(self) -> str:
        """For ``--cluster``."""
        return f"{_host(0)}:{self.port}"

    @property
    def env(self) -> dict[str, str]:
        """Of the nodes and of whoever joins them."""
        path = os.pathsep.join([str(ROOT), str(ROOT / "models")])
        return os.environ | {
            "PYTHONPATH": path,
            "RAY_AUTH_MODE": "token",
            "RAY_AUTH_TOKEN": self.token,
            "RAY_USAGE_STATS_ENABLED": "0",
        }

    def __enter__(self) -> Nodes:
        try:
            for _ in range(self.count):
                self.add()
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def add(self) -> subprocess.Popen[bytes]:
        """Start one more node and wait until it has joined."""
        head = ["--head", f"--port={self.port}", "--include-dashboard=false", f"--temp-dir={self.folder}"]
        join = [f"--address={self.address}", "--include-log-monitor=false"]
        log = (self.folder / f"node-{len(self.nodes)}.log").open("wb")
        with log:
            node = subprocess.Popen(
                [
                    str(Path(sys.executable).with_name("ray")), "start", "--block", f"--node-ip-address={_host(len(self.nodes))}",
                    f"--num-cpus={self.cpus}", f"--object-store-memory={STORE}", "--disable-usage-stats",
                    *(join if self.nodes else head),
                ],
                env=self.env, stdin=subprocess.DEVNULL, stdout=log, stderr=subprocess.STDOUT, start_new_session=True,
            )  # fmt: skip
        self.nodes.append(node)
        until = time.monotonic() + 120
        while "Ray runtime started" not in Path(log.name).read_text(errors="replace"):
            if node.poll() is not None or time.monotonic() > until:
                raise RuntimeError(f"a Ray node did not start: {Path(log.name).read_text(errors='replace')[-2000:]}")
            time.sleep(0.2)
        return node

    def raylet(self, node: int) -> int:
        """Process id of a node's raylet."""
        return next(pid for pid in _below(self.nodes[node].pid) if "/raylet/raylet" in _words(pid))

    def actors(self) -> list[int]:
        """Process ids of our actors, whatever they do."""
        mine = [pid for node in self.nodes for pid in _below(node.pid)]
        return [pid for pid in mine if _words(pid).startswith("ray::Hand")]

    def lose(self, node: int) -> None:
        """A machine that goes: every process of a node is killed at once."""
        for pid in [self.nodes[node].pid, *_below(self.nodes[node].pid)]:
            _kill(pid)
        self.nodes[node].wait()

    def close(self) -> None:
        """End every process of every node."""
        for node in reversed(range(len(self.nodes))):
            self.lose(node)
        for pid in _mentions(str(self.folder)):
            _kill(pid)
        shutil.rmtree(self.folder, ignore_errors=True)


def _host(node: int) -> str:
    """Loopback addresses: Ray would put this machine's outward address in the place of 127.0.0.1."""
    return f"127.0.0.{node + 2}"


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind((_host(0), 0))
        return int(probe.getsockname()[1])


def _kill(pid: int) -> None:
    try:
        os.kill(pid, signal.SIGKILL)
    except ProcessLookupError:
        return


def _pids() -> list[int]:
    return [int(path.name) for path in Path("/proc").iterdir() if path.name.isdigit()]


def _words(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
    except OSError:
        return ""


def _parent(pid: int) -> int:
    try:
        return int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])
    except OSError:
        return 0


def _below(top: int) -> list[int]:
    """Process ids of all descendants."""
    parents = {pid: _parent(pid) for pid in _pids()}
    found, layer = [], {top}
    while layer:
        layer = {pid for pid, parent in parents.items() if parent in layer}
        found += sorted(layer)
    return found


def _mentions(text: str) -> list[int]:
    """Process ids of ours whose command line names a folder that only our nodes have."""
    return [pid for pid in _pids() if pid != os.getpid() and text in _words(pid)]
