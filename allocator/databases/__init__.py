"""Databases: addresses, and sessions that only take bound values and quoted names."""

from allocator.databases.address import Address, AddressError, parse_address
from allocator.databases.session import DatabaseError, Session, connect, identifier

__all__ = [
    "Address",
    "AddressError",
    "DatabaseError",
    "Session",
    "connect",
    "identifier",
    "parse_address",
]
