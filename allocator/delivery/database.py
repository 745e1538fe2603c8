"""A plan in a database: staged in tables of the session, then added in one transaction, keyed by its id."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from allocator.databases import Address, Session, connect, identifier
from allocator.delivery.parcel import DeliveryError, Parcel
from allocator.plan.publish import TABLES

PUBLISHED, CURRENT, PREFIX = "allocator_published", "allocator_current", "allocator_plan_"
"""The list of plans, the current plan of each network, and what the names of the plans' own tables begin with."""
KEYS = ("plan_id", "row_number")
BATCH = 1 << 16
"""Rows staged at a time."""

_LIST = (
    ("plan_id", "TEXT NOT NULL PRIMARY KEY"),
    ("contents", "TEXT NOT NULL"),
    ("network", "TEXT NOT NULL"),
    ("scenario", "TEXT NOT NULL"),
    ("start", "TEXT NOT NULL"),
    ("horizon_days", "BIGINT NOT NULL"),
    ("input_hash", "TEXT NOT NULL"),
    ("status", "TEXT NOT NULL"),
    ("objective", "DOUBLE PRECISION NOT NULL"),
    ("bound", "DOUBLE PRECISION"),
    ("gap", "DOUBLE PRECISION"),
    ("certificate", "TEXT NOT NULL"),
    ("manifest", "TEXT NOT NULL"),
    ("published", "TEXT NOT NULL"),
)


def prepare(address: Address) -> None:
    """Make the list of plans where there is none: whoever may do that may publish.

    Raises
    ------
    DatabaseError
    """
    with connect(address) as session, session.transaction():
        _make_lists(session)


def write(parcel: Parcel, address: Address) -> tuple[bool, bool]:
    """Write a plan; gives whether it was there already, and whether other contents of it were.

    Raises
    ------
    DatabaseError, DeliveryError
        When the database refuses or goes away; it is then as it was.
    """
    with connect(address) as session:
        with session.transaction():
            _make_lists(session)
            known = _known(session, parcel)
            if known == parcel.contents:
                _make_current(session, parcel)
                return True, False
        schemas = {name: _stage(session, parcel, name) for name in TABLES}
        with session.transaction():
            known = _known(session, parcel)
            if known != parcel.contents:
                for name in TABLES:
                    _make_table(session, name, schemas[name])
                _enter(session, parcel, fresh=known is None)
                for name in TABLES:
                    _add(session, parcel, name, schemas[name], fresh=known is None)
            _make_current(session, parcel)
        return known == parcel.contents, known is not None and known != parcel.contents


def _make_lists(session: Session) -> None:
    columns = ", ".join(f"{name} {kind}" for name, kind in _LIST)
    session.run(f"CREATE TABLE IF NOT EXISTS {PUBLISHED} ({columns})")
    session.run(
        f"CREATE TABLE IF NOT EXISTS {CURRENT} (network TEXT NOT NULL, scenario TEXT NOT NULL, "
        f"plan_id TEXT NOT NULL REFERENCES {PUBLISHED} (plan_id), since TEXT NOT NULL, PRIMARY KEY (network, scenario))"
    )


def _known(session: Session, parcel: Parcel) -> str | None:
    found = session.table(f"SELECT contents FROM {PUBLISHED} WHERE plan_id = ?", parcel.plan_id)
    return str(found["contents"][0].as_py()) if found.num_rows else None


def _stage(session: Session, parcel: Parcel, name: str) -> pa.Schema:
    """Bring a table's rows into a table of the session, a batch at a time; gives its columns."""
    parcel.files[f"{name}.parquet"].seek(0)
    file = pq.ParquetFile(parcel.files[f"{name}.parquet"], page_checksum_verification=True)
    schema = file.schema_arrow.remove_metadata()
    if clash := set(KEYS) & set(schema.names):
        raise DeliveryError(f"table {name} has a column {min(clash)}, which is ours; this is a fault of the program")
    staged = pa.schema([pa.field(KEYS[1], pa.int64()), *schema])

    def numbered() -> Iterator[pa.RecordBatch]:
        first = 0
        for part in file.iter_batches(BATCH):
            number = pa.array(np.arange(first, first + part.num_rows, dtype=np.int64))
            first += part.num_rows
            yield pa.RecordBatch.from_arrays([number, *part.columns], schema=staged)

    session.load(_staged(name), pa.RecordBatchReader.from_batches(staged, numbered()))
    return schema


def _staged(name: str) -> str:
    return f"staged_{name}"


