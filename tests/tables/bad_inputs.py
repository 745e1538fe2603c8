"""Every way in which a network folder is broken on purpose: how, the exit code, and what the message must say."""

from __future__ import annotations

import datetime
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

Break = Callable[[Path], object]


@dataclass(frozen=True)
class Case:
    """One broken network.

    Attributes
    ----------
    name : str
    breaks : callable
        Breaks the good network folder it is given.
    code : int
        Exit code of ``allocator check``.
    words : tuple of str
        What its output must say.
    more : tuple of str
        Further arguments.
    """

    name: str
    breaks: Break
    code: int
    words: tuple[str, ...]
    more: tuple[str, ...] = ()


def cell(table: str, old: str, new: str) -> Break:
    """Put other text into a table."""

    def breaks(folder: Path) -> None:
        path = folder / f"{table}.csv"
        text = path.read_bytes().decode("utf-8")
        assert old in text, (table, old)
        path.write_bytes(text.replace(old, new, 1).encode("utf-8", "surrogatepass"))

    return breaks


def row(table: str, text: str | bytes) -> Break:
    """Add a row to a table."""

    def breaks(folder: Path) -> None:
        with (folder / f"{table}.csv").open("ab") as stream:
            stream.write((text.encode() if isinstance(text, str) else text) + b"\n")

    return breaks


def file(name: str, content: str | bytes) -> Break:
    """Write a whole file."""
    data = content.encode() if isinstance(content, str) else content
    return lambda folder: (folder / name).write_bytes(data)


def recoded(table: str, codec: str, mark: bytes = b"") -> Break:
    """Write a table in another encoding."""

    def breaks(folder: Path) -> None:
        path = folder / f"{table}.csv"
        text = path.read_text("utf-8").replace("promotion", "promoción")
        path.write_bytes(mark + text.encode(codec))

    return breaks


def setting(old: str, new: str) -> Break:
    """Change network.toml."""

    def breaks(folder: Path) -> None:
        path = folder / "network.toml"
        text = path.read_text("utf-8")
        assert old in text, old
        path.write_text(text.replace(old, new, 1), "utf-8")

    return breaks


def scenario(text: str | bytes) -> Break:
    """Write a scenario beside the network."""
    data = text.encode() if isinstance(text, str) else text
    return lambda folder: (folder.parent / "wrong.toml").write_bytes(data)


def parquet(name: str, columns: dict[str, pa.Array]) -> Break:
    """Give a table as Parquet in place of CSV."""

    def breaks(folder: Path) -> None:
        (folder / f"{name}.csv").unlink()
        pq.write_table(pa.table(columns), folder / f"{name}.parquet", write_page_checksum=True)

    return breaks


def damaged(harm: Callable[[bytes], bytes]) -> Break:
    """Damage the bytes of a good Parquet file of lots."""

    def breaks(folder: Path) -> None:
        parquet("lots", LOTS)(folder)
        path = folder / "lots.parquet"
        path.write_bytes(harm(path.read_bytes()))

    return breaks


def linked(name: str, to: str) -> Break:
    """Put a link to something that is no table in a table's place."""

    def breaks(folder: Path) -> None:
        (folder / name).unlink(missing_ok=True)
        (folder / name).symlink_to(to)

    return breaks


def in_turn(*steps: Break) -> Break:
    """Break a network in several ways."""

    def breaks(folder: Path) -> None:
        for step in steps:
            step(folder)

    return breaks


UP = "../" * 16  # to the root from wherever the tests' folders lie
DAY = datetime.date(2026, 1, 2)
LOTS = {
    "lot": pa.array(["L1", "L2"]),
    "item": pa.array(["00123", "NA"]),
    "site": pa.array(["D1", "S1"]),
    "quantity": pa.array([10.0, 4.0]),
    "received_date": pa.array([DAY, DAY]),
}


def bomb(folder: Path) -> None:
    """A Parquet file of some kilobytes that would unpack to 268 million rows."""
    (folder / "lots.csv").unlink()
    part = pa.table({"lot": pa.repeat(pa.scalar(False), 32 << 20)})
    with pq.ParquetWriter(folder / "lots.parquet", part.schema, compression="zstd") as writer:
        for _ in range(8):
            writer.write_table(part, row_group_size=32 << 20)


