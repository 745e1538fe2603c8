"""Breaks a network folder at random for as long as it is told, and stops at the first ending that is no finding.

python -m tests.tables.fuzz_reader --seconds 600
"""

from __future__ import annotations

import argparse
import shutil
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from random import Random

import pyarrow as pa
import pyarrow.csv as pacsv
import pyarrow.parquet as pq

from allocator.scenario import read
from allocator.tables import InputError

WORDS = [
    "", " ", "*", "NA", "nan", "null", "None", "-", "0", "-0", "00123", "1e308", "1e400", "-1", "1.5", "0x1", "inf", "-inf", "1,5",
    "9" * 50, "1e-320", "true", "FALSE", "2026-01-05", "2026-02-30", "9999-12-31", "0000-00-00", "1900-01-01", "2026-01-05T00:00:00Z",
    "category:", "category:dry", "category:*", "D1", "S1", "P", "web", "walk", "N", "standard", "1111111", "0000000", "=1+1", "<b>", "'; --",
    "\x00", "\x1b[2J", "\u202e", "\u200b", "\ufeff", "e\u0301", "Ｓ1", "\U0001f4a3", '"', '""', "a\nb", "a\rb", "x" * 201, "x" * 40_000, "\u00a0S1",
]  # fmt: skip
SCENARIO = """base = "net"
description = "x"
[set]
seed = 3
[[change]]
table = "lots"
where = { item = "NA", lot = ["L2"] }
scale = { quantity = 2 }
add = { received_date = 1 }
[[append]]
table = "orders"
rows = [{ order = "O2", line = "1", item = "NA", channel = "web", zone = "N", due_date = 2026-01-06, quantity = 2 }]
[[sweep]]
name = "q"
change = 1
key = "scale.quantity"
values = [1, 2]
"""
VALUES = [*(repr(word) for word in ("", "x", "lots", "quantity", "../net", "/etc")), "0", "-1", "1e400", "nan", "true", "[]", "{}",
          "2026-01-05", "10000000000000000000000000", "[[1]]", "0001-01-01", "23:00:00"]  # fmt: skip


def break_bytes(data: bytes, random: Random) -> bytes:
    """Cut, double, flip or fill in some bytes."""
    out = bytearray(data)
    for _ in range(random.randint(1, 4)):
        at = random.randrange(len(out) + 1)
        match random.randrange(5):
            case 0:
                del out[at:]
            case 1:
                del out[at : at + random.randint(1, 20)]
            case 2 if at < len(out):
                out[at] ^= 1 << random.randrange(8)
            case 3:
                out[at:at] = random.choice(WORDS).encode("utf-8", "surrogatepass")
            case _:
                out[at:at] = out[at : at + random.randint(1, 200)]
    return bytes(out)


def break_cells(text: str, random: Random) -> str:
    """Put odd words into cells, or swap, double, drop and shuffle columns and rows."""
    rows = [line.split(",") for line in text.splitlines()]
    for _ in range(random.randint(1, 4)):
        if not rows:
            break
        row = random.choice(rows)
        match random.randrange(8):
            case 0:
                rows.append(list(random.choice(rows)))
            case 1:
                rows.remove(row)
            case 2:
                row.append(random.choice(WORDS))
            case 3 if row:
                row.pop(random.randrange(len(row)))
            case 4:
                column = random.randrange(len(rows[0])) if rows[0] else 0
                for other in rows:
                    other.pop(column) if column < len(other) else None
            case _ if row:
                word = random.choice(WORDS)
                row[random.randrange(len(row))] = f'"{word}"' if random.random() < 0.3 else word
    return "\n".join(",".join(row) for row in rows) + random.choice(["", "\n", "\r\n", "\n\n"])


def as_parquet(path: Path, random: Random) -> bytes | None:
    """A table of the folder as Parquet, columns in types of their own accord, some of them broken."""
    table = pacsv.read_csv(path)
    for _ in range(random.randint(0, 2)):
        place = random.randrange(table.num_columns)
        kind = random.choice([pa.string(), pa.float32(), pa.int64(), pa.binary(), pa.timestamp("ns"), pa.null(), pa.large_string(),
                              pa.decimal128(38, 2), pa.date64(), pa.bool_(), pa.list_(pa.int8()), pa.time32("s"), pa.uint64()])  # fmt: skip
        try:
            made = table.column(place).cast(kind)
        except (pa.ArrowException, NotImplementedError):
            made = pa.chunked_array([pa.nulls(table.num_rows, kind)])
        if random.random() < 0.3 and not pa.types.is_null(kind):
            made = made.dictionary_encode() if not pa.types.is_nested(kind) else made
        name = table.column_names[place]
        table = table.set_column(place, random.choice([name, name, name, "x"]), made)
    sink = pa.BufferOutputStream()
    try:
        pq.write_table(table, sink, write_page_checksum=random.random() < 0.5)
    except (pa.ArrowException, NotImplementedError):
        return None
    data = sink.getvalue().to_pybytes()
    return break_bytes(data, random) if random.random() < 0.4 else data


