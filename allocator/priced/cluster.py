"""Workers as actors of a Ray cluster that is already there: each owns its shards and reads the source from a folder all machines see.

Only this module touches Ray, and only when it is used. No cluster is started here, so nothing is made to listen.
"""

from __future__ import annotations

import contextlib
import importlib.metadata
import importlib.util
import logging
import os
import platform
import signal
import socket
import threading
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from allocator.engine.problem import SolverError
from allocator.engine.process import ONE_THREAD
from allocator.priced.crew import Arrays, Crew

IntArray = NDArray[np.int64]
Found = tuple[int, dict[str, Any] | None, Arrays]

INSTALL = "pip install 'inventory-allocator[ray]'"
ALIKE = ("inventory-allocator", "highspy", "numpy", "scipy", "pyomo")
"""Packages whose versions must be the same everywhere for the same plan."""
KNOCK = 5.0
"""Seconds for a cluster's port to answer."""
PATIENCE = 60.0
"""Seconds for the cluster to find a CPU for an actor; machines that are added on demand must come within it."""
LOOK = 1.0
"""Seconds between looks at actors that wait for a CPU."""
BIG = 100 * 1024
"""Bytes from which on an array goes through the object store, once for all actors, rather than with each order."""


class ClusterError(Exception):
    """The cluster can't be used as it is: what was expected, what was found, how to mend it."""


class Hand:
    """The actor: a desk, wherever Ray puts it.

    Parameters
    ----------
    folder : str
        Of :func:`allocator.priced.source.write_source`.
    """

    def __init__(self, folder: str) -> None:
        self._folder = Path(folder)
        self._desk: Any = None

    def hello(self) -> dict[str, Any]:
        """Where it runs, with what, and whether it sees the source."""
        for _ in range(20):  # a network file system may show a new folder a moment later
            seen = (self._folder / "source.json").is_file()
            if seen:
                break
            time.sleep(0.25)
        return {"host": socket.gethostname(), "pid": os.getpid(), "seen": seen, "versions": versions()}

    def do(self, order: dict[str, Any], names: list[str], *values: Any) -> tuple[dict[str, Any], Arrays]:
        """Carry out one order, as :meth:`allocator.priced.desk.Desk.do`."""
        from allocator.priced.desk import Desk

        try:
            if self._desk is None:
                self._desk = Desk(self._folder)
            facts, arrays = self._desk.do(order, dict(zip(names, values, strict=True)))
        except (SolverError, ArithmeticError, MemoryError) as error:
            return {"error": f"{type(error).__name__}: {error}", "shard": order.get("shard")}, {}
        plain = {name: value.item() if isinstance(value, np.generic) else value for name, value in facts.items()}
        return plain, {name: np.asarray(value) for name, value in arrays.items()}