def long_words(folder: Path) -> None:
    """A Parquet file of some kilobytes whose one word of half a million characters would fill 50 GB, spelled out."""
    count = 100_000
    word = pa.DictionaryArray.from_arrays(pa.array([0] * count, pa.int32()), ["x" * 500_000])
    parquet("lots", dict.fromkeys(LOTS, word))(folder)


def _lots(**changed: pa.Array) -> dict[str, pa.Array]:
    return {**LOTS, **changed}


TWICE = "is a key given more than once; keep one row for each key"

KEYS = [
    Case("trimmed site", row("sites", " S1 ,dc,,"), 2, ("sites.csv line 3, column site: 'S1'", TWICE)),
    Case("trimmed item", row("items", "NA\t,,,,,,"), 2, ("items.csv line 3, column item: 'NA'", TWICE)),
    Case("no-break space", row("sites", "\u00a0S1,dc,,"), 2, ("'S1' " + TWICE,)),
    Case(
        "composed and decomposed", in_turn(row("sites", "caf\u00e9,dc,,"), row("sites", "cafe\u0301,dc,,")), 2, (TWICE,)
    ),
    Case("default of a key", row("lanes", "D1,S1,,1,10,,"), 2, ("lanes.csv line 5", "D1 / S1 / standard", TWICE)),
    Case("lot twice", row("lots", "L1,00123,D1,1,2026-01-01,,"), 2, ("L1 / 00123 / D1", TWICE)),
    Case("forecast twice", row("forecasts", "NA,walk,S1,2026-01-06,1,,,,"), 2, ("NA / walk / S1 / 2026-01-06", TWICE)),
    Case("channel twice", row("channels", "web ,2,,"), 2, ("column channel: 'web'", TWICE)),
    Case("fulfilment twice", row("fulfilment", "D1, web,N"), 2, ("D1 / web / N", TWICE)),
    Case("order line twice", row("orders", "O1,1 ,NA,web,N,2026-01-06,2,"), 2, ("O1 / 1", TWICE)),
    Case("receipt twice", row("receipts", "R1,00123,D1,2026-01-06,5,"), 2, ("'R1' " + TWICE,)),
    Case("price twice", row("prices", "00123,web,1,1"), 2, ("00123 / web", TWICE)),
    Case("policy twice", row("stock_policies", "00123,S1,true,1,2"), 2, ("00123 / S1", TWICE)),
    Case("limit twice", row("admission_limits", "web,*,*,6,"), 2, ("web / * / *", TWICE)),
    Case("capacity twice", row("capacities", "D1,storage,2026-01-05,9"), 2, ("D1 / storage / 2026-01-05", TWICE)),
    Case("lock twice", row("locks", "K1,NA,D1,S1,standard,2026-01-07,max,4,r,p"), 2, ("'K1' " + TWICE,)),
    Case("capitals differ", row("sites", "s1,store,,"), 0, ("S1 and s1 differ only in capitals; they are two",)),
    Case("width differs", row("sites", "Ｓ1,store,,"), 0, ("S1 and Ｓ1 differ only in width; they are two",)),
]

