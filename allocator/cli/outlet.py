"""Where ``allocator plan`` puts its plan: a folder, and from there the databases and object stores that were asked for."""

from __future__ import annotations

import hashlib
import os
import shutil
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from allocator.cli.publish import NotPublished

if TYPE_CHECKING:
    from allocator.cli.say import Voice


class Unreachable(click.ClickException):
    """A target that can't be reached or written to; nothing was planned."""

    exit_code = 2


class Outlet:
    """One output.

    Parameters
    ----------
    output : str or Path
        Of ``-o``: a folder, or the address of one in an object store.
    targets : sequence of str
        Of ``--to``.

    Attributes
    ----------
    folder : Path
        The plan folder on this machine. For an object store, one of the user's own that is taken away when the store has the plan.
    shown : str
        What the output is called.

    Raises
    ------
    Unreachable
        When a target can't be reached: better now than after hours.
    """

    def __init__(self, output: str | Path, targets: Sequence[str]) -> None:
        self._passing = not isinstance(output, Path)
        self._targets = [output, *targets] if isinstance(output, str) else list(targets)
        self.folder = _passing_folder(output) if isinstance(output, str) else output
        self.shown = str(output)
        shown = [self._reached(url) for url in self._targets]
        if self._passing:
            self.shown = shown[0]

    @staticmethod
    def _reached(url: str) -> str:
        from allocator.delivery import DeliveryError, reach

        try:
            return reach(url)
        except DeliveryError as error:
            raise Unreachable(f"{error}; nothing was planned") from None

    def hand_on(self, voice: Voice, stage: Callable[[str], None]) -> None:
        """Write the published plan to every target.

        Raises
        ------
        NotPublished
            When one refuses; the plan folder stays, so that it can be published again.
        """
        from allocator.delivery import DeliveryError, deliver

        if not self._targets:
            return
        stage("publish")
        for url in self._targets:
            try:
                done = deliver(self.folder, url)
            except DeliveryError as error:
                raise NotPublished(
                    f"{error}; what was there before is untouched. The plan is in '{self.folder}': "
                    f"allocator publish {self.folder} --to '{url}'"
                ) from None
            voice.event("published", to=done.shown, plan_id=done.plan_id, rows=done.rows, known=done.known)
        if self._passing:
            shutil.rmtree(self.folder, ignore_errors=True)


def _passing_folder(url: str) -> Path:
    """A folder of the user's own for the plans of one address: the same each night, so that --resume finds its rounds."""
    from allocator.program.cache import place

    base = place() or Path(tempfile.gettempdir()) / f"inventory-allocator-{os.getuid()}"
    folder = base / "outgoing"
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    if folder.stat().st_uid != os.getuid():
        raise Unreachable(f"'{folder}' belongs to somebody else; set ALLOCATOR_CACHE to a folder of yours")
    return folder / hashlib.sha256(url.encode()).hexdigest()[:16]
