"""``allocator verify``."""

from __future__ import annotations

import json
from pathlib import Path

import click


@click.command("verify")
@click.argument("plan", type=click.Path(path_type=Path))
@click.option("--json", "as_json", is_flag=True, help="One JSON document on stdout.")
def command(plan: Path, as_json: bool) -> None:
    """Audit the PLAN folder: every file against its manifest, every rule and the objective from the tables alone.

    Exit code 0 when nothing is broken, 1 otherwise.
    """
    from allocator.audit import audit_folder

    try:
        report = audit_folder(plan)
    except FileNotFoundError as error:
        raise click.UsageError(str(error)) from None
    if as_json:
        document = {
            "ok": report.ok,
            "objective": report.objective,
            "largest_violation": report.largest_violation,
            "checked": dict(report.checked),
            "findings": [str(finding) for finding in report.findings],
        }
        click.echo(json.dumps(document, indent=1))
    else:
        _show(report)
    raise click.exceptions.Exit(0 if report.ok else 1)


def _show(report: object) -> None:
    from allocator.audit import AuditReport

    assert isinstance(report, AuditReport)
    total = sum(report.checked.values())
    if report.ok:
        click.echo(
            f"good: {total:,} checks of {len(report.checked)} rules, largest violation {report.largest_violation:.3g}"
        )
        if "total" in report.objective:
            click.echo(f"objective recomputed from the tables: {report.objective['total']:,.6f}")
        return
    click.echo(f"broken: {len(report.findings)} findings in {len(report.broken)} rules")
    for finding in report.findings:
        click.echo(f"  {finding}")
