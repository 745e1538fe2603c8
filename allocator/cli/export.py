"""``allocator export``."""

from __future__ import annotations

from pathlib import Path

import click

from allocator.cli.faults import bad_input, io_fault
from allocator.cli.where import NetworkPlace


@click.command("export")
@click.argument("network", type=NetworkPlace())
@click.option(
    "-o", "--output", type=click.Path(path_type=Path), required=True, help="Model file to write, e.g. model.mps."
)
def command(network: str | Path, output: Path) -> None:
    """Write the whole program of the NETWORK (a folder or an address) as a free-format MPS file (a cost, to be minimised).

    Single units are not integers in it (they are settled after the solve); packs, minimum quantities and started vehicles are.
    """
    from allocator.network import build_network
    from allocator.network.build import read_previous
    from allocator.program.stack import build_program
    from allocator.tables import InputError, read_tables

    if output.suffix != ".mps":
        raise click.UsageError(f"'{output}' does not end in .mps, the only model format written; give -o model.mps")
    try:
        tables = read_tables(network)
    except InputError as error:
        raise bad_input(error) from None
    path = tables.settings.previous_plan
    coded = build_network(tables, None if path is None else read_previous(Path(tables.source) / path))
    program = build_program(coded)
    from allocator.engine.export import write_mps

    try:
        write_mps(coded, program, output)
    except OSError as error:
        raise io_fault(error) from None
    rows, columns, nonzeros = program.shape
    click.echo(
        f"{output}: {rows:,} rows, {columns:,} columns, {nonzeros:,} coefficients, {int(program.integer.sum()):,} integers"
    )
