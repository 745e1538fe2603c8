"""Lots, receipts, policies, capacities, admission limits and locks as coded, against docs/semantics.md."""

from __future__ import annotations

import numpy as np
import pytest

from allocator.network import NEVER, Network

from .conftest import FILES, Coded

LOTS = "lot,item,site,quantity,received_date,expiry_date,status\n"
RECEIPTS = "receipt,item,site,date,quantity,lot,expiry_date\n"
ADMIT = "channel,site,date,max_units,max_share\n"
LOCKS = "lock,item,origin,destination,mode,date,kind,quantity,reason,planner\n"


def entries(network: Network) -> list[tuple[str, int, float, int, int]]:
    """Usable stock as (lot, bucket, quantity, received day, expiry day)."""
    lots = network.lots
    values = zip(lots.lot, lots.bucket, lots.quantity, lots.received, lots.expiry, strict=True)
    return sorted((lots.codes[k], int(t), float(q), int(r), int(e)) for k, t, q, r, e in values)


def test_only_available_lots_that_live_are_stock(coded: Coded) -> None:
    """Quarantined, blocked and expired lots are no stock, but take room; a lot lives through its expiry day."""
    network = coded(
        lots=LOTS + "GOOD,bolt,DC,5,2026-02-01,2026-03-02,available\nDEAD,bolt,DC,4,2026-02-01,2026-03-01,available\n"
        "SICK,bolt,S1,6,2026-02-01,,quarantine\nSHUT,bolt,S1,2,2026-02-01,,blocked\nNONE,bolt,S1,0,2026-02-01,,available\n"
    )
    assert entries(network) == [("GOOD", 0, 5.0, -29, 0)]
    assert network.idle_volume.tolist() == [2.0, 4.0, 0.0]


def test_lots_received_later_come_in_on_their_day(coded: Coded) -> None:
    """A lot with received_date after the start comes in then; after the horizon it is not used."""
    network = coded(
        lots=LOTS + "NOW,bolt,DC,1,2026-03-02,,available\nSOON,bolt,DC,2,2026-03-04,,available\n"
        "LATE,bolt,DC,4,2026-03-06,,available\n"
    )
    assert entries(network) == [("NOW", 0, 1.0, 0, NEVER), ("SOON", 2, 2.0, 2, NEVER)]


def test_receipts_come_in_on_their_day(coded: Coded) -> None:
    """An overdue receipt comes in on day 0, one after the horizon never; its lot is its own code unless it names one."""
    network = coded(
        lots=LOTS + "L1,bolt,S1,1,2026-02-01,,available\n",
        receipts=RECEIPTS + "R1,bolt,DC,2026-02-27,3,,\nR2,bolt,DC,2026-03-05,4,X9,\nR3,bolt,DC,2026-03-06,5,,\n",
    )
    assert entries(network) == [("L1", 0, 1.0, -29, NEVER), ("R1", 0, 3.0, 0, NEVER), ("X9", 3, 4.0, 3, NEVER)]
    assert dict(zip(network.lots.lot.tolist(), network.lots.receipt.tolist(), strict=True)) == {
        network.lots.codes.index("L1"): False,
        network.lots.codes.index("R1"): True,
        network.lots.codes.index("X9"): True,
    }


def test_expiry_follows_from_shelf_life(coded: Coded) -> None:
    """Without a date a lot expires shelf_life_days after it was received, a receipt after its date."""
    network = coded(
        items="item,category,quantum,shelf_life_days\nbolt,iron,1,30\nnail,iron,1,\noil,wet,0,\n",
        lots=LOTS + "L1,bolt,DC,1,2026-02-20,,available\nL2,bolt,DC,1,2026-02-20,2026-03-03,available\n",
        receipts=RECEIPTS + "R1,bolt,DC,2026-03-03,1,,\n",
    )
    assert [(lot, expiry) for lot, _, _, _, expiry in entries(network)] == [("L1", 20), ("L2", 1), ("R1", 31)]


def test_policies_round_to_quanta(coded: Coded) -> None:
    """min_stock and safety_stock round up to the quantum, max_stock down; a pair without a row has none."""
    items = "item,category,quantum\nbolt,iron,4\nnail,iron,1\noil,wet,0\n"
    lots = "lot,item,site,quantity,received_date\nL1,bolt,DC,8,2026-02-01\n"
    policies = "item,site,min_stock,safety_stock,max_stock\nbolt,S1,5,8,11\noil,S1,0.5,0.7,1.3\n"
    p = coded(items=items, lots=lots, stock_policies=policies).policies
    assert (p.min_stock[0, 1], p.safety_stock[0, 1], p.max_stock[0, 1]) == (8, 8, 8)
    assert (p.min_stock[2, 1], p.safety_stock[2, 1], p.max_stock[2, 1]) == (0.5, 0.7, 1.3)
    assert (p.min_stock[1, 1], p.safety_stock[1, 1], p.max_stock[1, 1]) == (0, 0, np.inf)
    assert p.carried.all()


SITES = (
    "site,kind,storage_volume,inbound_volume,outbound_volume,outbound_units\n"
    "DC,dc,100,10,20,7\nS1,store,,,,\nS2,store,,,,\n"
)


