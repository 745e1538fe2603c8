"""Object stores: addresses without keys, networks read from them, plans sent to them, and what fails in the middle."""

from __future__ import annotations

import json
from pathlib import Path

import pyarrow as pa
import pyarrow.csv as pacsv
import pyarrow.parquet as pq
import pytest

import allocator
from allocator.databases import AddressError
from allocator.delivery import DeliveryError, deliver
from allocator.stores import parse_store
from allocator.tables import InputError
from tests.delivery.delivery_cases import IDS, plan_folder
from tests.stores.stores_cases import Memory, store_of
from tests.tables.conftest import NETWORK, TABLES

URL = "s3://bucket/net"


@pytest.fixture
def memory(monkeypatch: pytest.MonkeyPatch) -> Memory:
    """A store in memory that holds the small network; every address leads to it."""
    files = {f"bucket/net/{name}.csv": text.encode() for name, text in TABLES.items()}
    made = Memory(files | {"bucket/net/network.toml": NETWORK.encode()})
    for module in ("allocator.tables.addresses", "allocator.delivery.delivering"):
        monkeypatch.setattr(f"{module}.opened_store", lambda address: store_of(made, address.shown.partition("://")[2]))
    return made


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The same network in a folder."""
    place = tmp_path / "net"
    place.mkdir()
    (place / "network.toml").write_text(NETWORK, encoding="utf-8")
    for name, text in TABLES.items():
        (place / f"{name}.csv").write_text(text, encoding="utf-8")
    return place


def _findings(url: str = URL) -> list[str]:
    with pytest.raises(InputError) as caught:
        allocator.read(url)
    return [str(finding) for finding in caught.value.findings]


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("s3://key:geheim@bucket/net", "holds a key"),
        ("abfs://:geheim@account.blob.core.windows.net/net", "holds a key"),
        (
            "s3://bucket/net?secret_key=geheim",
            "'secret_key' is not an option of such an address; the options are region",
        ),
        ("file:///net?x=1", "'x' is not an option of such an address; leave it out"),
        ("ftp://bucket/net", "not the address of an object store"),
        ("s3://", "names no folder"),
        ("env:NOWHERE_AT_ALL", "holds no address"),
    ],
)
def test_addresses_that_are_refused(text: str, told: str) -> None:
    """What is no address, or holds a key where others can read it, is refused without repeating it."""
    with pytest.raises(AddressError) as caught:
        parse_store(text)
    assert told in str(caught.value)
    assert "geheim" not in str(caught.value)


def test_keys_come_from_the_environment_and_are_not_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    """An address from the environment may hold keys; they are in no text of it and are taken out of what a driver says."""
    monkeypatch.setenv("NET", "s3://me:ge%2Fheim@bucket/net?region=eu")
    address = parse_store("env:NET")
    assert address.url == "s3://me:ge%2Fheim@bucket/net?region=eu"
    assert address.shown == "s3://***@bucket/net"
    assert "heim" not in repr(address) + address.scrubbed("no access with ge/heim or ge%2Fheim")


def test_same_network_as_the_folder(memory: Memory, folder: Path) -> None:
    """A network is the same from a store and from a folder, and nothing but its files is read."""
    memory.files |= {"bucket/net/notes.txt": b"x", "bucket/net/deep/items.csv": b"x", "bucket/other/items.csv": b"x"}
    there = allocator.read(URL)
    assert there.input_hash == allocator.read(folder).input_hash
    assert there.source == URL
    assert sorted(memory.opened) == sorted({f"bucket/net/{name}.csv" for name in TABLES} | {"bucket/net/network.toml"})


def test_parquet_and_the_local_file_system(folder: Path) -> None:
    """A file:// address with Parquet tables gives the same network; an absent folder is one finding."""
    wanted = allocator.read(folder).input_hash
    for name in ("lots", "forecasts"):
        options = pacsv.ConvertOptions(column_types={"item": pa.string()})
        pq.write_table(pacsv.read_csv(folder / f"{name}.csv", convert_options=options), folder / f"{name}.parquet")
        (folder / f"{name}.csv").unlink()
    assert allocator.read(folder.as_uri()).input_hash == wanted
    assert _findings(f"{folder.as_uri()}/none")[0].startswith(f"{folder.as_uri()}/none: holds nothing; give the folder")


def test_same_findings_as_the_folder(memory: Memory, folder: Path) -> None:
    """Strays, doubles, missing and broken files and rows are told in the words of a folder."""
    lots = b"lot,item,site,quantity,received_date\nL1,00123,D1,-1,2026-01-01\n"
    changed = {"lots.csv": lots, "items.parquet": b"PAR1 no", "stuff.csv": b"a\n", "orders.csv": b"\xff\xfe"}
    for name, data in changed.items():
        memory.files[f"bucket/net/{name}"] = data
        (folder / name).write_bytes(data)
    del memory.files["bucket/net/sites.csv"]
    (folder / "sites.csv").unlink()
    assert _findings() == _findings(str(folder))


