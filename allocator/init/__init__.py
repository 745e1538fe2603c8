"""First networks: a small one to start from, and networks from the exports of other tools, by rename maps that are data."""

from allocator.init.converting import SOURCES, Converted, convert
from allocator.init.exports import ExportError
from allocator.init.starting import start

__all__ = ["SOURCES", "Converted", "ExportError", "convert", "start"]