def test_capacities_override_one_day(coded: Coded) -> None:
    """A capacities row replaces the site's figure on its date alone, also where the site had none."""
    network = coded(
        sites=SITES,
        capacities="site,resource,date,volume\nDC,inbound,2026-03-03,3\nDC,storage,2026-03-04,50\nS1,outbound,2026-03-02,0\n",
    )
    s = network.sites
    assert s.inbound[0].tolist() == [10, 3, 10, 10]
    assert s.storage[0].tolist() == [100, 100, 50, 100]
    assert s.outbound[0].tolist() == [20] * 4
    assert s.outbound_units[0].tolist() == [7] * 4
    assert s.outbound[1].tolist() == [0, np.inf, np.inf, np.inf]


def test_capacities_of_longer_buckets(coded: Coded) -> None:
    """A bucket's flow limit is the sum of its days, its storage limit the least of them."""
    s = coded(
        "horizon_days = 6\nbuckets = [1, 2, 3]\n",
        sites=SITES,
        capacities="site,resource,date,volume\nDC,inbound,2026-03-03,3\nDC,storage,2026-03-07,40\n",
    ).sites
    assert s.inbound[0].tolist() == [10, 13, 30]
    assert s.storage[0].tolist() == [100, 100, 40]
    assert s.outbound_units[0].tolist() == [7, 14, 21]


def test_admission_limits_by_the_most_specific_row(coded: Coded) -> None:
    """(site, date) beats (site, *), which beats (*, date), which beats (*, *), whatever the order of the rows."""
    limits = coded(
        admission_limits=ADMIT + "web,S1,2026-03-03,1,\nweb,S1,*,2,0.5\nweb,*,2026-03-03,3,\nweb,*,*,4,0.25\n"
    ).limits
    dc, s1, web, walk = 0, 1, 1, 0
    assert limits.max_units[s1, web].tolist() == [2, 1, 2, 2]
    assert limits.max_units[dc, web].tolist() == [4, 3, 4, 4]
    assert limits.max_share[s1, web].tolist() == [0.5, np.inf, 0.5, 0.5]
    assert limits.max_share[dc, web].tolist() == [0.25, np.inf, 0.25, 0.25]
    assert np.isinf(limits.max_units[:, walk]).all()


def test_admission_units_of_longer_buckets(coded: Coded) -> None:
    """max_units is per day: three days admit three times as much."""
    limits = coded("horizon_days = 6\nbuckets = [1, 2, 3]\n", admission_limits=ADMIT + "web,*,*,4,0.25\n").limits
    assert limits.max_units[0, 1].tolist() == [4, 8, 12]
    assert limits.max_share[0, 1].tolist() == [0.25] * 3


def test_min_fill_by_channel(coded: Coded) -> None:
    """min_fill of network.toml stands at its channel, 0 elsewhere."""
    assert coded("horizon_days = 4\n[min_fill]\nweb = 0.75\n").limits.min_fill.tolist() == [0.0, 0.75]


def test_locks_of_one_shipment_join(coded: Coded) -> None:
    """Locks of one item, lane and day give one range: the largest least, the smallest most."""
    locks = coded(
        locks=LOCKS + "K1,bolt,DC,S1,standard,2026-03-02,min,3,r,p\nK2,bolt,DC,S1,standard,2026-03-02,min,5,r,p\n"
        "K3,bolt,DC,S1,standard,2026-03-02,max,8,r,p\nK4,bolt,DC,S2,standard,2026-03-03,fix,2,r,p\n"
    ).locks
    assert (locks.least.tolist(), locks.most.tolist(), locks.fixed.tolist()) == ([5, 2], [8, 2], [False, True])
    assert locks.bucket.tolist() == [0, 1]


def test_prices_of_items_and_channels_without_a_row_are_zero(coded: Coded) -> None:
    """Without a prices row margin and unmet_cost are 0."""
    network = coded(prices="item,channel,margin,unmet_cost\nbolt,web,3,0.5\nnail,walk,-1,\n")
    assert network.margin.tolist() == [[0, 3], [-1, 0], [0, 0]]
    assert network.unmet_cost.tolist() == [[0, 0.5], [0, 0], [0, 0]]


@pytest.mark.parametrize(("commit", "committed"), [(1, 1), (2, 2), (3, 2), (4, 3), (99, 3)])
def test_committed_buckets_begin_inside_the_window(coded: Coded, commit: int, committed: int) -> None:
    """A bucket is committed when its first day is before start + commit_days (buckets begin on days 0, 1 and 3)."""
    network = coded(f"horizon_days = 6\nbuckets = [1, 2, 3]\ncommit_days = {commit}\n")
    assert network.calendar.committed == committed


def test_order_of_rows_is_forgotten(coded: Coded) -> None:
    """Codes are ranked in sorted order, however the tables were written."""
    first = coded()
    lines = FILES["items"].splitlines()
    second = coded(items="\n".join([lines[0], *reversed(lines[1:])]) + "\n")
    assert first.items == second.items == ["bolt", "nail", "oil"]
    assert first.unit_cost.tolist() == second.unit_cost.tolist()