def break_toml(text: str, random: Random) -> str:
    """Put odd values in place of a file's values."""
    lines = text.splitlines()
    for _ in range(random.randint(1, 3)):
        at = random.randrange(len(lines))
        head, equals, _ = lines[at].partition("=")
        match random.randrange(4):
            case 0 if equals:
                lines[at] = f"{head}= {random.choice(VALUES)}"
            case 1:
                lines.insert(at, random.choice(lines))
            case 2:
                lines.pop(at) if len(lines) > 1 else None
            case _:
                lines[at] = break_bytes(lines[at].encode(), random).decode("utf-8", "replace")
    return "\n".join(lines) + "\n"


def break_network(good: Path, folder: Path, random: Random) -> tuple[str, ...]:
    """Copy a good network and break one to three of its files; the scenarios to lay on it."""
    shutil.rmtree(folder, ignore_errors=True)
    shutil.copytree(good, folder)
    (folder.parent / "s.toml").write_text(SCENARIO.replace("net", folder.name), "utf-8")
    names = sorted(path.name for path in folder.iterdir())
    for name in random.sample(names, random.randint(1, 3)):
        path = folder / name
        if path.suffix == ".toml":
            path.write_text(break_toml(path.read_text("utf-8"), random), "utf-8")
            continue
        match random.randrange(4):
            case 0:
                path.write_bytes(break_bytes(path.read_bytes(), random))
            case 1 if (data := as_parquet(path, random)) is not None:
                path.unlink()
                path.with_suffix(".parquet").write_bytes(data)
            case _:
                path.write_bytes(break_cells(path.read_text("utf-8"), random).encode("utf-8", "surrogatepass"))
    if random.random() < 0.7:
        return ()
    (folder.parent / "s.toml").write_text(break_toml(SCENARIO, random), "utf-8")
    return (random.choice(["s:q=1", "s:q=2", "s", "s:q=3"]),)


def one(good: Path, folder: Path, random: Random) -> str:
    """Break a network at random and read it: ``good``, ``bad`` or ``aside``; anything but a finding is raised."""
    scenario = break_network(good, folder, random)
    quarantine = random.random() < 0.3
    try:
        read(folder, scenario, quarantine)
    except InputError as error:
        text = str(error)
        if not error.findings or not all(c.isprintable() or c == "\n" for c in text):
            raise RuntimeError(f"no findings, or findings that could steer a terminal: {text!r}") from None
        return "bad"
    return "aside" if quarantine else "good"


def fuzz(
    good: Path, seconds: float, first: int = 0, tell: Callable[[str], object] = lambda text: None
) -> dict[str, int]:
    """Break networks for some time; how often each ending came.

    Raises
    ------
    RuntimeError
        At the first ending that is neither tables nor findings; names the seed that repeats it.
    """
    counts: dict[str, int] = {}
    end, seed = time.monotonic() + seconds, first
    with tempfile.TemporaryDirectory(prefix="fuzz-") as scratch:
        while time.monotonic() < end:
            try:
                ending = one(good, Path(scratch) / "net", Random(seed))
            except Exception as error:
                raise RuntimeError(f"seed {seed}: {type(error).__name__}: {error}") from error
            counts[ending] = counts.get(ending, 0) + 1
            seed += 1
            if seed % 1000 == 0:
                tell(f"{seed - first:,} networks: {counts}")
    return counts


def main() -> int:
    """Run from the command line."""
    from tests.tables.conftest import NETWORK, TABLES

    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=600.0)
    parser.add_argument("--first", type=int, default=0, help="first seed")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="fuzz-good-") as scratch:
        good = Path(scratch)
        (good / "network.toml").write_text(NETWORK, "utf-8")
        for name, text in TABLES.items():
            (good / f"{name}.csv").write_text(text, "utf-8")
        print(fuzz(good, asked.seconds, asked.first, lambda text: print(text, file=sys.stderr)))
    return 0


if __name__ == "__main__":
    sys.exit(main())
