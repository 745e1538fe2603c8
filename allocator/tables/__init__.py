"""Input tables: read, check, hold. Start at `read_tables`."""

import importlib
from typing import TYPE_CHECKING, Any

from allocator.tables.schema import SCHEMA

if TYPE_CHECKING:
    from allocator.tables.findings import Finding, InputError
    from allocator.tables.reader import make_tables, read_tables
    from allocator.tables.settings import Settings, make_settings
    from allocator.tables.tables import Tables

__all__ = ["SCHEMA", "Finding", "InputError", "Settings", "Tables", "make_settings", "make_tables", "read_tables"]

_HOMES = {
    "Finding": "findings",
    "InputError": "findings",
    "Settings": "settings",
    "Tables": "tables",
    "make_settings": "settings",
    "make_tables": "reader",
    "read_tables": "reader",
}


def __getattr__(name: str) -> Any:
    """Load pandas and the settings' rules only for those who read tables: workers know the schema's quantiles and no table."""
    if name in _HOMES:
        return getattr(importlib.import_module(f"{__name__}.{_HOMES[name]}"), name)
    raise AttributeError(f"module '{__name__}' has no attribute '{name}'")
