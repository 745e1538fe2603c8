"""The ledger in a database: two append-only tables, one transaction a posting, each id once."""

from __future__ import annotations

import contextlib
import datetime as dt
from collections.abc import Iterator

import numpy as np
import pandas as pd
import pyarrow as pa

from allocator.databases import Session, connect, parse_address
from allocator.ledger.transactions import COLUMNS, TEXTS, LedgerError

TABLE, PLANS = "allocator_transactions", "allocator_plans"
BODY = ("kind", "item", "lot", "from_place", "to_place", "channel", "reverses", "millionths")
"""What must be the same under the same id."""
_NUMBER = {
    "sqlite": "INTEGER PRIMARY KEY AUTOINCREMENT",
    "postgresql": "BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY",
}
_APPEND_ONLY = "the ledger is append-only; take a transaction back with allocator ledger reverse"


@contextlib.contextmanager
def ledger_at(url: str, create: bool = False) -> Iterator[Ledger]:
    """Open a ledger.

    Parameters
    ----------
    url : str
        As in :func:`allocator.databases.parse_address`.
    create : bool
        Make its tables (and SQLite's file) where there are none.

    Raises
    ------
    AddressError, DatabaseError
        When the address is wrong or the database refuses.
    LedgerError
        When there is no ledger and it is not to be made.
    """
    with connect(parse_address(url), create) as session:
        ledger = Ledger(session)
        if create:
            with session.transaction():
                ledger.make()
        elif not ledger.there():
            raise LedgerError(f"{session.address.shown} holds no ledger; post a plan to it first")
        yield ledger


