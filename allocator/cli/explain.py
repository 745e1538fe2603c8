"""``allocator explain``."""

from __future__ import annotations

import json
from pathlib import Path

import click


@click.command("explain")
@click.argument("plan", type=click.Path(path_type=Path))
@click.option("--item", required=True, help="Item code.")
@click.option("--site", required=True, help="Site code.")
@click.option("--json", "as_json", is_flag=True, help="One JSON document on stdout.")
def command(plan: Path, item: str, site: str, as_json: bool) -> None:
    """Say why a site of the PLAN folder got this much of an item: what was asked, what there was, what was tight, and the next best use."""
    from allocator.plan.plan import read_plan

    try:
        explanation = read_plan(plan).explain(item, site)
    except (FileNotFoundError, ValueError, KeyError) as error:
        raise click.UsageError(str(error.args[0] if error.args else error)) from None
    click.echo(json.dumps(explanation.to_dict(), indent=1, default=str) if as_json else explanation.text())
