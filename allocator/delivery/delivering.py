"""Hand a plan on to where an address points."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from allocator.databases import DatabaseError
from allocator.delivery.parcel import DeliveryError, Parcel, packed
from allocator.stores import StoreAddress, StoreError, opened_store
from allocator.tables.addresses import address_of


@dataclass(frozen=True)
class Delivered:
    """What became of a plan.

    Attributes
    ----------
    shown : str
        Where it is, without secrets.
    plan_id : str
    rows : int
        Rows of its tables that were added; 0 when it was there already.
    known : bool
        Whether it was there already, with the same contents.
    replaced : bool
        Whether it was there with other contents, which these took the place of.
    """

    shown: str
    plan_id: str
    rows: int
    known: bool
    replaced: bool

    def __str__(self) -> str:
        if self.known:
            return f"{self.shown}: plan {self.plan_id} was there already, nothing was added; it is the current one"
        instead = ", in place of other contents of the same plan" if self.replaced else ""
        return f"{self.shown}: plan {self.plan_id} published, {self.rows:,} rows{instead}"


def reach(url: str) -> str:
    """Try a target before hours are spent on a plan; gives the address as it may be shown.

    Raises
    ------
    DeliveryError
        When it can't be reached or written to.
    """
    address = address_of(url)
    try:
        if isinstance(address, StoreAddress):
            opened_store(address).listing()
        else:
            from allocator.delivery.database import prepare

            prepare(address)
    except (DatabaseError, StoreError) as error:
        raise DeliveryError(str(error)) from None
    return address.shown


def deliver(folder: str | Path, url: str) -> Delivered:
    """Hand a plan folder on, whole or not at all; the same plan again adds nothing.

    Parameters
    ----------
    folder : str or Path
        A plan folder of this machine.
    url : str
        ``sqlite:///FILE``, ``postgresql://...``, ``s3://...``, ``gs://...``, ``abfs://...``, ``file:///...`` or ``env:NAME``.

    Raises
    ------
    AddressError
        When the address is wrong.
    DeliveryError
        When the folder is no plan or damaged, or the other end refuses or stops answering; what was there is as it was.
    """
    address = address_of(url)
    with packed(Path(folder)) as parcel:
        try:
            if isinstance(address, StoreAddress):
                from allocator.delivery.store import upload

                known, replaced = upload(parcel, opened_store(address)), False
            else:
                from allocator.delivery.database import write

                known, replaced = write(parcel, address)
        except (DatabaseError, StoreError) as error:
            raise DeliveryError(str(error)) from None
        return Delivered(address.shown, parcel.plan_id, 0 if known else _rows(parcel), known, replaced)


def _rows(parcel: Parcel) -> int:
    import pyarrow.parquet as pq

    from allocator.plan.publish import TABLES

    return sum(int(pq.read_metadata(parcel.files[f"{name}.parquet"]).num_rows) for name in TABLES)
