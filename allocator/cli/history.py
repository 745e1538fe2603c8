"""What commands that read a sales history are told of its columns."""

from __future__ import annotations

import click


def columns_of(given: tuple[str, ...]) -> dict[str, str]:
    """``--column NAME=THEIRS``, as often as given: our name of a column to the file's."""
    pairs = [text.partition("=") for text in given]
    for text, (name, _, theirs) in zip(given, pairs, strict=True):
        if not (name and theirs):
            raise click.BadParameter(f"'{text}' is not NAME=THEIRS; write e.g. zone=store", param_hint="--column")
    return {name: theirs for name, _, theirs in pairs}