class RayCrew(Crew):
    """Actors of a Ray cluster, one CPU and one HiGHS thread each.

    A lost actor is replaced by a fresh one rather than restarted by Ray: a restarted actor has none of its blocks and doesn't know it,
    and orders that reach it meanwhile fail. A fresh one queues its orders until it is there, on whichever machine has room.

    Parameters
    ----------
    source : Path
        Folder of :func:`allocator.priced.source.write_source`, which every machine must see.
    shards : list of (k,) int
        Items of each shard.
    workers : int
        Actors.
    address : str
        ``host:port``, ``ray://host:port``, or ``auto``: the cluster of this machine, or of ``RAY_ADDRESS``.

    Raises
    ------
    ClusterError
        When there is no cluster, no room in it, or its machines differ from this one or don't see the source.
    """

    def __init__(self, source: Path, shards: Sequence[IntArray], workers: int, address: str) -> None:
        super().__init__(shards, workers)
        reach(address)
        self._source, self._address = str(source.resolve()), address
        self._ray, self._ours = connect(address)
        self._asked: dict[Any, int] = {}
        self._greeting: dict[int, Any] = {}
        self._sent: dict[int, tuple[dict[str, Any], Arrays]] = {}
        self._born = [0.0] * self.workers
        self._crowded = [False] * self.workers
        self._shared: dict[str, tuple[Any, Any]] = {}
        self._hands: list[Any] = []
        self.places: list[tuple[str, int]] = [("", 0)] * self.workers
        """Host and process id of each actor."""
        try:
            self._hands = [self._start(worker) for worker in range(self.workers)]
            self._gather_round()
        except BaseException:
            self.close()
            raise

    def _start(self, worker: int, cpus: int = 1) -> Any:
        actor = self._ray.remote(Hand).options(
            num_cpus=cpus,
            max_restarts=0,
            max_task_retries=0,
            scheduling_strategy="SPREAD",
            runtime_env={"env_vars": ONE_THREAD},
        )
        hand = actor.remote(self._source)
        self._born[worker], self._crowded[worker] = time.monotonic(), cpus == 0
        self._greeting[worker] = hand.hello.remote()
        return hand

    def _gather_round(self) -> None:
        """Wait until every actor is there, and is what it should be."""
        greetings = list(self._greeting.values())
        here, missing = self._ray.wait(greetings, num_returns=len(greetings), timeout=PATIENCE)
        for worker, ref in list(self._greeting.items()):
            if ref in here:
                try:
                    self._greet(worker)
                except self._ray.exceptions.RayError as error:
                    raise ClusterError(
                        f"an actor did not start on the cluster at {self._address}: {_gist(error)}; "
                        f"every machine needs {INSTALL}, of the same version"
                    ) from None
        if missing:
            have, free = self._ray.cluster_resources(), self._ray.available_resources()
            placed = len(here)
            raise ClusterError(
                f"{self.workers} actors need a CPU each; the cluster at {self._address} has {have.get('CPU', 0):g} CPUs, "
                f"{free.get('CPU', 0) + placed:g} of them free, and no more came in {PATIENCE:g} s; "
                "give --workers a smaller number, end what else runs there, or add machines"
            )

    def _greet(self, worker: int) -> None:
        facts = self._ray.get(self._greeting.pop(worker))
        self.places[worker] = (facts["host"], facts["pid"])
        if not facts["seen"]:
            raise ClusterError(
                f"machine {facts['host']} does not see {self._source}; give --shared a folder that every machine of the cluster sees "
                "under the same path (and its user may read)"
            )
        for name, here in versions().items():
            if (there := facts["versions"].get(name)) != here:
                raise ClusterError(
                    f"machine {facts['host']} has {name} {there}, this one {here}; plans are the same only with the same versions: "
                    "install the same everywhere"
                )

    def _send(self, worker: int, order: dict[str, Any], arrays: Arrays) -> None:
        self._sent[worker] = (order, arrays)
        values = [self._passed(name, value) for name, value in arrays.items()]
        self._asked[self._hands[worker].do.remote(order, list(arrays), *values)] = worker

    def _passed(self, name: str, value: Any) -> Any:
        """A large array is put into the object store once, as long as the same one is sent."""
        if getattr(value, "nbytes", 0) < BIG:
            return value
        known = self._shared.get(name)
        if known is None or known[0] is not value:
            known = self._shared[name] = (value, self._ray.put(value))
        return known[1]

    def _next(self, timeout: float) -> Found | None:
        end = time.monotonic() + timeout
        while True:
            left = end - time.monotonic()
            pause = min(left, LOOK) if self._greeting else left
            refs = [*self._asked, *self._greeting.values()]
            ready, _ = self._ray.wait(refs, num_returns=1, timeout=None if np.isinf(pause) else max(pause, 0.01))
            for ref in ready:
                if ref in self._asked:
                    return self._reply(ref)
                self._welcome(ref)
            self._squeeze()
            if not ready and time.monotonic() >= end:
                return None

    def _reply(self, ref: Any) -> Found:
        worker = self._asked.pop(ref)
        del self._sent[worker]
        try:
            facts, arrays = self._ray.get(ref)
        except self._ray.exceptions.RayTaskError as error:
            raise SolverError(f"an actor on {self.places[worker][0]} failed: {_gist(error)}") from None
        except self._ray.exceptions.RayError:
            self._end(worker)
            return worker, None, {}
        return worker, facts, arrays

    def _welcome(self, ref: Any) -> None:
        """A replacement is there; one that was lost on the way is told by its order."""
        worker = next(w for w, greeting in self._greeting.items() if greeting == ref)
        with contextlib.suppress(self._ray.exceptions.RayError):
            self._greet(worker)

    def _squeeze(self) -> None:
        """Where no CPU is left for a replacement, it shares one: slower, but the run goes on."""
        for worker in list(self._greeting):
            if time.monotonic() - self._born[worker] < PATIENCE:
                continue
            if self._crowded[worker]:
                raise SolverError(
                    f"no machine of the cluster at {self._address} has taken an actor for {2 * PATIENCE:g} s"
                )
            sent = self._sent.get(worker)
            self._end(worker, cpus=0)
            if sent is not None:
                self._send(worker, *sent)

    def _end(self, worker: int, cpus: int = 1) -> None:
        self._dismiss(worker)
        self._hands[worker] = self._start(worker, cpus)

    def _dismiss(self, worker: int) -> None:
        self._asked = {ref: owner for ref, owner in self._asked.items() if owner != worker}
        self._sent.pop(worker, None)
        self._greeting.pop(worker, None)
        with contextlib.suppress(Exception):  # it may be gone with its machine
            self._ray.kill(self._hands[worker], no_restart=True)

    def close(self) -> None:
        for worker in range(len(self._hands)):
            self._dismiss(worker)
        self._hands = []
        if self._ours:
            self._ray.shutdown()
            self._ours = False


