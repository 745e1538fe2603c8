"""``allocator compare``."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from allocator.cli.faults import MemoryFault, bad_input, io_fault
from allocator.cli.plan import Duration, Memory
from allocator.cli.say import Voice
from allocator.cli.where import NetworkPlace
from allocator.options import ENGINES, STAGES

if TYPE_CHECKING:
    from allocator.comparison import Comparison

_BAR = re.compile(r"\s*(\w+)\s*(>=|<=)\s*([-+0-9.eE]+)\s*")


@click.command("compare")
@click.argument("cases", nargs=-1, required=True, metavar="CASE...", type=NetworkPlace())
@click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path),
    required=True,
    help="Folder to publish; plans run are kept in it.",
)
@click.option(
    "--scenario",
    multiple=True,
    metavar="NAME[,NAME...]",
    help="With one network as CASE: a further case with these scenarios laid on it; may be repeated.",
)
@click.option("--workers", type=click.IntRange(1, 256), default=2, show_default=True, help="Runs at a time.")
@click.option("--gap", type=click.FloatRange(0, 1), help="Relative gap to prove in each run.")
@click.option("--deadline", type=Duration(), help="Wall clock for each run, e.g. 10m.")
@click.option("--memory", type=Memory(), help="Most memory of all runs together, e.g. 16G: each keeps to its share.")
@click.option(
    "--engine",
    type=click.Choice(ENGINES),
    default="auto",
    show_default=True,
    help="As for plan.",
)
@click.option("--cold", is_flag=True, help="Solve every case from nothing, not from what the base's run found.")
@click.option(
    "--bar",
    "bars",
    multiple=True,
    metavar="KPI>=VALUE",
    help="Exit code 5 if a case other than the base misses it, e.g. 'fill_rate>=0.9'.",
)
@click.option("--log", type=click.Choice(["json"]), help="Events as JSON lines on stderr.")
@click.option("--json", "as_json", is_flag=True, help="One JSON document on stdout instead of the summary.")
def command(
    cases: tuple[str | Path, ...],
    output: Path,
    scenario: tuple[str, ...],
    workers: int,
    gap: float | None,
    deadline: float | None,
    memory: int | None,
    engine: str,
    cold: bool,
    bars: tuple[str, ...],
    log: str | None,
    as_json: bool,
) -> None:
    """Lay plans side by side; the first CASE is the base.

    A CASE is a plan folder, a network (a folder or an address), or a scenario file (FILE.toml) on its base. What is not yet planned is planned first,
    in parallel; a plan in the output folder is reused while its input, the options and the code are the same. The output folder
    holds the tables of the comparison and comparison.html (docs/compare.md).
    """
    from allocator.comparison import compare
    from allocator.comparison.running import RunFailedError, RunTooLargeError
    from allocator.plan.publish import NotAPlanError, OutputHeldError
    from allocator.tables import InputError

    wanted = [_bar(text) for text in bars]
    options: dict[str, Any] = {"gap": gap, "deadline": deadline, "engine": engine}
    if memory is not None:
        options["memory"] = memory // workers
    try:
        with Voice(log) as voice:
            voice.event(
                "start",
                cases=[str(case) for case in cases],
                scenario=list(scenario),
                output=str(output),
                workers=workers,
            )
            made = compare(
                list(cases), output, scenario=scenario, workers=workers, cold=cold, tell=_teller(voice), **options
            )
            missed = _missed(made, wanted)
            code = made.exit_code or (5 if missed else 0)
            voice.event("finish", best=made.best, exit_code=code)
    except InputError as error:
        raise bad_input(error) from None
    except OutputHeldError as error:
        click.echo(f"error: {error}", err=True)
        raise click.exceptions.Exit(4) from None
    except NotAPlanError as error:
        raise click.UsageError(str(error)) from None
    except RunTooLargeError as error:
        raise MemoryFault(
            f"{error} (each run's share; fewer --workers give more); what the other runs gave is kept"
        ) from None
    except RunFailedError as error:
        raise click.ClickException(f"{error}; what the other runs gave is kept, run the same command again") from None
    except OSError as error:
        raise io_fault(error) from None
    _show(made, output, as_json)
    for line in missed:
        click.echo(f"below the bar: {line}", err=True)
    raise click.exceptions.Exit(code)


def _teller(voice: Voice) -> Any:
    """Progress: events as they come, and on a terminal what each running case does."""
    doing: dict[str, str] = {}
    done: list[str] = []

    def tell(event: str, facts: dict[str, Any]) -> None:
        voice.event(event, **facts)
        case = str(facts["case"])
        if event in ("done", "failed", "reuse"):
            doing.pop(case, None)
            done.append(case)
        elif event == "stage":
            doing[case] = STAGES.get(str(facts["stage"]), str(facts["stage"]))
        elif event == "run":
            doing[case] = "starting"
        voice.say("; ".join([f"{len(done)} done", *(f"{name}: {what}" for name, what in doing.items())]))

    return tell


def _bar(text: str) -> tuple[str, str, float]:
    from allocator.measure.registry import KPIS
    from allocator.tables.findings import nearest

    found = _BAR.fullmatch(text)
    if not found:
        raise click.BadParameter(
            f"'{text}' is not KPI>=VALUE or KPI<=VALUE; write e.g. 'fill_rate>=0.9'", param_hint="--bar"
        )
    names = [kpi.name for kpi in KPIS if "network" in kpi.levels]
    if found[1] not in names:
        like = nearest(found[1], names)
        mend = f"did you mean {like}?" if like else "docs/kpis.md lists them"
        raise click.BadParameter(f"'{found[1]}' is not a KPI of the network; {mend}", param_hint="--bar")
    try:
        return found[1], found[2], float(found[3])
    except ValueError:
        raise click.BadParameter(f"'{found[3]}' is not a number", param_hint="--bar") from None


def _missed(made: Comparison, bars: list[tuple[str, str, float]]) -> list[str]:
    missed = []
    for label in made.tables["cases"]["case"].tolist()[1:]:
        for name, sign, bar in bars:
            value = made.kpi(name, label)
            if not (value >= bar if sign == ">=" else value <= bar):
                missed.append(f"{label}: {name} is {value:g}, wanted {sign} {bar:g}")
    return missed


def _show(made: Comparison, output: Path, as_json: bool) -> None:
    if not as_json:
        click.echo(made.text())
        click.echo(f"tables: {output}\npage: {output / 'comparison.html'}")
        return
    tables = {name: json.loads(made.tables[name].to_json(orient="records")) for name in ("cases", "kpis", "waterfall")}
    document = {"comparison": str(output), "base": made.base, "best": made.best, **tables}
    click.echo(json.dumps(document, indent=1))