class Ledger:
    """A ledger that is open.

    Parameters
    ----------
    session : Session
    """

    def __init__(self, session: Session) -> None:
        self.session = session
        self.shown = session.address.shown
        self.transaction = session.transaction

    def there(self) -> bool:
        """Whether the tables exist."""
        if self.session.address.kind == "sqlite":
            found = self.session.table(
                "SELECT count(*) AS n FROM sqlite_master WHERE type = 'table' AND name = ?", TABLE
            )
        else:
            found = self.session.table("SELECT count(to_regclass(?)) AS n", TABLE)
        return bool(found["n"][0].as_py())

    def make(self) -> None:
        """Make the tables and what guards them, where there are none."""
        if self.there():
            return
        texts = ", ".join(f"{name} TEXT NOT NULL" for name in TEXTS if name != "id")
        number = _NUMBER[self.session.address.kind]
        for statement in (
            f"CREATE TABLE {TABLE} (number {number}, id TEXT NOT NULL UNIQUE, {texts}, millionths BIGINT NOT NULL, posted TEXT NOT NULL, "
            "CHECK (millionths >= 0 OR reverses <> ''))",
            f"CREATE INDEX {TABLE}_lot ON {TABLE} (item, lot)",
            f"CREATE INDEX {TABLE}_plan ON {TABLE} (plan)",
            f"CREATE INDEX {TABLE}_reverses ON {TABLE} (reverses)",
            f"CREATE TABLE {PLANS} (plan TEXT NOT NULL UNIQUE, input_hash TEXT NOT NULL, network TEXT NOT NULL, "
            "start TEXT NOT NULL, until TEXT NOT NULL, posted TEXT NOT NULL)",
            *(self._guards()),
        ):
            self.session.run(statement)

    def _guards(self) -> Iterator[str]:
        if self.session.address.kind == "postgresql":
            yield (
                "CREATE OR REPLACE FUNCTION allocator_append_only() RETURNS trigger LANGUAGE plpgsql AS "
                f"'BEGIN RAISE EXCEPTION ''{_APPEND_ONLY}''; END'"
            )
        for table, key in ((TABLE, "id"), (PLANS, "plan")):
            if self.session.address.kind == "postgresql":
                yield (
                    f"CREATE TRIGGER {table}_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON {table} "
                    "FOR EACH STATEMENT EXECUTE FUNCTION allocator_append_only()"
                )
                continue
            for action in ("UPDATE", "DELETE"):
                yield (
                    f"CREATE TRIGGER {table}_no_{action.lower()} BEFORE {action} ON {table} "
                    f"BEGIN SELECT RAISE(ABORT, '{_APPEND_ONLY}'); END"
                )
            # INSERT OR REPLACE would take a row away without a DELETE
            yield (
                f"CREATE TRIGGER {table}_no_replace BEFORE INSERT ON {table} "
                f"WHEN EXISTS (SELECT 1 FROM {table} WHERE {key} = NEW.{key} OR rowid = NEW.rowid) "
                f"BEGIN SELECT RAISE(ABORT, '{_APPEND_ONLY}'); END"
            )

    def posted(self, plan: str) -> bool:
        """Whether a plan was posted."""
        return bool(self.session.table(f"SELECT count(*) AS n FROM {PLANS} WHERE plan = ?", plan)["n"][0].as_py())

    def enter(self, plan: str, input_hash: str, network: str, start: str, until: str) -> None:
        """Note that a plan is posted; inside a transaction."""
        self.session.run(
            f"INSERT INTO {PLANS} VALUES (?, ?, ?, ?, ?, ?)", plan, input_hash, network, start, until, _now()
        )

    def add(self, rows: pd.DataFrame) -> int:
        """Add the transactions whose ids are not yet there; inside a transaction. Gives how many were added.

        Raises
        ------
        LedgerError
            When an id is there with another body, or stands twice with two.
        """
        rows = rows.drop_duplicates(["id", *BODY])
        twice = rows[rows["id"].duplicated()]
        if len(twice):
            raise LedgerError(
                f"transaction {twice['id'].iloc[0]} is given twice with different quantities; give each once"
            )
        self.incoming(rows)
        apart = " OR ".join(f"t.{name} <> i.{name}" for name in BODY)
        same = f"FROM incoming i JOIN {TABLE} t ON t.id = i.id"
        clash = self.session.table(
            f"SELECT t.id, t.kind, t.millionths, i.millionths AS asked {same} WHERE {apart} ORDER BY t.id"
        )
        if clash.num_rows:
            first = clash.slice(0, 1).to_pylist()[0]
            raise LedgerError(
                f"{clash.num_rows} transactions are in the ledger with other contents, first {first['kind']} {first['id']} "
                f"({first['millionths']} there, {first['asked']} millionths asked); reverse it, or give a new reference"
            )
        known = int(self.session.table(f"SELECT count(*) AS n {same}")["n"][0].as_py())
        names = ", ".join(COLUMNS)
        self.session.run(
            f"INSERT INTO {TABLE} ({names}, posted) SELECT {names}, CAST(? AS TEXT) FROM incoming i "
            f"WHERE NOT EXISTS (SELECT 1 FROM {TABLE} t WHERE t.id = i.id) ORDER BY place",
            _now(),
        )
        return len(rows) - known

    def incoming(self, rows: pd.DataFrame) -> None:
        """Load transactions into the session's own table, which queries may join."""
        columns = {name: pa.array(rows[name].astype(object), pa.string()) for name in TEXTS}
        columns |= {
            "millionths": pa.array(rows["millionths"].to_numpy(np.int64)),
            "place": pa.array(np.arange(len(rows))),
        }
        self.session.load("incoming", pa.table(columns))

    def rows(self, where: str = "", *values: str) -> pd.DataFrame:
        """Transactions in the order of posting; ``where`` is SQL over ``t`` (and ``incoming``), its values bound."""
        names = ", ".join(f"t.{name}" for name in COLUMNS)
        condition = f"WHERE {where}" if where else ""
        table = self.session.table(f"SELECT {names} FROM {TABLE} t {condition} ORDER BY t.number", *values)
        schema = pa.schema([(name, pa.int64() if name == "millionths" else pa.string()) for name in COLUMNS])
        frame: pd.DataFrame = table.cast(schema).to_pandas()
        return frame.astype(dict.fromkeys(TEXTS, object))

    def of_lots(self, rows: pd.DataFrame) -> pd.DataFrame:
        """All transactions of the lots that some transactions name."""
        self.incoming(rows)
        return self.rows("EXISTS (SELECT 1 FROM incoming i WHERE i.item = t.item AND i.lot = t.lot)")

    def of_items(self, rows: pd.DataFrame) -> pd.DataFrame:
        """All transactions of the items that some transactions name."""
        self.incoming(rows)
        return self.rows("EXISTS (SELECT 1 FROM incoming i WHERE i.item = t.item)")


def _now() -> str:
    """When a row was posted, for people; nothing is decided by it."""
    return dt.datetime.now(dt.UTC).isoformat(timespec="milliseconds")