CODES = [
    Case("zeros lost", cell("forecasts", "00123", "123"), 2, ("'123' is not in items", "write '00123'")),
    Case("zeros added", cell("lots", "00123", "000123"), 2, ("'000123' is not in items", "write '00123'")),
    Case("site mistyped", cell("lots", "D1,10", "D2,10"), 2, ("'D2' is not in sites; add it to sites",)),
    Case("channel unknown", cell("fulfilment", "S1,walk", "S1,talk"), 2, ("'talk' is not in channels", "write 'walk'")),
    Case("blank code", cell("lots", "L1,00123", "   ,00123"), 2, ("column lot: is blank; give the lot",)),
    Case("blank reference", cell("orders", "NA,web", " ,web"), 2, ("column item: is blank",)),
    Case(
        "million characters",
        cell("items", "nan,fresh", "n" * 1_000_000 + ",fresh"),
        2,
        ("is longer than 200 characters",),
    ),
    Case(
        "million characters of text",
        cell("locks", "promotion", "p" * 1_000_000),
        2,
        ("is longer than 10,000 characters",),
    ),
    Case("bell", cell("items", "nan,fresh", "n\x07an,fresh"), 2, ("'n\\x07an' holds a control", "remove it")),
    Case("terminal escape", cell("items", "nan,fresh", "n\x1b[31man,fresh"), 2, ("\\x1b[31m", "holds a control")),
    Case("NUL", cell("items", "nan,fresh", "n\x00an,fresh"), 2, ("'n\\x00an' holds a control",)),
    Case("right to left", cell("items", "nan,fresh", "n\u202ean,fresh"), 2, ("\\u202e", "invisible character")),
    Case("zero width", cell("items", "nan,fresh", "n\u200ban,fresh"), 2, ("\\u200b", "invisible character")),
    Case("line end in a code", cell("items", "nan,fresh", '"n\nan",fresh'), 2, ("'n\\nan' holds a control",)),
    Case("control in a text", cell("locks", "promotion", "pro\x08motion"), 2, ("column reason", "holds a control")),
    Case("star as a code", row("channels", "*,1,,"), 2, ("'*' is reserved for 'all'; choose another code",)),
    Case(
        "category as an item", row("items", "category:x,,,,,,"), 2, ("begins with category:, which names categories",)
    ),
    Case("numbers as codes", in_turn(row("items", "1E5,,,,,,"), row("items", "100000,,,,,,")), 0, ("are good",)),
    Case("words as codes", in_turn(row("items", "null,,,,,,"), row("items", "TRUE,,,,,,")), 0, ("are good",)),
    Case("markup in a name", row("items", "<script>alert(1)</script>,,,,,,"), 0, ("are good",)),
    Case("SQL as a code", row("items", "x'; DROP TABLE lots; --,,,,,,"), 0, ("are good",)),
    Case("formula as a code", row("items", "=cmd|' /C calc'!A0,,,,,,"), 0, ("are good",)),
]

