"""``allocator init``."""

from __future__ import annotations

from pathlib import Path

import click

from allocator.cli.faults import InputFault

FORMATS = ("aws-supply-chain", "cosmic-frog", "frepple")
"""`allocator.init.SOURCES`, known without importing pandas."""


@click.command("init")
@click.argument("dir", type=click.Path(path_type=Path))
@click.option(
    "--from",
    "source",
    type=(click.Choice(FORMATS), click.Path(path_type=Path)),
    metavar="TOOL FOLDER",
    help=f"Tool ({', '.join(FORMATS)}) and the folder that holds its export; see docs/init.md.",
)
def command(dir: Path, source: tuple[str, Path] | None) -> None:
    """Write a network folder to begin with: a small one with every table, or one from the export of another tool.

    With --from, what could not be carried over is listed on stderr and in DIR/init-report.md: table, rows and why. DIR must not be there yet.
    """
    from allocator.init import ExportError, convert, start

    try:
        if source is None:
            start(dir)
        else:
            report = convert(*source, dir).report
            for line in report.lost:
                click.echo(f"not carried over: {line}", err=True)
            for line in report.assumed:
                click.echo(f"assumed: {line}", err=True)
    except FileExistsError as error:
        raise click.UsageError(f"'{dir}' {error.strerror}") from None
    except ExportError as error:
        raise InputFault(f"error: {error}; nothing was written") from None
    click.echo(str(dir))
