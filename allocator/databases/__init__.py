"""Databases: addresses, and sessions that only take bound values and quoted names."""

from allocator.databases.address import Address, AddressError, from_environment, is_database, parse_address
from allocator.databases.session import DatabaseError, Session, connect, identifier

__all__ = [
    "Address",
    "AddressError",
    "DatabaseError",
    "Session",
    "connect",
    "from_environment",
    "identifier",
    "is_database",
    "parse_address",
]
