"""Object stores: addresses without secrets, and the file systems behind them."""

from allocator.stores.address import SCHEMES, StoreAddress, is_store, parse_store
from allocator.stores.opening import Store, StoreError, opened_store

__all__ = ["SCHEMES", "Store", "StoreAddress", "StoreError", "is_store", "opened_store", "parse_store"]
