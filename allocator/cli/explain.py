"""``allocator explain``."""

from __future__ import annotations

import json
from pathlib import Path

import click


@click.command("explain")
@click.argument("plan", type=click.Path(path_type=Path))
@click.option("--item", required=True, help="Item code.")
@click.option("--site", required=True, help="Site code.")
@click.option(
    "--instead",
    type=click.FloatRange(min=0),
    help="Another quantity, units: what would it cost to bring that much to the site, whom would it be taken from, what would make it best?",
)
@click.option("--origin", help="With --instead: only what comes from this site.")
@click.option("--date", help="With --instead: only what is sent on this day, YYYY-MM-DD.")
@click.option(
    "--report",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Also write the plan's report to this file, with this explanation first in its closer look.",
)
@click.option("--json", "as_json", is_flag=True, help="One JSON document on stdout.")
def command(
    plan: Path,
    item: str,
    site: str,
    instead: float | None,
    origin: str | None,
    date: str | None,
    report: Path | None,
    as_json: bool,
) -> None:
    """Say why a site of the PLAN folder got this much of an item: what was asked, what there was, what was tight, and the next best use.

    With --instead the item is planned again with another quantity, all other items as planned.
    """
    from allocator.plan.plan import read_plan

    try:
        whole = read_plan(plan)
        explanation = whole.explain(item, site, instead, origin=origin, date=date)
    except (FileNotFoundError, ValueError, KeyError) as error:
        raise click.UsageError(str(error.args[0] if error.args else error)) from None
    if report is not None:
        report.write_text(whole.report([explanation]), encoding="utf-8")
        click.echo(f"report: {report}", err=True)
    click.echo(json.dumps(explanation.to_dict(), indent=1, default=str) if as_json else explanation.text())
