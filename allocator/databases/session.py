"""Sessions with SQLite and PostgreSQL: one spelling of SQL with bound values, whole tables in and out as Arrow."""

from __future__ import annotations

import contextlib
import importlib
import itertools
import re
import sqlite3
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, Protocol

import pyarrow as pa

from allocator.databases.address import Address

WAIT = 120.0
"""Seconds to wait for another process that writes."""
_BATCH = 1 << 16


class DatabaseError(RuntimeError):
    """A database that refuses; one line, without secrets."""


def identifier(name: str) -> str:
    """A name quoted for SQL.

    Raises
    ------
    DatabaseError
        When no database takes such a name.
    """
    if not name or "\0" in name or len(name.encode()) > 63:
        raise DatabaseError(f"{name[:80]!r} can't be the name of a table or schema; give 1 to 63 bytes without NUL")
    return '"' + name.replace('"', '""') + '"'


class Session(Protocol):
    """One connection. Values are always bound: ``?`` in the text stands for the next of them."""

    address: Address

    def run(self, sql: str, *values: Any) -> None:
        """Run one statement."""

    def table(self, sql: str, *values: Any) -> pa.Table:
        """Run a query and give its rows."""

    def batches(self, sql: str) -> Iterator[pa.RecordBatch]:
        """Run a query and give its rows a part at a time."""

    def load(self, name: str, rows: pa.Table | pa.RecordBatchReader) -> None:
        """Make a temporary table of this session with these rows, in place of an older one."""

    def fill(self, name: str, rows: pa.Table) -> None:
        """Append rows to a table that is there."""

    def transaction(self) -> contextlib.AbstractContextManager[None]:
        """All statements inside or none; no other transaction of ours writes meanwhile."""

    def reading(self) -> contextlib.AbstractContextManager[None]:
        """All queries inside see the database as it was at one moment; none changes it."""

    def close(self) -> None:
        """End the connection."""


@contextlib.contextmanager
def connect(address: Address, create: bool = True, read_only: bool = False) -> Iterator[Session]:
    """Open a session.

    Parameters
    ----------
    address : Address
    create : bool
        Make SQLite's file when there is none.
    read_only : bool
        Open SQLite's file without writing beside it.

    Raises
    ------
    DatabaseError
        When there is no such database, the driver is not installed, or a statement is refused; without secrets.
    """
    with _told(address):
        session: Session = _Sqlite(address, create, read_only) if address.kind == "sqlite" else _Postgres(address)
    try:
        with _told(address):
            yield session
    finally:
        with contextlib.suppress(Exception):
            session.close()


@contextlib.contextmanager
def _told(address: Address) -> Iterator[None]:
    try:
        yield
    except DatabaseError:
        raise
    except Exception as error:
        if not _of_driver(error):
            raise
        raise DatabaseError(_line(address, error)) from None


