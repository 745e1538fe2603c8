"""The report of a plan: one HTML file, and a few lines for the terminal."""

from allocator.report.render import render
from allocator.report.terminal import summary

__all__ = ["render", "summary"]
