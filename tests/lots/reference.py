"""A slow assigner in plain loops, written from docs/semantics.md and sharing nothing with the real one."""

from __future__ import annotations

from collections import defaultdict

from allocator.lots import NEVER, LotStock, Moves

RULES = ("FEFO", "FIFO", "LIFO")


def rotation_key(rule, lot):
    """Sort key of a lot (lot code, expiry, received) under a rotation rule."""
    code, expiry, received = lot
    return {"FEFO": (expiry, received, code), "FIFO": (received, expiry, code), "LIFO": (-received, expiry, code)}[rule]


def site_rank(moves, rows):
    """Longest chain of same-bucket shipments that ends at each site (no cycles allowed)."""
    edges = {(moves.origin[m], moves.destination[m]) for m in rows if moves.arrive_bucket[m] == moves.bucket[m]}
    rank = defaultdict(int)
    for _ in range(len(edges) + 1):
        for origin, destination in edges:
            rank[destination] = max(rank[destination], rank[origin] + 1)
    return rank


def reference(stock: LotStock, moves: Moves, rotation, n_buckets, last_day, by_class=False):
    """Return pieces per move [(lot, expiry, received, quantity)], waste and closing as dictionaries."""
    pieces = {m: [] for m in range(len(moves))}
    waste, closing = defaultdict(float), {}
    for item in range(len(rotation)):
        rule = RULES[rotation[item]]
        coming = defaultdict(list)
        for k in range(len(stock)):
            if stock.item[k] == item:
                lot = (int(stock.lot[k]), int(stock.expiry[k]), int(stock.received[k]))
                coming[int(stock.available_bucket[k])].append((int(stock.site[k]), lot, float(stock.quantity[k])))
        held = defaultdict(lambda: defaultdict(float))
        for bucket in range(n_buckets):
            for site, lot, quantity in coming[bucket]:
                held[site][lot] += quantity
            rows = [m for m in range(len(moves)) if moves.item[m] == item and moves.bucket[m] == bucket]
            rank = site_rank(moves, rows)
            wanted = moves.planned_class if by_class else moves.need_day
            rows.sort(key=lambda m: (rank[moves.origin[m]], wanted[m], moves.order[m]))
            for m in rows:
                rest = float(moves.quantity[m])
                shelf = held[int(moves.origin[m])]
                for lot in sorted(shelf, key=lambda one: rotation_key(rule, one)):
                    fits = lot[1] == wanted[m] if by_class else lot[1] >= wanted[m]
                    take = min(rest, shelf[lot]) if fits else 0
                    if take <= 0:
                        continue
                    shelf[lot] -= take
                    rest -= take
                    pieces[m].append((*lot, take))
                    moved = (lot[0], lot[1], int(moves.arrive_day[m]))
                    if moves.arrive_bucket[m] == bucket:
                        held[int(moves.destination[m])][moved] += take
                    elif moves.arrive_bucket[m] >= 0:
                        coming[int(moves.arrive_bucket[m])].append((int(moves.destination[m]), moved, take))
            for site, shelf in held.items():
                for lot in list(shelf):
                    if lot[1] != NEVER and lot[1] <= last_day[bucket] and shelf[lot] > 0:
                        waste[item, site, bucket, *lot] += shelf.pop(lot)
                left = sum(shelf.values())
                if left > 0:
                    closing[item, site, bucket] = left
    return pieces, dict(waste), closing
