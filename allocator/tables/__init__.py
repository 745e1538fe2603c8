"""Input tables: read, check, hold. Start at `read_tables`."""

from allocator.tables.findings import Finding, InputError
from allocator.tables.reader import make_tables, read_tables
from allocator.tables.schema import SCHEMA
from allocator.tables.settings import Settings, make_settings
from allocator.tables.tables import Tables

__all__ = ["SCHEMA", "Finding", "InputError", "Settings", "Tables", "make_settings", "make_tables", "read_tables"]
