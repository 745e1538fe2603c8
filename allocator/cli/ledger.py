"""``allocator ledger``: post plans, replay stock, record and reverse what happened."""

from __future__ import annotations

import contextlib
import datetime as dt
import json
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from allocator.cli.where import NetworkPlace

if TYPE_CHECKING:
    from allocator.ledger.posting import Posted
    from allocator.ledger.replay import Difference

SHOWN = 20


class Day(click.ParamType):  # type: ignore[type-arg, unused-ignore]
    """A day, as YYYY-MM-DD."""

    name = "day"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        try:
            return dt.date.fromisoformat(str(value)).isoformat()
        except ValueError:
            self.fail(f"'{value}' is not a day; write it as 2026-01-31", param, ctx)


class LedgerFault(click.ClickException):
    """What the ledger or its database refused."""

    exit_code = 2


@click.group("ledger", no_args_is_help=True)
def command() -> None:
    """Keep stock by lot in an append-only ledger, in SQLite or PostgreSQL (docs/ledger.md).

    A ledger is sqlite:///FILE, a path that ends in .db or .sqlite, postgresql://[user@]host/database[?schema=NAME], or env:NAME: the
    address in that environment variable. Passwords come from PGPASSWORD, ~/.pgpass or env:NAME, never from the command line.
    """


TO = click.option("--to", "url", required=True, metavar="URL", help="The ledger.")
JSON = click.option("--json", "as_json", is_flag=True, help="One JSON document on stdout.")


@command.command("post")
@click.argument("plan", type=click.Path(path_type=Path))
@TO
@click.option(
    "--count", is_flag=True, help="Take the stock that the plan started from as counted: set the ledger's to it."
)
@click.option("--replace", is_flag=True, help="Take back what other plans have posted for the same days and items.")
@JSON
def post(plan: Path, url: str, count: bool, replace: bool, as_json: bool) -> None:
    """Post the PLAN folder: the moves of its commit window, reservations, planner overrides and receipts.

    Posted twice, it adds nothing. The ledger is made where there is none, and takes the stock of items that it does not know from the plan.
    """
    with _faults():
        from allocator.ledger.planned import posting
        from allocator.ledger.posting import post as run
        from allocator.ledger.store import ledger_at
        from allocator.plan.plan import read_plan

        made = posting(read_plan(plan))
        with ledger_at(url, create=True) as ledger:
            _tell(run(ledger, made, count, replace), ledger.shown, as_json, plan=made.plan)


@command.command("replay")
@click.argument("source")
@click.option(
    "--against",
    type=NetworkPlace(),
    help="Network or plan folder whose lots the rebuilt stock is compared with.",
)
@click.option(
    "--on",
    type=Day(),
    help="Morning of which day the stock is rebuilt for. Default: the start of --against, else all days.",
)
@JSON
def replay(source: str, against: str | Path | None, on: str | None, as_json: bool) -> None:
    """Rebuild stock by lot from the opening stock and all transactions of a ledger (SOURCE: its URL), and compare.

    With --against, the stock is compared with the lots of that network, to the unit. A SOURCE that is a plan folder needs no database: its own
    ledger is replayed and compared with its projections. Exit code 0 when equal, 5 when not.
    """
    with _faults():
        if (Path(source) / "manifest.json").is_file():
            from allocator.ledger.folder import against_projections
            from allocator.plan.plan import read_plan

            checked, apart = against_projections(read_plan(Path(source)))
            broken = [f"item {d.item} at {d.site}, bucket of {d.lot}: {_figures(d)}" for d in apart]
            _compared(checked, broken, "closing stocks of items at sites", as_json)
        checked, broken = _replayed(source, against, on)
        _compared(checked, broken, "lots at sites" if against else "transactions", as_json)


def _replayed(url: str, against: str | Path | None, on: str | None) -> tuple[int, list[str]]:
    from allocator.ledger.checking import check_rows, lots_of
    from allocator.ledger.replay import differences, stock_on
    from allocator.ledger.store import ledger_at

    with ledger_at(url) as ledger:
        rows = ledger.rows()
    broken = check_rows(rows)
    if against is None:
        return len(rows), broken
    lots, start = lots_of(_network(against), on)
    stock = stock_on(rows, start)
    return max(len(stock), len(lots)), broken + [str(d) for d in differences(stock, lots)]


def _network(path: str | Path) -> Any:
    if isinstance(path, Path) and (path / "manifest.json").is_file():
        from allocator.plan.plan import read_plan

        return read_plan(path).network
    from allocator.scenario import read

    return read(path)


