"""A PostgreSQL server of the tests' own: a fresh cluster in a temporary folder, a unix socket, no network."""

from __future__ import annotations

import contextlib
import glob
import os
import pwd
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from urllib.parse import quote

OWN = "ALLOCATOR_TEST_POSTGRESQL"
"""Environment variable with the URL of a database in which tests may make and drop schemas, in place of a server of their own."""


def programs() -> Path | None:
    """Folder of initdb and pg_ctl."""
    found = shutil.which("initdb")
    known = [str(Path(found).resolve().parent)] if found else []
    for folder in [*known, *sorted(glob.glob("/usr/lib/postgresql/*/bin"), reverse=True)]:
        if all((Path(folder) / name).exists() for name in ("initdb", "pg_ctl", "postgres")):
            return Path(folder)
    return None


def missing() -> str | None:
    """Why there can be no tests with PostgreSQL here; None if there can."""
    if find_spec("adbc_driver_postgresql") is None:
        return "the extra [postgres] is not installed"
    if os.environ.get(OWN):
        return None
    if programs() is None:
        return f"no PostgreSQL server here (initdb, pg_ctl): install it, or give {OWN} the URL of one"
    if os.geteuid() == 0 and _other_user() is None:
        return "PostgreSQL does not run as root, and there is no other user to run it as"
    return None


def _other_user() -> str | None:
    names = {entry.pw_name for entry in pwd.getpwall()}
    return next((name for name in ("postgres", "nobody") if name in names), None)


class Server:
    """A running server.

    Attributes
    ----------
    url : str
        Of its database, without any schema.
    """

    def __init__(self, folder: Path, bin_folder: Path) -> None:
        self.folder, self._bin = folder, bin_folder
        self._user = _other_user() if os.geteuid() == 0 else None
        if self._user is not None:
            shutil.chown(folder, self._user)
        options = ["-A", "trust", "-U", "planner", "-E", "UTF8", "--locale=C", "--no-sync"]
        self._run("initdb", "-D", str(folder / "data"), *options)
        self.url = f"postgresql://planner@/postgres?host={quote(str(folder), safe='')}"
        self.start()

    def start(self) -> None:
        """Start it, and wait until it answers."""
        settings = f"-k {self.folder} -c listen_addresses='' -c fsync=off -c shared_buffers=16MB -c max_connections=30"
        self._run(
            "pg_ctl",
            "-D",
            str(self.folder / "data"),
            "-w",
            "-t",
            "60",
            "-l",
            str(self.folder / "log"),
            "-o",
            settings,
            "start",
        )

    def kill(self) -> None:
        """Stop it at once, without any shutdown, as a crash would; the next start recovers."""
        self._run("pg_ctl", "-D", str(self.folder / "data"), "-w", "-m", "immediate", "stop")

    def _run(self, program: str, *arguments: str) -> None:
        user = (
            {}
            if self._user is None
            else {"user": self._user, "group": pwd.getpwnam(self._user).pw_gid, "extra_groups": []}
        )
        command = [str(self._bin / program), *arguments]
        environment = {"PATH": os.environ["PATH"], "LC_ALL": "C"}
        with tempfile.TemporaryFile() as told:
            done = subprocess.run(
                command,
                cwd=self.folder,
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=told,
                stderr=told,
                timeout=120,
                **user,
            )  # type: ignore[call-overload]
            told.seek(0)
            assert done.returncode == 0, told.read().decode(errors="replace")


@contextlib.contextmanager
def running() -> Iterator[Server]:
    """A server of its own for a while."""
    folder = Path(tempfile.mkdtemp(prefix="allocator-pg-"))
    bin_folder = programs()
    assert bin_folder is not None
    try:
        server = Server(folder, bin_folder)
        yield server
    finally:
        pid = folder / "data" / "postmaster.pid"
        if pid.exists():
            with contextlib.suppress(ProcessLookupError, ValueError):
                os.kill(int(pid.read_text().split()[0]), signal.SIGQUIT)
        shutil.rmtree(folder, ignore_errors=True)
