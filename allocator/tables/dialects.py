"""What each database calls its tables and types, and how a column is asked for so that nothing of it is lost."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Protocol

from allocator.databases import Session, identifier
from allocator.tables.convert import TEXT_LENGTH

LONG = 4 * (TEXT_LENGTH + 1)
"""Bytes from which a text is longer than any cell may be; of such a one only the beginning is fetched, filled up so that it stays too long."""


class Dialect(Protocol):
    """One kind of database."""

    def catalogue(self) -> dict[str, dict[str, str]]:
        """Return the tables and views of the schema, their columns, and each column's type."""

    def expression(self, column: str, kind: str) -> str | None:
        """Return SQL that gives a column as text, number or flag; None when its type can't hold what a network holds."""

    def selection(
        self, table: str, columns: Mapping[str, str], names: Iterable[str], keys: Iterable[str], long: int = LONG
    ) -> str:
        """Return SQL for some columns of a table, its rows in the order of its key."""


class Sqlite:
    """SQLite, where every cell has a type of its own."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def catalogue(self) -> dict[str, dict[str, str]]:
        """Tables and views of the file."""
        found = self._session.table(
            "SELECT m.name AS name, p.name AS part, p.type AS kind FROM sqlite_master m, pragma_table_info(m.name) p "
            "WHERE m.type IN ('table', 'view') AND substr(m.name, 1, 7) <> 'sqlite_' ORDER BY m.name, p.cid"
        )
        return _catalogue(found.to_pylist())

    def expression(self, column: str, kind: str) -> str | None:
        """Any column; what it holds is seen cell by cell."""
        return identifier(column)

    def selection(
        self, table: str, columns: Mapping[str, str], names: Iterable[str], keys: Iterable[str], long: int = LONG
    ) -> str:
        """Return SQL for some columns."""
        wanted = ", ".join(self._bounded(identifier(name), long) for name in names)
        order = ", ".join(identifier(name) for name in keys if name in columns)
        return f"SELECT {wanted} FROM {identifier(table)}{f' ORDER BY {order}' if order else ''}"

    @staticmethod
    def _bounded(name: str, long: int) -> str:
        filler = f"hex(zeroblob({long // 2}))"
        return (
            f"CASE WHEN typeof({name}) = 'blob' THEN zeroblob(1) WHEN typeof({name}) = 'text' AND length(CAST({name} AS BLOB)) > {long} "
            f"THEN substr({name}, 1, 40) || '…' || {filler} ELSE {name} END AS {name}"
        )


class Postgresql:
    """PostgreSQL; what is exact there (numeric) is fetched as text, as a CSV file would give it."""

    _WORDS = frozenset({"text", "character varying", "character", "name", "uuid", "citext", "enum"})
    _PLAIN = frozenset({"smallint", "integer", "bigint", "double precision", "boolean"})
    _SPELLED = frozenset({"numeric", "real", "date"})

    def __init__(self, session: Session) -> None:
        self._session = session
        session.run("SET LOCAL datestyle TO 'ISO, YMD'")
        session.run("SET LOCAL extra_float_digits TO 1")

    def catalogue(self) -> dict[str, dict[str, str]]:
        """Tables and views of the schema."""
        found = self._session.table(
            "SELECT c.relname::text AS name, a.attname::text AS part, CASE WHEN b.typtype = 'e' THEN 'enum' "
            "ELSE format_type(b.oid, NULL) END AS kind FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid "
            "JOIN pg_type t ON t.oid = a.atttypid JOIN pg_type b ON b.oid = CASE t.typtype WHEN 'd' THEN t.typbasetype ELSE t.oid END "
            "WHERE c.relnamespace = (SELECT oid FROM pg_namespace WHERE nspname = current_schema()) "
            "AND c.relkind IN ('r', 'v', 'm', 'p', 'f') AND a.attnum > 0 AND NOT a.attisdropped ORDER BY c.relname, a.attnum"
        )
        self._schema = self._session.table("SELECT current_schema()::text AS name")["name"][0].as_py()
        return _catalogue(found.to_pylist())

    def expression(self, column: str, kind: str) -> str | None:
        """Types that hold words, numbers, days or flags."""
        name = identifier(column)
        if kind in self._PLAIN:
            return name
        if kind in self._WORDS or kind in self._SPELLED:
            return f"CAST({name} AS text)"
        if kind == "timestamp without time zone":
            day = f"CAST(CAST({name} AS date) AS text)"
            return f"CASE WHEN {name} = date_trunc('day', {name}) THEN {day} ELSE CAST({name} AS text) END"
        return None

    def selection(
        self, table: str, columns: Mapping[str, str], names: Iterable[str], keys: Iterable[str], long: int = LONG
    ) -> str:
        """Return SQL for some columns."""
        wanted = ", ".join(self._bounded(name, columns[name], long) for name in names)
        order = ", ".join(self._ordered(name, columns[name]) for name in keys if name in columns)
        place = f"{identifier(self._schema)}.{identifier(table)}"
        return f"SELECT {wanted} FROM {place}{f' ORDER BY {order}' if order else ''}"

    def _bounded(self, column: str, kind: str, long: int) -> str:
        told, name = self.expression(column, kind), identifier(column)
        if kind not in self._WORDS:
            return f"{told} AS {name}"
        return f"CASE WHEN octet_length({told}) > {long} THEN left({told}, 40) || '…' || repeat('0', {long}) ELSE {told} END AS {name}"

    def _ordered(self, column: str, kind: str) -> str:
        told = self.expression(column, kind)
        return f'{told} COLLATE "C" NULLS FIRST' if kind in self._WORDS else f"{identifier(column)} NULLS FIRST"


def _catalogue(rows: list[dict[str, str]]) -> dict[str, dict[str, str]]:
    tables: dict[str, dict[str, str]] = {}
    for row in rows:
        tables.setdefault(row["name"], {})[row["part"]] = row["kind"]
    return tables


DIALECTS: dict[str, type[Sqlite] | type[Postgresql]] = {"sqlite": Sqlite, "postgresql": Postgresql}