FIGURES = [
    Case("NaN", cell("lots", "D1,10", "D1,NaN"), 2, ("lots.csv line 2, column quantity: 'NaN' is not a number",)),
    Case("infinity", cell("lots", "D1,10", "D1,inf"), 2, ("'inf' is not a number; give a number in plain digits",)),
    Case("minus infinity", cell("prices", "-1,2", "-Infinity,2"), 2, ("'-Infinity' is not a number",)),
    Case("negative stock", cell("lots", "D1,10", "D1,-10"), 2, ("'-10' is below 0; give 0 or more (units)",)),
    Case("negative cost", cell("items", "2.5,0.1", "-2.5,0.1"), 2, ("column unit_cost: '-2.5' is below 0",)),
    Case("negative lead time", cell("lanes", "P,D1,,2", "P,D1,,-2"), 2, ("column lead_time_days: '-2' is below 0",)),
    Case(
        "negative wait", cell("channels", "backorder,3", "backorder,-3"), 2, ("column max_wait_days: '-3' is below 0",)
    ),
    Case("minus zero", cell("lots", "D1,10", "D1,-0"), 0, ("are good",)),
    Case(
        "huge stock", cell("lots", "D1,10", "D1,1e13"), 2, ("column quantity: '1e13' is beyond 1e+12; check the unit",)
    ),
    Case("beyond a float", cell("lots", "D1,10", "D1,1e999"), 2, ("'1e999' is beyond 1e+12",)),
    Case("huge cost", cell("items", "2.5,0.1", "1e15,0.1"), 2, ("column unit_cost: '1e15' is beyond 1e+12",)),
    Case("very many digits", cell("lots", "D1,10", "D1," + "9" * 400), 2, ("is beyond 1e+12; check the unit",)),
    Case(
        "size of nearly nothing",
        cell("items", "2.5,0.1", "2.5,1e-13"),
        2,
        ("'1e-13' is above 0 and below 1e-08, too small",),
    ),
    Case("denormal", cell("items", "2.5,0.1", "2.5,4e-320"), 2, ("'4e-320' is above 0 and below 1e-08",)),
    Case(
        "share of nearly nothing",
        cell("admission_limits", "0.5", "1e-10"),
        2,
        ("column max_share: '1e-10' is above 0 and",),
    ),
    Case("lead time of an age", cell("lanes", "P,D1,,2", "P,D1,,99999"), 2, ("'99999' is above 3660",)),
    Case(
        "finer than a unit", cell("lots", "D1,10", "D1,10.25"), 2, ("'10.25' is no multiple of the item's quantum 1",)
    ),
    Case("finer than two units", cell("lots", "S1,4", "S1,3"), 2, ("'3' is no multiple of the item's quantum 2",)),
    Case("finer order", cell("orders", "06,4,", "06,4.5,"), 2, ("orders.csv", "no multiple of the item's quantum 2")),
    Case("finer receipt", cell("receipts", "06,5", "06,0.5"), 2, ("no multiple of the item's quantum 1; round it",)),
    Case("finer lock", cell("locks", "fix,4", "fix,4.001"), 2, ("locks.csv", "no multiple of the item's quantum 2")),
    Case("finer pack", cell("item_lanes", "standard,6", "standard,7"), 2, ("column pack_size: '7' is no multiple",)),
    Case(
        "pack of nothing", cell("item_lanes", "standard,6", "standard,0"), 2, ("column pack_size: '0' is not above 0",)
    ),
    Case("vehicle of nothing", cell("lanes", "1,10,", "1,0,"), 2, ("column vehicle_volume: '0' is not above 0",)),
    Case("whole part of a day", cell("lanes", "P,D1,,2", "P,D1,,1.5"), 2, ("'1.5' is not a whole number",)),
    Case("decimal comma", cell("lots", "D1,10", 'D1,"10,0"'), 2, ("'10,0' is not a number",)),
    Case("thousands", cell("lots", "D1,10", 'D1,"1 000"'), 2, ("'1 000' is not a number",)),
    Case("currency sign", cell("items", "2.5,0.1", "€2.5,0.1"), 2, ("'€2.5' is not a number",)),
    Case("hexadecimal", cell("lots", "D1,10", "D1,0x0A"), 2, ("'0x0A' is not a number",)),
    Case("other digits", cell("lots", "D1,10", "D1,١٠"), 2, ("'١٠' is not a number",)),
    Case("share above 1", cell("admission_limits", "0.5", "50"), 2, ("column max_share: '50' is above 1",)),
    Case("minimum above maximum", cell("stock_policies", "2,9", "10,9"), 2, ("'10' is above max_stock 9; lower it",)),
    Case("falling quantiles", cell("forecasts", "1,2,4", "5,2,4"), 2, ("column p50: '2' is below a lower quantile",)),
    Case("maybe", cell("stock_policies", "true", "perhaps"), 2, ("'perhaps' is neither true nor false",)),
]

