"""The page of the commands (docs/commands.md), made from the commands themselves.

Write it again with ``python -m allocator.cli.page > docs/commands.md`` after changing a command.
"""

from __future__ import annotations

import inspect
import sys

import click

from allocator.cli import COMMANDS, cli

EXIT_CODES = {
    0: "a plan within the asked gap; or what was asked was done",
    1: "internal error; or the audit found a broken rule",
    2: "bad usage, or bad input: every broken row is listed, nothing is planned",
    3: "a plan, but the deadline came before the gap",
    4: "another run holds the output",
    5: "a comparison fell below a bar that was asked for",
    130: "interrupted: the best plan so far was published if there was one, else nothing",
}

_HEAD = """# Commands

Made from `allocator/cli/` by `python -m allocator.cli.page > docs/commands.md`; do not edit by hand.

Data goes to stdout, everything else to stderr. `--json` gives one JSON document on stdout. Progress is shown only on a
terminal; `NO_COLOR` is honoured. `ALLOCATOR_DEBUG=1` shows the traceback of an internal error. `allocator COMMAND --help` says
what is below.

"""


def command_page() -> str:
    """Return the Markdown page of all commands."""
    context = click.Context(cli, info_name="allocator")
    codes = ["| exit code | meaning |", "|---|---|", *(f"| {code} | {text} |" for code, text in EXIT_CODES.items())]
    parts = [_HEAD + "\n".join(codes) + "\n"]
    for name in COMMANDS:
        command = cli.get_command(context, name)
        assert command is not None
        parts.append(_command(name, command))
        inner = command.commands if isinstance(command, click.Group) else {}
        parts += [_command(f"{name} {part}", inner[part]) for part in inner]
    return "\n".join(parts)


def _command(name: str, command: click.Command) -> str:
    arguments = [p for p in command.params if isinstance(p, click.Argument)]
    options = [p for p in command.params if isinstance(p, click.Option) and not p.hidden]
    shown = [str(p.name).upper() if p.required else f"[{str(p.name).upper()}]" for p in arguments]
    shown += [f"{max(p.opts, key=len)} {_value(p)}" for p in options if p.required]
    usage = " ".join(["allocator", name, *shown, *(["[OPTIONS]"] if any(not p.required for p in options) else [])])
    lines = [f"## {name}\n", f"    {usage}\n", f"{inspect.cleandoc((command.help or '').replace(chr(8), ''))}\n"]
    if options:
        lines += ["| option | value | default | meaning |", "|---|---|---|---|", *map(_option, options)]
    return "\n".join(lines) + "\n"


def _option(option: click.Option) -> str:
    names = ", ".join(f"`{name}`" for name in option.opts)
    default = "*required*" if option.required else f"`{option.default}`" if option.show_default else ""
    return f"| {names} | {_value(option)} | {default} | {option.help or ''} |"


def _value(option: click.Option) -> str:
    """What an option takes, in a word."""
    if option.is_flag:
        return ""
    if isinstance(option.type, click.Choice):
        return "/".join(str(choice) for choice in option.type.choices)
    if option.nargs > 1:
        return str(option.metavar)
    if isinstance(option.type, click.Path):
        return "PATH"
    return option.type.name.partition(" ")[0].upper()


if __name__ == "__main__":
    sys.stdout.write(command_page())
