"""``allocator verify``."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from allocator.priced.proof import Proof

SAMPLE = 5
"""Groups of items that are priced again when nothing else is asked."""


@click.command("verify")
@click.argument("plan", type=click.Path(path_type=Path))
@click.option(
    "--bound",
    is_flag=True,
    help="Also prove the bound of a priced plan again: every item's part, from the plan's own tables and the certificate's prices.",
)
@click.option(
    "--sample",
    type=click.IntRange(1),
    help="With --bound: price this many groups of items again, drawn by chance, and take the others at their word. Default: 5.",
)
@click.option(
    "--all",
    "every",
    is_flag=True,
    help="With --bound: price all items again, which takes about as long as a round of the run.",
)
@click.option("--workers", type=click.IntRange(1), help="With --bound: worker processes. Default: one for each core.")
@click.option("--json", "as_json", is_flag=True, help="One JSON document on stdout.")
def command(plan: Path, bound: bool, sample: int | None, every: bool, workers: int | None, as_json: bool) -> None:
    """Audit the PLAN folder: every file against its manifest, every rule and the objective from the tables alone.

    With --bound, what the plan proves of itself too: the items' least costs at the certificate's prices, whatever the run said of them.
    Exit code 0 when nothing is broken, 1 otherwise.
    """
    from allocator.audit import audit_folder

    if not bound and (sample is not None or every or workers is not None):
        raise click.UsageError("--sample, --all and --workers say how to prove the bound; give --bound with them")
    if sample is not None and every:
        raise click.UsageError("--sample and --all exclude each other")
    try:
        report = audit_folder(plan)
    except FileNotFoundError as error:
        raise click.UsageError(str(error)) from None
    proof = None
    if bound:
        proof = _prove(plan, None if every else sample or SAMPLE, workers)
    if as_json:
        document = {
            "ok": report.ok and (proof is None or proof.ok),
            "objective": report.objective,
            "largest_violation": report.largest_violation,
            "checked": dict(report.checked),
            "findings": [str(finding) for finding in report.findings],
        }
        if proof is not None:
            document["bound"] = asdict(proof) | {"ok": proof.ok}
        click.echo(json.dumps(document, indent=1))
    else:
        _show(report)
        if proof is not None:
            _show_proof(proof)
    raise click.exceptions.Exit(0 if report.ok and (proof is None or proof.ok) else 1)


def _prove(plan: Path, sample: int | None, workers: int | None) -> Proof:
    from allocator.engine.problem import SolverError
    from allocator.network import build_network
    from allocator.options import Options
    from allocator.plan.plan import read_plan
    from allocator.priced.proof import Proof, prove_bound

    try:
        found = read_plan(plan)
        network = build_network(found.network, found.previous)
        return prove_bound(network, found.certificate, sample, Options(workers=workers).hands)
    except (OSError, ValueError, KeyError, SolverError) as error:
        # what the audit has refused may not even be readable
        reason = str(error).splitlines() or [""]
        return Proof("nothing could be proven", (f"{type(error).__name__}: {reason[0]}",))


def _show_proof(proof: Proof) -> None:
    head = "bound good" if proof.ok else "bound broken"
    if proof.stated is None or proof.proven is None:
        click.echo(f"{head if not proof.ok else 'bound'}: {proof.note}")
    else:
        whole = proof.checked == proof.shards
        proven = "proven" if whole else "proven if the other shards are as stated"
        click.echo(f"{head}: {proof.note}; stated {proof.stated:,.6f}, {proven} {proof.proven:,.6f}")
    for finding in proof.findings:
        click.echo(f"  {finding}")


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
