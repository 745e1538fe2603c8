"""``allocator forecast``."""

from __future__ import annotations

import datetime as dt
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from allocator.cli.faults import bad_input, io_fault
from allocator.cli.history import columns_of
from allocator.cli.say import Voice
from allocator.files import replacing

if TYPE_CHECKING:
    import pandas as pd

    from allocator.forecast import Forecast


@click.command("forecast")
@click.argument("history", type=click.Path(path_type=Path))
@click.option("--start", type=click.DateTime(["%Y-%m-%d"]), required=True, help="First day forecast, e.g. 2026-03-02.")
@click.option("--days", type=click.IntRange(1, 366), default=14, show_default=True, help="Days forecast.")
@click.option(
    "--season",
    type=click.IntRange(1, 31),
    default=7,
    show_default=True,
    help="Days after which sales repeat; 7 = week.",
)
@click.option(
    "--level",
    type=click.Choice(["50", "80", "90"]),
    multiple=True,
    help="Central interval [%] to write beside the median: 50 = p25, p75; 80 = p10, p90; 90 = p05, p95. May be repeated; default all.",
)
@click.option(
    "--column",
    "columns",
    multiple=True,
    metavar="NAME=THEIRS",
    help="The file's own name of a column, e.g. zone=store; may be repeated.",
)
@click.option("--channel", metavar="CHANNEL", help="Channel of all lines, where the file has no such column.")
@click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path),
    help="File to write, .csv or .parquet: the network's forecasts table.",
)
@click.option(
    "--evaluate",
    "origins",
    type=click.IntRange(1, 52),
    help="Forecast the N stretches of --days before --start, each from what was known then, and compare with the seasonal naive.",
)
@click.option("--workers", type=click.IntRange(1, 256), default=1, show_default=True, help="Processes.")
@click.option("--log", type=click.Choice(["json"]), help="Events as JSON lines on stderr.")
@click.option("--json", "as_json", is_flag=True, help="One JSON document on stdout instead of the summary.")
def command(
    history: Path,
    start: dt.datetime,
    days: int,
    season: int,
    level: tuple[str, ...],
    columns: tuple[str, ...],
    channel: str | None,
    output: Path | None,
    origins: int | None,
    workers: int,
    log: str | None,
    as_json: bool,
) -> None:
    """Forecast demand from the sales lines in HISTORY (.csv or .parquet); what was sold from --start on is not looked at.

    \b
    HISTORY has a row a sale, or one a day:
      item, channel, zone, date, quantity   required
      order                                 the order it belongs to; not needed here
      in_stock                              false = stock had run out: the day does not count

    Days without a row are days without sales, once the item has sold. Further columns are left alone. docs/forecast.md says how it is done.

    \b
    allocator forecast sales.csv --column zone=store --column quantity=bottles --channel store \\
        --start 2019-10-07 --days 14 -o network/forecasts.csv
    """
    from allocator.forecast import LibraryMissingError, evaluate, forecast_history
    from allocator.history import read_history
    from allocator.tables import InputError

    if output is None and origins is None:
        raise click.UsageError(
            "nothing to do; give -o forecasts.csv to write forecasts, or --evaluate 4 to measure them"
        )
    if output is not None and output.suffix not in (".csv", ".parquet"):
        raise click.UsageError(f"-o {output} is neither .csv nor .parquet; give such a file")
    made, score = None, None
    try:
        with Voice(log) as voice:
            voice.event("start", history=str(history), start=str(start.date()), days=days)
            lines = read_history(history, columns_of(columns), channel)
            told: dict[str, Any] = {"season": season, "workers": workers, "tell": voice.say}
            if origins is not None:
                score = evaluate(lines, start.date(), days, origins, **told)
            if output is not None:
                made = forecast_history(lines, start.date(), days, **told)
                _write(made.frame.drop(columns=_left_out(level)), output)
            voice.event("finish", exit_code=0)
    except InputError as error:
        raise bad_input(error) from None
    except (LibraryMissingError, ValueError) as error:
        raise click.UsageError(str(error)) from None
    except OSError as error:
        raise io_fault(error) from None
    _show(made, score, output, as_json)


def _left_out(level: tuple[str, ...]) -> list[str]:
    from allocator.forecast.evaluating import INTERVALS

    return [name for width, ends in INTERVALS.items() if level and str(width) not in level for name in ends]


def _write(frame: pd.DataFrame, output: Path) -> None:
    with replacing(output) as part:
        if output.suffix == ".csv":
            frame.to_csv(part, index=False, date_format="%Y-%m-%d", lineterminator="\n")
        else:
            frame.assign(date=frame["date"].dt.date).to_parquet(part, index=False)


def _show(made: Forecast | None, score: pd.DataFrame | None, output: Path | None, as_json: bool) -> None:
    if as_json:
        document: dict[str, Any] = {}
        if score is not None:
            document["evaluation"] = json.loads(score.to_json(orient="records"))
        if made is not None:
            classes = json.loads(made.classes.to_json(orient="records"))
            document |= {"output": str(output), "rows": len(made.frame), "classes": classes, "notes": list(made.notes)}
        click.echo(json.dumps(document, indent=1))
        return
    if score is not None:
        click.echo("".join(_score_lines(score)), nl=False)
    if made is not None:
        for row in made.classes.itertuples():
            click.echo(f"{row[1]:<14}{row[2]:>8,} series  by {row[3]}")
        for note in made.notes:
            click.echo(f"note: {note}")
        click.echo(f"{len(made.frame):,} rows: {output}")


def _score_lines(score: pd.DataFrame) -> list[str]:
    head = f"{'class':<14}{'series':>8}{'demand':>10}{'loss':>9}{'naive':>9}{'gain':>8}{'bias':>8}{'in 50 %':>9}{'in 80 %':>9}{'in 90 %':>9}\n"
    rows = [
        f"{row['class']:<14}{row['series']:>8,}{row['demand']:>10.3f}{row['pinball']:>9.4f}{row['naive']:>9.4f}"
        f"{100 * row['gain']:>6.1f} %{100 * row['bias']:>6.1f} %"
        f"{100 * row['cover50']:>7.1f} %{100 * row['cover80']:>7.1f} %{100 * row['cover90']:>7.1f} %\n"
        for row in score.to_dict("records")
    ]
    return [
        head,
        *rows,
        "demand a day; loss: mean pinball loss a day, p05 to p95; naive: the seasonal naive's; in: share of days in the interval\n",
    ]
