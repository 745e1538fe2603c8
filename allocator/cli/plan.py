"""``allocator plan``."""

from __future__ import annotations

import json
import re
import shutil
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from allocator.cli.ending import INTERRUPTED, Ending
from allocator.cli.faults import bad_input, cluster_fault, io_fault, memory_fault
from allocator.cli.metrics import Metrics, closing
from allocator.cli.say import Voice
from allocator.options import ENGINES

if TYPE_CHECKING:
    from allocator.plan.plan import Plan
    from allocator.tables import Tables

    Seconds = click.ParamType[float]
    Bytes = click.ParamType[int]
else:
    Seconds = Bytes = click.ParamType  # no generic class in clicks up to 8.3

EXCEPTIONS = 1000
"""Most exceptions told one by one as events; the plan's table has all."""
_DURATION = re.compile(r"(?:(\d+(?:\.\d+)?)h)?(?:(\d+(?:\.\d+)?)m)?(?:(\d+(?:\.\d+)?)s?)?")
_SIZE = re.compile(r"(\d+(?:\.\d+)?)\s*([KMGTkmgt])?i?[Bb]?")


class Duration(Seconds):
    """``45m``, ``1h30m``, ``90s`` or plain seconds."""

    name = "duration"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        if isinstance(value, int | float):
            return float(value)
        found = _DURATION.fullmatch(str(value).strip())
        if not found or not any(found.groups()):
            self.fail(f"'{value}' is not a duration; write 45m, 1h30m, 90s or seconds", param, ctx)
        hours, minutes, seconds = (float(part or 0) for part in found.groups())
        total = 3600 * hours + 60 * minutes + seconds
        if total <= 0:
            self.fail("a deadline must be longer than 0 s", param, ctx)
        return total


class Memory(Bytes):
    """``8G``, ``512M`` or plain bytes."""

    name = "size"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:
        if isinstance(value, int):
            return value
        found = _SIZE.fullmatch(str(value).strip())
        if not found:
            self.fail(f"'{value}' is not a size; write 8G, 512M or bytes", param, ctx)
        size = int(float(found[1]) * 1024 ** " KMGT".index((found[2] or " ").upper()))
        if size <= 0:
            self.fail("a limit on memory must be larger than 0", param, ctx)
        return size


@click.command("plan")
@click.argument("network", type=click.Path(path_type=Path))
@click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path),
    required=True,
    help="Plan folder to publish; an older plan there is replaced in one step.",
)
@click.option(
    "--deadline",
    type=Duration(),
    help="Wall clock for the whole run, reading and writing included, e.g. 45m. The best plan by then is published, exit code 3 if the gap was not reached.",
)
@click.option(
    "--gap",
    type=click.FloatRange(0, 1),
    help="Relative gap to prove, e.g. 0.005. Default: exact (1e-6) while it is cheap, then 0.005 is good enough.",
)
@click.option(
    "--engine",
    type=click.Choice(ENGINES),
    default="auto",
    show_default=True,
    help="whole = one mixed-integer program; priced = item by item against prices of what they share, for networks that no one "
    "program can hold; rules = fair-share rules of thumb; auto = whole or priced, by size.",
)
@click.option(
    "--rule",
    type=click.Choice(["A", "B", "C", "D"]),
    default="A",
    show_default=True,
    help="Fair share of the rules engine: A by demand, B equal share of target stock, C quotas, D priority order.",
)
@click.option(
    "--workers",
    type=click.IntRange(1),
    help="Worker processes of the priced engine, one HiGHS thread each. Default: one for each core.",
)
@click.option(
    "--memory",
    type=Memory(),
    help="Most memory of the run with all its processes, e.g. 8G: where it is little, fewer workers and smaller shards; exit code 2 where it "
    "can't be kept.",
)
@click.option(
    "--cluster",
    metavar="ADDRESS",
    help="Run the priced engine's workers as actors of a Ray cluster: its address, or auto for the one of this machine.",
)
@click.option(
    "--shared",
    type=click.Path(path_type=Path, file_okay=False),
    help="Folder that every machine of the cluster sees; needed when there is more than one.",
)
@click.option(
    "--resume",
    is_flag=True,
    help="Go on from the last round of a priced run that was ended (same input and options); without one, begin anew.",
)
@click.option(
    "--scenario",
    multiple=True,
    metavar="NAME[,NAME...]",
    help="Scenarios to lay on the network, by name or path; may be repeated (docs/scenarios.md).",
)
@click.option("--quarantine", is_flag=True, help="Set bad rows aside, list them in the plan, and go on.")
@click.option(
    "--log",
    type=click.Choice(["json"]),
    help="Events as JSON lines on stderr: start, table, stage, round, gap, exception, finish, each with the run's id.",
)
@click.option(
    "--metrics",
    type=click.Path(path_type=Path, dir_okay=False),
    help="File to write at the end in OpenMetrics text, whatever the ending: exit code, seconds, value, gap, KPIs.",
)
@click.option("--json", "as_json", is_flag=True, help="One JSON document on stdout instead of the summary.")
def command(
    network: Path,
    output: Path,
    deadline: float | None,
    gap: float | None,
    engine: str,
    rule: str,
    workers: int | None,
    memory: int | None,
    cluster: str | None,
    shared: Path | None,
    resume: bool,
    scenario: tuple[str, ...],
    quarantine: bool,
    log: str | None,
    metrics: Path | None,
    as_json: bool,
) -> None:
    """Plan the NETWORK folder (or a scenario file on its base) and publish the plan.

    NETWORK holds network.toml and one .csv or .parquet file a table (see docs/tables.md). The plan folder holds the tables of the
    plan, certificate.json (value, proven bound, gap, prices), report.html and, written last, manifest.json.
    """
    began = click.get_current_context().obj or time.monotonic()
    from allocator.memory import MemoryLimitError, keep_to
    from allocator.plan.publish import NotAPlanError, OutputHeldError, held
    from allocator.priced.cluster import ClusterError, reach

    if cluster is not None and engine in ("whole", "rules"):
        raise click.UsageError(f"--cluster is for the priced engine, not for --engine {engine}; leave one of them out")
    if cluster is not None and memory is not None:
        raise click.UsageError(
            "--memory is for the processes of this machine, not for a cluster's; leave one of them out"
        )
    keep_to(memory)
    try:
        if cluster is not None:
            reach(cluster)  # before hours are spent on reading
        figures = Metrics(metrics, str(network))
        with (
            Voice(log) as voice,
            closing(voice, figures),
            held(output),
            Ending(voice.stage, voice.warn) as ending,
        ):
            voice.event("start", network=str(network), output=str(output), engine=engine, deadline=deadline, gap=gap)
            kept = checkpoint_of(output)
            tables = _read(network, scenario, quarantine, voice)
            plan = _run(
                tables, output, voice, ending.stage, began,
                engine=engine, gap=gap, deadline=deadline, rule=rule, workers=workers, cluster=cluster, shared=shared,
                checkpoint=kept, resume=resume, memory=memory,
            )  # fmt: skip
            # rounds may be what another run goes on from: on a mended cluster, or with more time
            if plan.certificate["status"] not in ("degraded", "interrupted"):
                shutil.rmtree(kept, ignore_errors=True)
            code = INTERRUPTED if ending.asked and plan.exit_code != 1 else plan.exit_code
            figures.plan(plan)
            try:
                figures.write(code)
            except OSError as error:
                voice.warn(f"the plan is published, its metrics are not: {error.strerror or error}: '{metrics}'")
            _tell(plan, code, voice)
    except OutputHeldError as error:
        click.echo(f"error: {error}", err=True)
        raise click.exceptions.Exit(4) from None
    except NotAPlanError as error:
        raise click.UsageError(str(error)) from None
    except MemoryLimitError as error:
        raise memory_fault(error) from None
    except ClusterError as error:
        raise cluster_fault(error) from None
    except OSError as error:
        raise io_fault(error) from None
    _show(plan, output, as_json)
    raise click.exceptions.Exit(code)