def _line(address: Address, error: Exception) -> str:
    """What an error says, in one line and without secrets."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return f"{address.shown}: {address.scrubbed('; '.join(lines[:2])) or type(error).__name__}"


def _of_driver(error: Exception) -> bool:
    return isinstance(error, sqlite3.Error) or type(error).__module__.startswith("adbc_driver")


class _Sqlite:
    """SQLite by the standard library: write-ahead log, synced at every commit."""

    def __init__(self, address: Address, create: bool, read_only: bool) -> None:
        self.address = address
        path = Path(address.target)
        if not create and not path.is_file():
            raise DatabaseError(f"{address.shown}: there is no such file; check the path")
        if create and not path.resolve().parent.is_dir():
            raise DatabaseError(f"{address.shown}: its folder does not exist; make it first")
        uri = f"{path.resolve().as_uri()}?mode={'ro' if read_only else 'rwc' if create else 'rw'}"
        self._link = sqlite3.connect(uri, uri=True, timeout=WAIT, isolation_level=None)
        if create:
            self._link.execute("PRAGMA journal_mode=WAL")
        self._link.execute("PRAGMA synchronous=FULL")
        self._link.execute("PRAGMA recursive_triggers=ON")

    def run(self, sql: str, *values: Any) -> None:
        self._link.execute(sql, values)

    def table(self, sql: str, *values: Any) -> pa.Table:
        cursor = self._link.execute(sql, values)
        names = [column[0] for column in cursor.description]
        parts = []
        while rows := cursor.fetchmany(_BATCH):
            parts.append(pa.table(dict(zip(names, map(list, zip(*rows, strict=True)), strict=True))))
        if not parts:
            return pa.table({name: pa.array([], pa.null()) for name in names})
        return pa.concat_tables(parts, promote_options="permissive")

    def batches(self, sql: str) -> Iterator[pa.RecordBatch]:
        cursor = self._link.execute(sql)
        names = [column[0] for column in cursor.description]
        while rows := cursor.fetchmany(_BATCH):
            yield pa.RecordBatch.from_arrays([_typed(column) for column in zip(*rows, strict=True)], names=names)

    def load(self, name: str, rows: pa.Table | pa.RecordBatchReader) -> None:
        self._link.execute(f"DROP TABLE IF EXISTS temp.{identifier(name)}")
        columns = ", ".join(f"{identifier(f.name)} {_sqlite_type(f.type)}" for f in rows.schema)
        self._link.execute(f"CREATE TEMP TABLE {identifier(name)} ({columns})")
        self._append(name, rows.schema, rows.to_batches(_BATCH) if isinstance(rows, pa.Table) else rows)

    def fill(self, name: str, rows: pa.Table) -> None:
        self._append(name, rows.schema, rows.to_batches(_BATCH))

    def _append(self, name: str, schema: pa.Schema, batches: Iterable[pa.RecordBatch]) -> None:
        marks = ", ".join("?" * len(schema))
        names = ", ".join(map(identifier, schema.names))
        for batch in batches:
            values = zip(*(_plain(column).to_pylist() for column in batch.columns), strict=True)
            self._link.executemany(f"INSERT INTO {identifier(name)} ({names}) VALUES ({marks})", values)

    @contextlib.contextmanager
    def transaction(self) -> Iterator[None]:
        self._link.execute("BEGIN IMMEDIATE")
        try:
            yield
        except BaseException:
            self._link.execute("ROLLBACK")
            raise
        self._link.execute("COMMIT")

    @contextlib.contextmanager
    def reading(self) -> Iterator[None]:
        self._link.execute("BEGIN")
        try:
            yield
        finally:
            with contextlib.suppress(sqlite3.Error):
                self._link.execute("ROLLBACK")

    def close(self) -> None:
        self._link.close()


def _typed(values: tuple[Any, ...]) -> pa.Array:
    """Cells of SQLite, where each may be of another type, in one type that holds them all as written."""
    kinds = {type(value) for value in values} - {type(None)}
    if not kinds:
        return pa.nulls(len(values))
    if bytes in kinds:
        return pa.array([value if type(value) is bytes else None for value in values], pa.binary())
    if kinds <= {int}:
        return pa.array(values, pa.int64())
    if kinds <= {int, float}:
        return pa.array([value if value is None else float(value) for value in values], pa.float64())
    return pa.array([value if value is None else str(value) for value in values], pa.string())


def _sqlite_type(kind: pa.DataType) -> str:
    if pa.types.is_integer(kind) or pa.types.is_boolean(kind):
        return "INTEGER"
    return "REAL" if pa.types.is_floating(kind) else "TEXT"


def _plain(column: pa.Array) -> pa.Array:
    """What SQLite has no type for, as text."""
    return column.cast(pa.string()) if pa.types.is_temporal(column.type) else column


class _Postgres:
    """PostgreSQL by ADBC (extra ``[postgres]``)."""

    def __init__(self, address: Address) -> None:
        self.address = address
        self._link = _driver().connect(address.target)  # passwords come from PGPASSWORD or ~/.pgpass
        self.run(f"SET lock_timeout TO {int(1000 * WAIT)}")
        if address.schema is not None:
            self.run(f"SET search_path TO {identifier(address.schema)}")
            if self.table("SELECT current_schema() AS name")["name"][0].as_py() is None:
                raise DatabaseError(f"{address.shown}: there is no schema {address.schema!r}; create it first")
        self._link.commit()

    def run(self, sql: str, *values: Any) -> None:
        with self._link.cursor() as cursor:
            cursor.execute(_numbered(sql), list(values) or None)

    def table(self, sql: str, *values: Any) -> pa.Table:
        with self._link.cursor() as cursor:
            cursor.execute(_numbered(sql), list(values) or None)
            with self._streaming():
                return cursor.fetch_arrow_table()

    def batches(self, sql: str) -> Iterator[pa.RecordBatch]:
        with self._link.cursor() as cursor:
            cursor.execute(sql)
            parts = iter(cursor.fetch_record_batch())
            while True:
                with self._streaming():
                    part = next(parts, None)
                if part is None:
                    return
                yield part

    @contextlib.contextmanager
    def _streaming(self) -> Iterator[None]:
        """A server that goes away while rows come in is told by Arrow, not by the driver."""
        try:
            yield
        except (OSError, pa.ArrowException) as error:
            raise DatabaseError(_line(self.address, error)) from None

    def load(self, name: str, rows: pa.Table | pa.RecordBatchReader) -> None:
        self.run(f"DROP TABLE IF EXISTS pg_temp.{identifier(name)}")
        with self._link.cursor() as cursor:
            cursor.adbc_ingest(name, rows, mode="create", temporary=True)

    def fill(self, name: str, rows: pa.Table) -> None:
        with self._link.cursor() as cursor:
            cursor.adbc_ingest(name, rows, mode="append")

    @contextlib.contextmanager
    def transaction(self) -> Iterator[None]:
        try:
            # the driver begins a transaction by itself; the lock is its first statement, so that all others see what was committed before
            self.run(
                "SELECT pg_advisory_xact_lock(hashtext(current_database() || '.' || current_schema() || '.allocator'))"
            )
            yield
        except BaseException:
            with contextlib.suppress(Exception):  # a connection that is gone has rolled back
                self._link.rollback()
            raise
        self._link.commit()

    @contextlib.contextmanager
    def reading(self) -> Iterator[None]:
        self._link.rollback()  # the level is said before the first query of a transaction
        self.run("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
        try:
            yield
        finally:
            with contextlib.suppress(Exception):
                self._link.rollback()

    def close(self) -> None:
        with contextlib.suppress(Exception):
            self._link.rollback()
        self._link.close()


def _numbered(sql: str) -> str:
    count = itertools.count(1)
    return re.sub(r"\?", lambda _: f"${next(count)}", sql)


def _driver() -> Any:
    try:
        return importlib.import_module("adbc_driver_postgresql.dbapi")
    except ImportError:
        raise DatabaseError(
            "the driver of PostgreSQL is not installed; pip install 'inventory-allocator[postgres]'"
        ) from None
