"""``allocator publish``."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path

import click

from allocator.cli.where import Target


class NotPublished(click.ClickException):
    """A plan that could not be handed on."""

    exit_code = 1


@click.command("publish")
@click.argument("plan", type=click.Path(path_type=Path))
@click.option(
    "--to",
    "url",
    type=Target(),
    required=True,
    help="sqlite:///FILE, postgresql://host/database[?schema=NAME], s3://, gs:// or abfs://bucket/folder, or env:NAME.",
)
@click.option("--json", "as_json", is_flag=True, help="One JSON document on stdout.")
def command(plan: Path, url: str, as_json: bool) -> None:
    """Write the PLAN folder to a database, in one transaction, or to an object store, its manifest last (docs/sources.md).

    It is there whole or not at all, and is then the current plan of its network and scenarios. The same plan again adds nothing.
    """
    from allocator.delivery import DeliveryError, deliver

    try:
        done = deliver(plan, url)
    except DeliveryError as error:
        raise NotPublished(f"{error}; nothing was published there, what was there before is untouched") from None
    click.echo(json.dumps(asdict(done), indent=1) if as_json else str(done))
