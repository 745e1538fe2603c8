"""Databases that tables are read from and written to: addresses, and sessions that only take bound values and quoted names."""

from allocator.databases.address import Address, AddressError, is_database, parse_address
from allocator.databases.session import DatabaseError, Session, connect, identifier

__all__ = [
    "Address",
    "AddressError",
    "DatabaseError",
    "Session",
    "connect",
    "identifier",
    "is_database",
    "parse_address",
]