def _tell(plan: Plan, code: int, voice: Voice) -> None:
    """The closing events: the dearest exceptions, and how the run ended."""
    if voice.json:
        dearest = plan.tables["exceptions"].astype({"what": str, "item": str, "where": str, "unit": str, "mend": str})
        for row in dearest.sort_values("cost", ascending=False, kind="stable").head(EXCEPTIONS).to_dict("records"):
            voice.event("exception", **{str(name): value for name, value in row.items()})
    paper = plan.certificate
    voice.event(
        "finish",
        status=paper["status"], gap=paper["gap"], value=paper["value"], exceptions=len(plan.tables["exceptions"]),
        plan_id=plan.manifest["plan_id"], exit_code=code,
    )  # fmt: skip


def checkpoint_of(output: Path) -> Path:
    """Where a priced run keeps its rounds until its plan is published: beside the plan."""
    output = output.resolve()
    return output.parent / f".{output.name}.rounds"


def _read(network: Path, scenario: tuple[str, ...], quarantine: bool, voice: Voice) -> Tables:
    from allocator.scenario import read
    from allocator.tables import InputError

    voice.stage("read")
    try:
        tables = read(network, scenario, quarantine)
    except InputError as error:
        raise bad_input(error, voice) from None
    for name in tables:
        voice.event("table", table=name, rows=tables[name].num_rows)
    return tables


def _run(
    tables: Tables, output: Path, voice: Voice, stage: Callable[[str], None], began: float, **options: Any
) -> Plan:
    from allocator.run import Options, Watch, solve

    plan = solve(tables, Options(**options), Watch(stage, voice.progress, voice.told, yields=True), began)
    stage("write")
    plan.publish(output)
    return plan


def _show(plan: Plan, output: Path, as_json: bool) -> None:
    if as_json:
        document = {
            "plan": str(output),
            "plan_id": plan.manifest["plan_id"],
            "status": plan.certificate["status"],
            "objective": plan.certificate["objective"],
            "value": plan.certificate["value"],
            "bound": plan.certificate["bound"],
            "gap": plan.certificate["gap"],
            "exceptions": len(plan.tables["exceptions"]),
            "kpis": json.loads(plan.tables["kpis"].to_json(orient="records")),
        }
        click.echo(json.dumps(document, indent=1))
        return
    from allocator.report.terminal import summary

    live = sys.stdout.isatty()
    text = summary(
        plan.tables["kpis"],
        plan.certificate,
        plan.tables["exceptions"],
        baseline=plan.baseline,
        where={"plan": str(output), "report": str(output / "report.html")},
        terminal=live,
    )
    if live:
        from rich.console import Console

        Console().print(text)
    else:
        click.echo(text)
    if plan.audit is not None and not plan.audit.ok:
        click.echo(f"audit: {len(plan.audit.findings)} broken rules", err=True)
        for finding in plan.audit.findings[:10]:
            click.echo(f"  {finding}", err=True)