@command.command("record")
@click.argument("file", type=click.Path(path_type=Path, exists=True, dir_okay=False))
@TO
@JSON
def record(file: Path, url: str, as_json: bool) -> None:
    """Record what happened outside any plan from a CSV FILE: receipts, returns, transfers, sales, waste, counts.

    Columns: reference, kind, item, lot, quantity, date, and from, to, arrive_date, received_date, expiry_date, reason, planner where they say
    something. The reference says which transaction it is: the same row again adds nothing.
    """
    with _faults():
        from allocator.ledger.posting import record as run
        from allocator.ledger.recorded import read_recorded
        from allocator.ledger.store import ledger_at

        rows = read_recorded(file)
        with ledger_at(url) as ledger:
            _tell(run(ledger, rows), ledger.shown, as_json)


@command.command("reverse")
@click.argument("ids", nargs=-1, required=True)
@TO
@click.option("--reason", required=True, help="Why: a shipment that did not go, a sale that was cancelled.")
@click.option("--planner", default="", help="Who says so.")
@click.option("--quantity", type=float, help="How much of it, units. Default: all that is left of it.")
@click.option(
    "--reference", default="", help="Tells several part reversals of one transaction apart; needed with --quantity."
)
@JSON
def reverse(
    ids: tuple[str, ...], url: str, reason: str, planner: str, quantity: float | None, reference: str, as_json: bool
) -> None:
    """Take the transactions IDS back by new ones; the same again adds nothing."""
    with _faults():
        from allocator.ledger.posting import reverse as run
        from allocator.ledger.store import ledger_at
        from allocator.ledger.transactions import millionths

        if quantity is not None and not quantity > 0:
            raise click.UsageError("--quantity must be above 0")
        part = None if quantity is None else int(millionths(quantity, 1)[0])
        with ledger_at(url) as ledger:
            _tell(run(ledger, ids, reason, planner, part, reference), ledger.shown, as_json)


@command.command("stock")
@click.argument("url")
@click.option("--on", type=Day(), required=True, help="First day of the next plan: stock in its morning.")
@click.option(
    "--to",
    "folder",
    type=click.Path(path_type=Path, file_okay=False),
    required=True,
    help="Folder to write lots and receipts into.",
)
@click.option(
    "--format",
    "form",
    type=click.Choice(["csv", "parquet"]),
    default="csv",
    show_default=True,
    help="Form of the tables.",
)
def stock(url: str, on: str, folder: Path, form: str) -> None:
    """Write the stock of the ledger at URL as the tables lots (on hand) and receipts (under way) of the next plan's network."""
    with _faults():
        from allocator.ledger.outgoing import stock_tables, write_stock
        from allocator.ledger.store import ledger_at

        with ledger_at(url) as ledger:
            tables = stock_tables(ledger.rows(), on)
        for path, table in zip(write_stock(tables, folder, form), tables.values(), strict=True):
            click.echo(f"{path}: {table.num_rows:,} rows")


def _tell(posted: Posted, shown: str, as_json: bool, **facts: Any) -> None:
    if as_json:
        document = {"ledger": shown, **facts, "added": posted.added, "known": posted.known, "notes": list(posted.notes)}
        click.echo(json.dumps(document, indent=1))
        return
    click.echo(f"{shown}: {posted.added:,} transactions added, {posted.known:,} were there already")
    for note in posted.notes:
        click.echo(f"note: {note}")


def _figures(apart: Difference) -> str:
    from allocator.ledger.transactions import units

    return f"ledger {units(apart.ledger)}, projection {units(apart.other)}"


def _compared(checked: int, broken: list[str], what: str, as_json: bool) -> None:
    if as_json:
        click.echo(json.dumps({"equal": not broken, "checked": checked, "differences": broken}, indent=1))
    elif not broken:
        click.echo(f"equal: {checked:,} {what}")
    else:
        click.echo(f"not equal: {len(broken):,} findings in {checked:,} {what}")
        for line in broken[:SHOWN]:
            click.echo(f"  {line}")
        if len(broken) > SHOWN:
            click.echo(f"  ... and {len(broken) - SHOWN:,} more")
    raise click.exceptions.Exit(5 if broken else 0)


@contextlib.contextmanager
def _faults() -> Iterator[None]:
    from allocator.cli.faults import bad_input
    from allocator.databases import AddressError, DatabaseError
    from allocator.ledger.transactions import LedgerError
    from allocator.tables import InputError

    try:
        yield
    except (AddressError, DatabaseError, LedgerError, FileNotFoundError) as error:
        raise LedgerFault(f"{error}; nothing was changed") from None
    except InputError as error:
        raise bad_input(error) from None