def _make_table(session: Session, name: str, schema: pa.Schema) -> None:
    """Make a plan's table where there is none; one that is there must have the same columns."""
    table = PREFIX + name
    columns = ", ".join(f"{identifier(field.name)} {_kind(field.type, session.address.kind)}" for field in schema)
    session.run(
        f"CREATE TABLE IF NOT EXISTS {table} (plan_id TEXT NOT NULL REFERENCES {PUBLISHED} (plan_id), row_number BIGINT NOT NULL, "
        f"{columns}, PRIMARY KEY (plan_id, row_number))"
    )
    there = session.table(f"SELECT * FROM {table} WHERE 1 = 0").column_names
    if missing := [column for column in schema.names if column not in there]:
        raise DeliveryError(
            f"{session.address.shown}: table {table} has no column {missing[0]}, another version made it; "
            "rename or drop the tables allocator_plan_*, allocator_current and allocator_published"
        )


def _kind(kind: pa.DataType, database: str) -> str:
    if pa.types.is_boolean(kind):
        return "BOOLEAN"
    if pa.types.is_integer(kind):
        return "BIGINT"
    if pa.types.is_floating(kind):
        return "DOUBLE PRECISION"
    if pa.types.is_date(kind) and database == "postgresql":
        return "DATE"
    return "TEXT"


def _enter(session: Session, parcel: Parcel, fresh: bool) -> None:
    """Note the plan in the list; inside the transaction."""
    paper, facts = parcel.json("certificate.json"), parcel.manifest
    row = {
        "plan_id": parcel.plan_id,
        "contents": parcel.contents,
        "network": str(facts["network"]),
        "scenario": parcel.scenario,
        "start": str(facts.get("start", "")),
        "horizon_days": int(facts.get("horizon_days", 0)),
        "input_hash": str(facts.get("input_hash", "")),
        "status": str(paper["status"]),
        "objective": float(paper["objective"]),
        "bound": _figure(paper.get("bound")),
        "gap": _figure(paper.get("gap")),
        "certificate": parcel.read("certificate.json").decode(),
        "manifest": parcel.text,
        "published": _now(),
    }
    kinds = {name: kind.removesuffix(" PRIMARY KEY").removesuffix(" NOT NULL") for name, kind in _LIST}
    marks = {name: f"CAST(? AS {kinds[name]})" for name in row}
    if fresh:
        session.run(f"INSERT INTO {PUBLISHED} ({', '.join(row)}) VALUES ({', '.join(marks.values())})", *row.values())
        return
    parts = ", ".join(f"{name} = {mark}" for name, mark in marks.items())
    session.run(f"UPDATE {PUBLISHED} SET {parts} WHERE plan_id = ?", *row.values(), parcel.plan_id)


def _add(session: Session, parcel: Parcel, name: str, schema: pa.Schema, fresh: bool) -> None:
    """Move the staged rows over; inside the transaction."""
    table, staged = PREFIX + name, _staged(name)
    if not fresh:
        session.run(f"DELETE FROM {table} WHERE plan_id = ?", parcel.plan_id)
    columns = ", ".join(map(identifier, schema.names))
    session.run(
        f"INSERT INTO {table} (plan_id, row_number, {columns}) SELECT CAST(? AS TEXT), row_number, {columns} FROM {staged}",
        parcel.plan_id,
    )
    there = session.table(f"SELECT count(*) AS n FROM {table} WHERE plan_id = ?", parcel.plan_id)["n"][0].as_py()
    wanted = pq.read_metadata(parcel.files[f"{name}.parquet"]).num_rows
    if there != wanted:
        raise DeliveryError(f"{session.address.shown}: {table} took {there:,} of {wanted:,} rows; nothing was changed")


def _make_current(session: Session, parcel: Parcel) -> None:
    """Make a plan the current one of its network and scenario; inside the transaction."""
    which = (str(parcel.manifest["network"]), parcel.scenario)
    found = session.table(f"SELECT plan_id FROM {CURRENT} WHERE network = ? AND scenario = ?", *which)
    if not found.num_rows:
        session.run(f"INSERT INTO {CURRENT} VALUES (?, ?, ?, ?)", *which, parcel.plan_id, _now())
    elif found["plan_id"][0].as_py() != parcel.plan_id:
        session.run(
            f"UPDATE {CURRENT} SET plan_id = ?, since = ? WHERE network = ? AND scenario = ?",
            parcel.plan_id,
            _now(),
            *which,
        )


def _figure(value: object) -> float | None:
    return float(value) if isinstance(value, int | float) else None


def _now() -> str:
    """When a row was written, for people; nothing is decided by it."""
    return dt.datetime.now(dt.UTC).isoformat(timespec="milliseconds")
