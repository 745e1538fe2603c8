"""The command line. Data on stdout, all else on stderr; exit codes as in ``allocator --help``.

Nothing heavy is imported here: a command imports what it needs when it runs.
"""

from __future__ import annotations

import os
import signal
import sys
import time
from importlib import import_module
from types import FrameType

import click

from allocator.cli.faults import io_fault

COMMANDS = {
    "plan": "Plan a network and publish the plan.",
    "init": "Write a first network: a small one, or from another tool's export.",
    "check": "Read and check a network; plan nothing.",
    "publish": "Write a plan to a database or an object store.",
    "backtest": "Play policies day by day on real or drawn demand, side by side.",
    "compare": "Lay plans, networks and scenarios side by side; run what is not yet run.",
    "serve": "Serve a web page over plans and scenarios, on this machine.",
    "verify": "Audit a plan from its tables alone.",
    "explain": "Say why a site got this much of an item.",
    "forecast": "Make quantile forecasts from sales history alone.",
    "ledger": "Keep stock by lot in an append-only ledger: post, replay, record, reverse.",
    "export": "Write a network's whole program as a model file.",
    "doctor": "Check this installation: versions, solver, memory, write access.",
    "generate": "Make up a network for tests of scale.",
}
"""Every command, in the order of ``--help``, with its one-line help (so that ``--help`` imports none of them)."""

EPILOG = """\b
Exit codes:
  0  a plan within the asked gap        3  a plan, but the deadline came before the gap
  1  internal error, or a broken audit  4  another run holds the output
  2  bad usage or bad input             5  a comparison fell below its bar
                                        130  interrupted

\b
Start here:
  allocator plan scenarios/iowa -o out/iowa
  allocator verify out/iowa
"""


class _Lazy(click.Group):
    """A group whose commands live in modules of their own, imported when called."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return None
        command: click.Command = import_module(f"allocator.cli.{cmd_name}").command
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl(list(COMMANDS.items()))


@click.group(cls=_Lazy, epilog=EPILOG, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option("0.1.0", prog_name="allocator")
def cli() -> None:
    """Spread stock over sites and channels: what to push now, hold back, and admit, which lots go, and how far from optimal the plan can be."""


def main() -> None:
    """Run the command line; never show a traceback unless ALLOCATOR_DEBUG is set."""
    signal.signal(signal.SIGTERM, _terminated)
    try:
        # outside standalone mode click hands back the code of an Exit instead of raising it
        # a deadline counts from here, less what starting Python took
        code = cli.main(standalone_mode=False, obj=time.monotonic() - time.process_time())
        sys.exit(code if isinstance(code, int) else 0)
    except click.UsageError as error:
        error.show()
        sys.exit(2)
    except click.ClickException as error:
        error.show()
        sys.exit(error.exit_code)
    except (click.Abort, KeyboardInterrupt):
        click.echo("interrupted: nothing was published", err=True)
        sys.exit(130)
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(0)
    except OSError as error:
        io_fault(error).show()
        sys.exit(1)
    except Exception as error:
        if os.environ.get("ALLOCATOR_DEBUG"):
            raise
        first = str(error).strip().splitlines()
        click.echo(
            f"internal error: {type(error).__name__}: {first[0] if first else ''}\n"
            "nothing was published; run again with ALLOCATOR_DEBUG=1 for the traceback and report it",
            err=True,
        )
        sys.exit(1)


def _terminated(number: int, frame: FrameType | None) -> None:
    """End on SIGTERM as on Ctrl-C: the lock, the staging folder and the solver's process go with the run."""
    raise KeyboardInterrupt