def versions() -> dict[str, str]:
    """What must be the same on every machine."""
    out = {"Python": ".".join(platform.python_version_tuple()[:2])}
    for name in ALIKE:
        with contextlib.suppress(importlib.metadata.PackageNotFoundError):
            out[name] = importlib.metadata.version(name)
    return out


def reach(address: str) -> None:
    """Refuse early what can't work: no Ray here, or nothing that answers at the address.

    Raises
    ------
    ClusterError
    """
    if importlib.util.find_spec("ray") is None:
        raise ClusterError(f"--cluster needs Ray, which is not installed: {INSTALL}")
    if address == "auto":
        return
    client, place = address.startswith("ray://"), address.removeprefix("ray://")
    host, _, port = place.rpartition(":")
    if not host and client:
        host, port = place, "10001"
    if not host or not port.isdigit():
        raise ClusterError(
            f"'{address}' is not the address of a Ray cluster; expected host:port (ray start --head shows it), ray://host:port, or auto"
        )
    if client and importlib.util.find_spec("grpc") is None:
        raise ClusterError(f"{address} needs Ray's client, which is not installed: pip install 'ray[client]'")
    try:
        socket.create_connection((host.strip("[]"), int(port)), timeout=KNOCK).close()
    except OSError as error:
        raise ClusterError(
            f"no Ray cluster answers at {address} ({error.strerror or error}); start one with ray start --head, or mend the address"
        ) from None


def connect(address: str) -> tuple[Any, bool]:
    """Join a cluster; Ray itself, and whether it is ours to leave. A program that has joined one stays in it.

    Raises
    ------
    ClusterError
    """
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    import ray

    if ray.is_initialized():
        return ray, False
    try:
        with _hushed():
            ray.init(address=address, log_to_driver=False, configure_logging=False)
    except ConnectionError as error:
        raise ClusterError(
            f"could not join the Ray cluster at {address}: {_gist(error)}; check that one runs there, that this machine is part of it "
            "(ray start --address=..., or ray:// from outside), and that RAY_AUTH_MODE and RAY_AUTH_TOKEN are the cluster's"
        ) from None
    except (RuntimeError, ValueError, ray.exceptions.RayError) as error:
        raise ClusterError(f"could not join the Ray cluster at {address}: {_gist(error)}") from None
    _silence(ray)
    return ray, True


@contextlib.contextmanager
def _hushed() -> Iterator[None]:
    """Ray's remarks on joining are not this program's, nor is how it ends on SIGTERM."""
    log = logging.getLogger("ray")
    level, ending = log.level, signal.getsignal(signal.SIGTERM)
    log.setLevel(logging.ERROR)
    try:
        yield
    finally:
        log.setLevel(level)
        if threading.current_thread() is threading.main_thread():
            signal.signal(signal.SIGTERM, ending)


def _silence(ray: Any) -> None:
    """Keep the deaths of actors, which Ray prints whatever it is told, out of standard output."""
    worker: Any = getattr(getattr(ray, "_private", None), "worker", None)
    if worker is not None:
        worker._worker_logs_enabled = False


def _gist(error: BaseException) -> str:
    """One line of an error of Ray: its cause, without traces."""
    cause = getattr(error, "cause", None) or error.__cause__ or error
    lines = [line.strip() for line in str(cause).splitlines() if line.strip()]
    named = [line for line in lines if "Error: " in line]
    return " ".join(named[-1:] or lines[:4]) or type(cause).__name__
