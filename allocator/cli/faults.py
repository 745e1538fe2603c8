"""Faults of the user's world, each as one clear ending."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from allocator.cli.say import Voice
    from allocator.memory import MemoryLimitError
    from allocator.priced.cluster import ClusterError
    from allocator.tables import InputError


class InputFault(click.ClickException):
    """Bad input: every finding was shown."""

    exit_code = 2

    def show(self, file: object = None) -> None:
        click.echo(self.message, err=True)


def bad_input(error: InputError, voice: Voice | None = None) -> InputFault:
    """All findings, one line each, and how many."""
    lines = [f"  {finding}" for finding in error.findings[:200]]
    if voice is not None:
        for finding in error.findings[:200]:
            voice.event("finding", text=str(finding))
    total = getattr(error, "total", len(error.findings))
    more = [f"  ... and {total - 200} more"] if total > 200 else []
    head = f"error: the input breaks {total} rule{'s' if total != 1 else ''}; nothing was planned"
    tail = "mend the rows, or run with --quarantine to set bad rows aside"
    if all(finding.table == "scenario" for finding in error.findings):
        tail = "mend the scenario; docs/scenarios.md shows how they are written"
    return InputFault("\n".join([head, *lines, *more, tail]))


class ClusterFault(click.ClickException):
    """A cluster that can't be used as it is."""

    exit_code = 2


def cluster_fault(error: ClusterError) -> ClusterFault:
    """What is wrong with the cluster, in one line."""
    return ClusterFault(f"{error}; nothing was published")


class MemoryFault(click.ClickException):
    """A limit on memory that can't be kept."""

    exit_code = 2


def memory_fault(error: MemoryLimitError) -> MemoryFault:
    """What the limit would have to be, in one line."""
    return MemoryFault(f"{error}; nothing was published")


def io_fault(error: OSError) -> click.ClickException:
    """A disk or permission fault, in one line."""
    place = f" '{error.filename}'" if error.filename else ""
    fault = click.ClickException(
        f"{error.strerror or error}{place}; nothing was published, what was there before is untouched"
    )
    return fault
