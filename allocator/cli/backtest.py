"""``allocator backtest``."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from allocator.cli.faults import bad_input, io_fault
from allocator.cli.history import columns_of
from allocator.cli.say import Voice
from allocator.cli.where import NetworkPlace

if TYPE_CHECKING:
    from allocator.backtest import Backtest


@click.command("backtest")
@click.argument("network", type=NetworkPlace())
@click.option(
    "--history", type=click.Path(path_type=Path), help="Real order or sales lines (.csv or .parquet) to play."
)
@click.option("--draw", is_flag=True, help="Draw demand from the network's forecasts instead.")
@click.option("--days", type=click.IntRange(1, 3660), help="Days played from the network's start; default its horizon.")
@click.option("--replications", type=click.IntRange(1, 10_000), help="Paths drawn; default 10. A history is one.")
@click.option("--policies", metavar="A,B,C", help="Policies to play, the first is the base; default all and the bound.")
@click.option("--base", metavar="POLICY", help="The policy that the others are compared with.")
@click.option("--every", type=click.IntRange(1, 366), default=1, show_default=True, help="Days between plans.")
@click.option(
    "--outlooks", type=click.IntRange(2, 1000), default=20, show_default=True, help="Outlooks of hedging plans."
)
@click.option(
    "--alike",
    type=click.IntRange(1, 366),
    help="Days whose shipments hedging plans decide alike for all outlooks; default one more than the longest way to a customer.",
)
@click.option(
    "--cancel-cost", type=click.FloatRange(0), help="Cost of cancelling an accepted unit, instead of the prices'."
)
@click.option("--gap", type=click.FloatRange(0, 1), default=0.01, show_default=True, help="Relative gap of each plan.")
@click.option(
    "--plan-seconds", type=click.FloatRange(1), default=60, show_default=True, help="Most seconds of one plan."
)
@click.option("--workers", type=click.IntRange(1, 256), default=1, show_default=True, help="Processes.")
@click.option("--seed", type=click.IntRange(0), help="Seed of all draws; default the network's.")
@click.option("--column", "columns", multiple=True, metavar="NAME=THEIRS", help="The history's own name of a column.")
@click.option("--channel", metavar="CHANNEL", help="Channel of all lines, where the history has no such column.")
@click.option("-o", "--output", type=click.Path(path_type=Path), help="Folder to publish; plays are kept in it.")
@click.option("--resume", is_flag=True, help="Take the plays kept in the output folder for the same input.")
@click.option("--log", type=click.Choice(["json"]), help="Events as JSON lines on stderr.")
@click.option("--json", "as_json", is_flag=True, help="One JSON document on stdout instead of the summary.")
def command(
    network: str | Path,
    history: Path | None,
    draw: bool,
    days: int | None,
    replications: int | None,
    policies: str | None,
    base: str | None,
    every: int,
    outlooks: int,
    alike: int | None,
    cancel_cost: float | None,
    gap: float,
    plan_seconds: float,
    workers: int,
    seed: int | None,
    columns: tuple[str, ...],
    channel: str | None,
    output: Path | None,
    resume: bool,
    log: str | None,
    as_json: bool,
) -> None:
    """Play policies day by day on real (--history) or drawn (--draw) demand, side by side, and say what each is worth.

    \b
    Policies: outlooks, mean (ours), fcfs (ours, no admission control), rule-a, rule-d (push by forecast),
    pull (base stock), jit, and bound (what nobody can beat). docs/backtest.md says what each does.
    """
    from allocator.backtest import DEFAULT, PlayFailedError, Setting, backtest
    from allocator.plan.publish import NotAPlanError, OutputHeldError
    from allocator.tables import InputError, read_tables

    if draw == (history is not None):
        raise click.UsageError("give either --history FILE or --draw")
    if resume and output is None:
        raise click.UsageError("--resume needs -o: the folder that holds the plays")
    if history is not None and replications not in (None, 1):
        raise click.UsageError(
            "--replications is for --draw: a history is one path of demand, its weeks are the samples"
        )
    names = [name.strip() for name in policies.split(",") if name.strip()] if policies else list(DEFAULT)
    try:
        with Voice(log) as voice:
            tables = read_tables(network)
            setting = Setting(
                days=days or tables.settings.horizon_days,
                every=every,
                outlooks=outlooks,
                alike=alike,
                seed=tables.settings.seed if seed is None else seed,
                gap=gap,
                seconds=plan_seconds,
                history=None if history is None else str(history.absolute()),
                columns=columns_of(columns),
                channel=channel,
            )
            count = 1 if history is not None else replications or 10
            voice.event("start", network=str(network), policies=names, replications=count, days=setting.days)
            made = backtest(
                tables, setting, policies=names, base=base, replications=count, workers=workers,
                cancel_cost=cancel_cost, out=output, resume=resume, tell=_teller(voice),
            )  # fmt: skip
            voice.event("finish", exit_code=0)
    except InputError as error:
        raise bad_input(error) from None
    except ValueError as error:
        raise click.UsageError(str(error)) from None
    except OutputHeldError as error:
        click.echo(f"error: {error}", err=True)
        raise click.exceptions.Exit(4) from None
    except NotAPlanError as error:
        raise click.UsageError(str(error)) from None
    except PlayFailedError as error:
        kept = "; what the others gave is kept, go on with --resume" if output is not None else ""
        raise click.ClickException(f"{error}{kept}") from None
    except KeyboardInterrupt:
        click.echo(_interrupted(output), err=True)
        raise click.exceptions.Exit(130) from None
    except OSError as error:
        raise io_fault(error) from None
    _show(made, output, as_json)


def _interrupted(output: Path | None) -> str:
    if output is None:
        return "interrupted: nothing was published"
    return f"interrupted: nothing was published; finished plays are kept in {output}, go on with --resume"


def _teller(voice: Voice) -> Any:
    done, total = [0], [0]

    def tell(event: str, facts: dict[str, Any]) -> None:
        voice.event(event, **facts)
        if event == "plays":
            done[0], total[0] = int(facts["kept"]), int(facts["plays"])
            voice.say(f"{done[0]} of {total[0]} plays kept; starting")
        else:
            done[0] += 1
            voice.say(f"{done[0]} of {total[0]} plays; last {facts['policy']}, {facts['seconds']:.1f} s")

    return tell


def _show(made: Backtest, output: Path | None, as_json: bool) -> None:
    from allocator.backtest.told import summary

    if as_json:
        click.echo(json.dumps(made.document(), indent=1))
        return
    click.echo(summary(made))
    if output is not None:
        click.echo(f"tables: {output}")