DAYS = [
    Case(
        "lock before the start",
        cell("locks", "2026-01-06", "2026-01-02"),
        2,
        ("'2026-01-02' is outside the horizon", "2026-01-08"),
    ),
    Case(
        "lock after the end",
        cell("locks", "2026-01-06", "2026-02-06"),
        2,
        ("is outside the horizon; give a day from 2026-01-05",),
    ),
    Case(
        "lock on an idle day", cell("lanes", "1111100", "1011100"), 2, ("'2026-01-06' is no departing day of the lane",)
    ),
    Case(
        "forecast outside", row("forecasts", "NA,walk,S1,2027-01-06,1,,,,"), 0, ("1 row after the horizon; not used",)
    ),
    Case(
        "receipt overdue",
        cell("receipts", "2026-01-06", "2025-12-24"),
        0,
        ("overdue; taken as coming in on the first day",),
    ),
    Case("order overdue", cell("orders", "2026-01-06", "2026-01-01"), 0, ("due before the start; still open",)),
    Case(
        "lot from the future",
        cell("lots", "10,2026-01-01", "10,2027-01-01"),
        0,
        ("received after the horizon; not used",),
    ),
    Case(
        "lot expired",
        cell("lots", "2026-01-01,,", "2026-01-01,2026-01-03,"),
        0,
        ("expired before the start; not used",),
    ),
    Case(
        "expires before it comes",
        cell("receipts", "5,\n", "5,2026-01-01\n"),
        0,
        ("expired on arrival; serves nothing and is waste",),
    ),
    Case("expires before received", cell("lots", "2026-01-01,,", "2026-01-07,2026-01-06,"), 0, ("expired on arrival",)),
    Case(
        "time of day",
        cell("lots", "10,2026-01-01", "10,2026-01-01T08:30"),
        2,
        ("is not an ISO day from 1900 on; write it as",),
    ),
    Case("time zone", cell("lots", "10,2026-01-01", "10,2026-01-01T00:00:00+02:00"), 2, ("is not an ISO day",)),
    Case("day first", cell("lots", "10,2026-01-01", "10,01.02.2026"), 2, ("'01.02.2026' is not an ISO day",)),
    Case("leap day", cell("lots", "10,2026-01-01", "10,2026-02-29"), 2, ("'2026-02-29' is not an ISO day",)),
    Case("week", cell("lots", "10,2026-01-01", "10,2026-W01"), 2, ("'2026-W01' is not an ISO day",)),
    Case("spreadsheet serial", cell("lots", "10,2026-01-01", "10,46027"), 2, ("'46027' is not an ISO day",)),
    Case("year 0", cell("lots", "10,2026-01-01", "10,0000-01-01"), 2, ("'0000-01-01' is not an ISO day from 1900 on",)),
    Case("year 10000", cell("lots", "10,2026-01-01", "10,10000-01-01"), 2, ("'10000-01-01' is not an ISO day",)),
    Case(
        "zoned column",
        parquet("lots", _lots(received_date=pa.array([DAY, DAY]).cast(pa.timestamp("s", "UTC")))),
        2,
        ("column received_date", "a moment, not a day; give day it came to the site as days"),
    ),
    Case(
        "days with hours",
        parquet("lots", _lots(received_date=pa.array([datetime.datetime(2026, 1, 2, 7)] * 2))),
        2,
        ("row 1, column received_date", "is not an ISO day"),
    ),
    Case(
        "days as figures",
        parquet("lots", _lots(received_date=pa.array([46027.0, 46028.0]))),
        2,
        ("holds double, not days",),
    ),
]

