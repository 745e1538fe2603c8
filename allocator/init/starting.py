"""A small network to start from: every table, with a page that says what each is for."""

from __future__ import annotations

import shutil
from pathlib import Path

from allocator.init.converting import fresh_folder, refuse_to_overwrite

STARTER = Path(__file__).parent / "starter"


def start(out: Path) -> Path:
    """Write the starter network.

    Parameters
    ----------
    out : Path
        Network folder to write; must not be there, or be empty.

    Returns
    -------
    Path
        `out`.

    Raises
    ------
    FileExistsError
        When there is something at `out`.
    """
    refuse_to_overwrite(out)
    with fresh_folder(out) as staged:
        for path in sorted(STARTER.iterdir()):
            shutil.copyfile(path, staged / path.name)
    return out