@pytest.mark.parametrize("what", ["open", "read"])
def test_a_store_that_fails_in_the_middle(memory: Memory, monkeypatch: pytest.MonkeyPatch, what: str) -> None:
    """A file that can't be opened or stops in the middle is one finding, without the keys that the store's error holds."""

    def fault(doing: str, name: str) -> None:
        if doing == what and name.endswith("lots.csv"):
            raise OSError("connection of ge/heim reset by peer\nsecond line")

    memory.fault = fault
    monkeypatch.setenv("NET", "s3://me:ge%2Fheim@bucket/net")
    monkeypatch.setattr("allocator.tables.addresses.opened_store", lambda address: store_of(memory, address=address))
    told = _findings("env:NET")
    assert told[0].startswith("lots.csv: can't be read (")
    assert "connection of *** reset by peer" in told[0]
    assert "second line" not in told[0]


def test_a_store_that_can_not_be_listed(memory: Memory) -> None:
    """A store that refuses at all is one finding."""

    def fault(doing: str, name: str) -> None:
        raise PermissionError("access denied")

    memory.fault = fault
    assert _findings()[0].startswith("s3://bucket/net: can't be read (")


def test_a_file_written_while_it_is_read(memory: Memory) -> None:
    """Tables of two exports are not mixed: a file that changed between listing and end is told."""

    def fault(doing: str, name: str) -> None:
        if doing == "open" and name.endswith("lots.csv"):
            memory.times["bucket/net/items.csv"] = 2

    memory.fault = fault
    assert _findings() == ["items.csv: was written anew while it was read; run again when the export is finished"]


def test_a_plan_goes_manifest_last(memory: Memory, tmp_path: Path) -> None:
    """A plan's files lie in a folder of its own; the manifest that points there comes last, and again adds nothing."""
    folder = plan_folder(tmp_path / "plan", IDS[0])
    assert not deliver(folder, "s3://bucket/plans").known
    names = [name for name in memory.files if name.startswith("bucket/plans/")]
    assert names[-1] == "bucket/plans/manifest.json"
    pointer = json.loads(memory.files[names[-1]])
    assert pointer["plan_id"] == IDS[0]
    inside = f"bucket/plans/{pointer['folder']}"
    assert names[-2] == f"{inside}/manifest.json"
    for path in folder.rglob("*"):
        if path.is_file():
            assert memory.files[f"{inside}/{path.relative_to(folder).as_posix()}"] == path.read_bytes()
    before = dict(memory.files)
    assert deliver(folder, "s3://bucket/plans").known
    assert memory.files == before


@pytest.mark.parametrize("at", ["shipments.parquet", "manifest.json", "certificate.json"])
@pytest.mark.parametrize("what", ["create", "write"])
def test_a_failure_leaves_the_old_plan(memory: Memory, tmp_path: Path, at: str, what: str) -> None:
    """Whatever can't be sent, the target's manifest still names the old plan, whose files are untouched; the next try succeeds."""
    deliver(plan_folder(tmp_path / "old", IDS[0]), "s3://bucket/plans")
    before = dict(memory.files)

    def fault(doing: str, name: str) -> None:
        if doing == what and name.endswith(at):
            raise OSError("no space")

    memory.fault = fault
    new = plan_folder(tmp_path / "new", IDS[1])
    with pytest.raises(DeliveryError, match="no space"):
        deliver(new, "s3://bucket/plans")
    assert {name: memory.files[name] for name in before} == before
    memory.fault = lambda doing, name: None
    deliver(new, "s3://bucket/plans")
    assert json.loads(memory.files["bucket/plans/manifest.json"])["plan_id"] == IDS[1]


def test_a_store_that_takes_less_than_was_sent(memory: Memory, tmp_path: Path) -> None:
    """A file that arrives short is noticed before the manifest is sent."""
    memory.cut = "unmet.parquet"
    with pytest.raises(DeliveryError, match=r"unmet\.parquet has \d+ bytes after \d+ were written"):
        deliver(plan_folder(tmp_path / "plan", IDS[0]), "s3://bucket/plans")
    assert not any(name.endswith("manifest.json") for name in memory.files)


def test_a_plan_on_the_local_file_system(tmp_path: Path) -> None:
    """A file:// target has its folders made; the pointer names a whole plan folder."""
    folder = plan_folder(tmp_path / "plan", IDS[0])
    target = tmp_path / "a" / "b"
    deliver(folder, target.as_uri())
    pointer = json.loads((target / "manifest.json").read_text(encoding="utf-8"))
    assert (target / pointer["folder"] / "network" / "network.json").is_file()
