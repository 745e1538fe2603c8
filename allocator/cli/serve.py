"""``allocator serve``."""

from __future__ import annotations

from pathlib import Path

import click


@click.command("serve")
@click.argument("folder", type=click.Path(path_type=Path, exists=True, file_okay=False), metavar="DIR")
@click.option("--port", type=click.IntRange(0, 65535), default=0, help="Port on 127.0.0.1. Default: one that is free.")
@click.option(
    "--open/--no-browser",
    "browse",
    default=False,
    help="Open the page in the browser, too. Default: print its address only.",
)
def command(folder: Path, port: int, browse: bool) -> None:
    """Serve a web page over DIR, on this machine alone: plans to read and compare, scenarios to edit and run, quantities to decide.

    DIR is a network folder (its scenarios are those that --scenario finds), a folder of plans, or a folder with networks, scenarios
    and plans below it. Scenarios are saved beside the network's others, plans made from the page under DIR/plans; networks are never
    changed. The address holds a token and is printed once; who has it may do what you may do in DIR (docs/serve.md).

    \b
    allocator serve scenarios/iowa --open
    allocator serve out

    Ctrl-C ends the server, and a run under way with it. Needs the extra [serve].
    """
    try:
        from allocator.serve.server import serving
    except ImportError as error:
        raise click.ClickException(
            f"{(error.name or str(error)).partition('.')[0]} is not installed; pip install 'inventory-allocator[serve]'"
        ) from None
    try:
        with serving(folder, port) as server:
            click.echo(server.address)
            click.echo("open that address; Ctrl-C ends the server", err=True)
            if browse:
                # a browser's command line can be read by other users: this token is spent with the first request
                click.launch(server.once())
            server.run()
    except OSError as error:
        raise click.ClickException(f"port {port}: {error.strerror or error}; give another --port, or none") from None
    except KeyboardInterrupt:
        pass  # the server may also have taken it for itself, and ended by it
    click.echo("stopped", err=True)
