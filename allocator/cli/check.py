"""``allocator check``."""

from __future__ import annotations

import json
from pathlib import Path

import click

from allocator.cli.faults import bad_input
from allocator.cli.where import NetworkPlace


@click.command("check")
@click.argument("network", type=NetworkPlace())
@click.option(
    "--scenario",
    multiple=True,
    metavar="NAME[,NAME...]",
    help="Scenarios to lay on the network, by name or path; may be repeated (docs/scenarios.md).",
)
@click.option("--quarantine", is_flag=True, help="Show what would be set aside instead of refusing it.")
@click.option("--json", "as_json", is_flag=True, help="One JSON document on stdout.")
def command(network: str | Path, scenario: tuple[str, ...], quarantine: bool, as_json: bool) -> None:
    """Read and check the NETWORK (a folder, an address, or a scenario file on its base); every broken row is reported at once, exit code 2."""
    from allocator.scenario import read
    from allocator.tables import InputError

    try:
        tables = read(network, scenario, quarantine)
    except InputError as error:
        if as_json:
            click.echo(json.dumps({"ok": False, "findings": [str(f) for f in error.findings]}, indent=1))
        raise bad_input(error) from None
    counts = {name: tables[name].num_rows for name in tables}
    notes = [str(note) for note in tables.notes]
    aside = [str(row) for row in tables.quarantined.astype(str).to_dict("records")]
    if as_json:
        click.echo(json.dumps({"ok": True, "rows": counts, "notes": notes, "quarantined": aside}, indent=1))
        return
    click.echo(
        f"{tables.settings.name}: {sum(counts.values()):,} rows in {sum(n > 0 for n in counts.values())} tables are good"
    )
    for name, count in counts.items():
        if count:
            click.echo(f"  {name:<18}{count:>12,}")
    for note in notes:
        click.echo(f"note: {note}")
    for row in aside:
        click.echo(f"set aside: {row}")