FILES = [
    Case("BOM", recoded("locks", "utf-8", b"\xef\xbb\xbf"), 0, ("are good",)),
    Case("latin-1", recoded("locks", "latin-1"), 2, ("locks.csv: is not UTF-8 (line 2); save it as UTF-8",)),
    Case("UTF-16", recoded("locks", "utf-16"), 2, ("locks.csv: is not UTF-8 (line 1)",)),
    Case("two encodings", in_turn(recoded("locks", "utf-8"), row("locks", b"K2,\xe9")),
         2, ("locks.csv: is not UTF-8 (line 3)",)),
    Case("lone surrogate", cell("items", "nan,fresh", "n\ud800an,fresh"), 2, ("items.csv: is not UTF-8 (line 4)",)),
    Case("line ends of Windows", lambda f: (f / "lots.csv").write_bytes((f / "lots.csv").read_bytes().replace(b"\n", b"\r\n")),
         0, ("are good",)),
    Case("line ends of old Macs", lambda f: (f / "lots.csv").write_bytes((f / "lots.csv").read_bytes().replace(b"\n", b"\r")),
         2, ("lots.csv: ends its lines with CR alone; save it with LF or CRLF",)),
    Case("no last line end", file("prices.csv", "item,channel,margin\nNA,web,1"), 0, ("no line end after its last row",)),
    Case("cut in a cell", file("prices.csv", "item,channel,margin\nNA,web,1\nNA,wa"), 2, ("prices.csv line 3: 'NA,wa' has 2 cells",)),
    Case("quote not closed", cell("locks", "promotion", '"promotion'), 2, ("has a quote that is never closed",)),
    Case("semicolons", file("prices.csv", "item;channel;margin\nNA;web;1\n"), 2, ("is not separated by commas",)),
    Case("cell too many", row("prices", "NA,web,1,2,3"), 2, ("has 5 cells instead of 4; give one cell for each",)),
    Case("blank lines", file("prices.csv", "item,channel,margin\n\n\nNA,web,x\n"), 2, ("prices.csv line 4, column margin: 'x'",)),
    Case("empty file", file("prices.csv", ""), 2, ("prices.csv: has no column names in its first line",)),
    Case("header alone", file("lots.csv", "lot,item,site,quantity,received_date\n"), 0, ("note: lots: no rows",)),
    Case("column twice", file("prices.csv", "item,channel,margin,margin\nNA,web,1,2\n"), 2, ("has column margin 2 times",)),
    Case("column unknown", file("prices.csv", "item,channel,margn\nNA,web,1\n"), 2, ("unknown column 'margn'; rename it to margin",)),
    Case("column missing", file("prices.csv", "item,channel\nNA,web\n"), 2, ("prices.csv: has no column margin; add it",)),
    Case("header of markup", file("prices.csv", "<b>item</b>,channel,margin\n"), 2, ("unknown column '<b>item</b>'",)),
    Case("header of controls", file("prices.csv", "it\x1b[2Jem,channel,margin\n"), 2, ("unknown column 'it\\x1b[2Jem'",)),
    Case("million columns", file("prices.csv", "," * 99_999 + "c\n"), 2, ("has 100,000 columns, prices has 5; keep those of prices",)),
    Case("table unknown", file("lotz.csv", "lot\n"), 2, ("lotz.csv: is not a table of a network; rename it to lots.csv",)),
    Case("SQL as a table", file("lots; DROP TABLE items.csv", "lot\n"), 2, ("lots; DROP TABLE items.csv: is not a table",)),
    Case("markup as a table", file("<img src=x>.csv", "lot\n"), 2, ("<img src=x>.csv", "is not a table of a network")),
    Case("controls in a file's name", file("lo\x1b[2Jts.csv", "lot\n"), 2, ("lo\\x1b[2Jts.csv", "is not a table")),
    Case("table missing", lambda folder: (folder / "lots.csv").unlink(), 2, ("lots: is missing; add lots.csv or lots.parquet",)),
    Case("table twice", lambda folder: pq.write_table(pa.table(LOTS), folder / "lots.parquet"), 2, ("lots: is given twice",)),
    Case("folder as a table", lambda f: ((f / "lots.csv").unlink(), (f / "lots.csv").mkdir()), 2, ("lots.csv: is not a file",)),
    Case("device as a table", linked("lots.csv", "/dev/zero"), 2, ("lots.csv: is not a file",)),
    Case("link to nothing", linked("lots.csv", "nowhere"), 2, ("lots.csv: is not a file",)),
    Case("link to itself", linked("lots.csv", "lots.csv"), 2, ("lots.csv: is not a file",)),
    Case("Parquet cut short", damaged(lambda data: data[: len(data) // 2]), 2, ("lots.parquet: can't be read", "write the file again")),
    Case("Parquet without end", damaged(lambda data: data[:-8]), 2, ("lots.parquet: can't be read",)),
    Case("Parquet with a flipped bit", damaged(lambda data: data[:30] + bytes([data[30] ^ 64]) + data[31:]), 2,
         ("lots.parquet: can't be read",)),
    Case("Parquet of nothing", damaged(lambda data: b""), 2, ("lots.parquet: can't be read",)),
    Case("text named Parquet", damaged(lambda data: b"lot,item\n"), 2, ("lots.parquet: can't be read",)),
    Case("Parquet of other columns", parquet("lots", {"a": pa.array([1])}), 2, ("unknown column 'a'", "has no column lot")),
    Case("Parquet of lists", parquet("lots", _lots(quantity=pa.array([[1.0], [2.0]]))), 2, ("holds list", "not numbers")),
    Case("Parquet of bytes", parquet("lots", _lots(lot=pa.array([b"L1", b"L2"]))), 2, ("column lot: holds binary, not text",)),
    Case("Parquet of structures", parquet("lots", _lots(lot=pa.array([{"a": 1}] * 2))), 2, ("column lot: holds struct",)),
    Case("Parquet of NaN", parquet("lots", _lots(quantity=pa.array([float("nan"), 4.0]))), 2, ("row 1, column quantity: 'nan'",)),
    Case("Parquet of flags", parquet("lots", _lots(quantity=pa.array([True, False]))), 2, ("holds bool, not numbers",)),
    Case("Parquet of numbers for codes", parquet("lots", _lots(item=pa.array([123, 1]))), 2, ("'123' is not in items", "'00123'")),
    Case("Parquet of nulls", parquet("lots", _lots(quantity=pa.nulls(2))), 2, ("row 1, column quantity: is blank",)),
    Case("Parquet bomb of rows", bomb, 2, ("would unpack to 268,435,456 rows of 1 columns; keep it to",)),
    Case("Parquet bomb of words", long_words, 2, ("column lot", "is longer than 200 characters")),
]  # fmt: skip

NETWORK = [
    Case("ring of lanes", in_turn(row("lanes", "S1,D1,back,1,,,"), row("lanes", "D1,P,back,1,,,")), 0, ("are good",)),
    Case("ring of same-day lanes", in_turn(row("lanes", "S1,D1,back,0,,,")), 0, ("lead time 0 lead back to where they start",)),
    Case("lane to itself", row("lanes", "D1,D1,loop,0,,,"), 2, ("'D1' is the lane's own origin; give another site",)),
    Case("site that no lane reaches", in_turn(row("sites", "S9,store,,"), row("fulfilment", "S9,walk,S9"),
         row("forecasts", "NA,walk,S9,2026-01-06,1,,,,")), 0, ("serve demand, but hold nothing and no lane leads to them (first: S9)",)),
    Case("zone that no site serves", row("forecasts", "NA,walk,S9,2026-01-06,1,,,,"), 2, ("'walk / S9' is served by no site",)),
    Case("lane to no site", row("lanes", "D1,S9,standard,1,,,"), 2, ("column destination: 'S9' is not in sites",)),
    Case("rule for no lane", row("item_lanes", "NA,S1,P,standard,,"), 2, ("'S1 > P (standard)' is not in lanes",)),
    Case("rule for no category", row("item_lanes", "category:wet,D1,S1,express,,"), 2, ("names a category of no item",)),
    Case("lock on a shut lane", cell("locks", "K1,NA", "K1,nan"), 2, ("'nan' may not go on this lane; open it",)),
    Case("lock to where it is not carried", row("stock_policies", "NA,S1,false,,"), 2, ("'S1' does not carry the item",)),
    Case("limit that limits nothing", cell("admission_limits", "*,*,5,", "*,*,,"), 2, ("is blank, and so is max_share",)),
    Case("all at once", in_turn(cell("lots", "D1,10", "D9,-1"), cell("prices", "-1,2", "x,2")), 2,
         ("the input breaks 3 rules; nothing was planned", "'D9' is not in sites", "'-1' is below 0", "'x' is not a number")),
    Case("set aside", cell("lots", "D1,10", "D1,-10"), 0, ("set aside:", "'-10'"), ("--quarantine",)),
]  # fmt: skip

SETTINGS = [
    Case(
        "no settings",
        lambda folder: (folder / "network.toml").unlink(),
        2,
        ("network.toml: is missing; add it with name",),
    ),
    Case("no TOML", setting("seed = 7", "seed = = 7"), 2, ("network.toml: can't be read", "write it as TOML")),
    Case("TOML of megabytes", setting("seed = 7", "seed = 7\n#" + "x" * (1 << 20)), 2, ("is larger than 1 MB",)),
    Case(
        "TOML too deep", setting("seed = 7", "seed = " + "[" * 5000 + "]" * 5000), 2, ("network.toml: can't be read",)
    ),
    Case(
        "TOML in latin-1",
        lambda f: (f / "network.toml").write_bytes(b'name = "\xe9"\n'),
        2,
        ("network.toml: is not UTF-8",),
    ),
    Case(
        "number of very many digits", setting("seed = 7", "seed = " + "9" * 5000), 2, ("network.toml: can't be read",)
    ),
    Case("horizon of an age", setting("horizon_days = 4", "horizon_days = 1000000"), 2, ("'1000000' is above 3660",)),
    Case("endless outlooks", setting("seed = 7", "outlooks = 1000000000"), 2, ("key outlooks", "is above 10000")),
    Case("negative horizon", setting("horizon_days = 4", "horizon_days = -4"), 2, ("'-4' is below 1",)),
    Case("buckets of a million", setting("[1, 1, 2]", "[" + "1," * 100_000 + "]"), 2, ("buckets sum to 100000 days",)),
    Case("start in year 9999", setting("2026-01-05", "9999-12-31"), 2, ("key start: '9999-12-31' is not an ISO day",)),
    Case("start at an hour", setting("2026-01-05", "2026-01-05T00:00:00Z"), 2, ("is not an ISO day",)),
    Case("key unknown", setting("seed = 7", "sead = 7"), 2, ("key sead: is not a setting; rename it to seed",)),
    Case("key of controls", setting("seed = 7", '"se\\u001bed" = 7'), 2, ("se\\x1bed", "is not a setting")),
    Case("infinite cost", setting("seed = 7", "change_cost = inf"), 2, ("key change_cost: 'inf'",)),
    Case("name of controls", setting('"two"', '"t\\u001b[2Jwo"'), 2, ("key name: 't\\x1b[2Jwo'",)),
    Case("name too long", setting('"two"', '"' + "x" * 100_000 + '"'), 2, ("key name", "at most 200 characters")),
    Case("fill of an unknown channel", setting("web =", "wob ="), 2, ("min_fill.wob: is not in channels", "'web'")),
]

WRONG = ("--scenario", "wrong")
SCENARIOS = [
    Case("scenario unknown", lambda folder: None, 2, ("is not a scenario of this network",), ("--scenario", "wrang")),
    Case("scenario of no TOML", scenario("a = \n"), 2, ("wrong.toml: can't be read", "write it as TOML"), WRONG),
    Case("scenario too deep", scenario("a = " + "[" * 5000 + "]" * 5000), 2, ("wrong.toml: can't be read",), WRONG),
    Case("scenario too large", scenario(b"#" * ((16 << 20) + 1)), 2, ("wrong.toml: is larger than 16 MB",), WRONG),
    Case("scenario of endless members", scenario('[[sweep]]\nname = "x"\nkey = "set.seed"\nfrom = 0\nto = 1\nsteps = 100000000\n'), 2,
         ("wrong.toml", "200"), WRONG),
    Case("base out of the folder", scenario(f'base = "{UP}etc"\n'), 2, (f"'{UP}etc' is not a network folder",), ("@wrong.toml",)),
    Case("absolute base", scenario('base = "/etc"\n'), 2, ("'/etc' is no path seen from this file; write it as",), ("@wrong.toml",)),
    Case("base at home", scenario('base = "~/net"\n'), 2, ("'~/net' is not a folder; give it as seen from this file",), ("@wrong.toml",)),
    Case("base on the net", scenario('base = "http://example.com/net"\n'), 2, ("is not a folder",), ("@wrong.toml",)),
    Case("base of controls", scenario('base = "a\\u0000b"\n'), 2, ("'a\\x00b' is no path seen from this file",), ("@wrong.toml",)),
    Case("scenario by a path out", lambda folder: None, 2, ("is not a file",), ("--scenario", "../../etc/passwd")),
    Case("table of SQL", scenario('[[change]]\ntable = "lots; DROP TABLE items"\nset = { quantity = 1 }\n'), 2,
         ("is not a table of a network",), WRONG),
    Case("column of SQL", scenario('[[change]]\ntable = "lots"\nset = { "quantity; --" = 1 }\n'), 2, ("is no column of lots",), WRONG),
    Case("figure too large", scenario('[[change]]\ntable = "lots"\nscale = { quantity = 1e300 }\n'), 2, ("beyond 1e+12",), WRONG),
    Case("days too far", scenario('[[change]]\ntable = "lots"\nadd = { received_date = 99999999999999 }\n'), 2, ("days",), WRONG),
    Case("days beyond any number", scenario(f'[[change]]\ntable = "lots"\nadd = {{ received_date = {10**30} }}\n'), 2, ("days",), WRONG),
    Case("setting too large", scenario("[set]\nhorizon_days = 99999\n"), 2, ("'99999' is above 3660",), WRONG),
]  # fmt: skip


CASES = [*KEYS, *CODES, *FIGURES, *DAYS, *FILES, *NETWORK, *SETTINGS, *SCENARIOS]
