"""``allocator generate``."""

from __future__ import annotations

from pathlib import Path

import click


@click.command("generate")
@click.option("--items", type=click.IntRange(1), required=True, help="Number of items.")
@click.option("--stores", type=click.IntRange(1), required=True, help="Number of stores.")
@click.option("--days", type=click.IntRange(1), default=14, show_default=True, help="Horizon.")
@click.option("--channels", type=click.IntRange(1), default=2, show_default=True, help="Sales channels.")
@click.option("--dcs", type=click.IntRange(1), default=2, show_default=True, help="Distribution centres.")
@click.option(
    "--tight", type=click.FloatRange(0, 1), default=0.1, show_default=True, help="Share of the capacities that bind."
)
@click.option(
    "--expiring", type=click.FloatRange(0, 1), default=0.2, show_default=True, help="Share of the items that expire."
)
@click.option("--seed", type=int, default=0, show_default=True, help="Same seed, same bytes.")
@click.option("-o", "--output", type=click.Path(path_type=Path), required=True, help="Network folder to write.")
def command(
    items: int, stores: int, days: int, channels: int, dcs: int, tight: float, expiring: float, seed: int, output: Path
) -> None:
    """Make up a network folder: gamma demand, weekly season, promotions, sparse assortments, tight capacities."""
    from allocator.generate import generate

    generate(
        items, stores, days=days, channels=channels, dcs=dcs, seed=seed, tight=tight, expiring=expiring, out=output
    )
    click.echo(str(output))
