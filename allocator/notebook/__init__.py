"""Networks and plans in notebooks and spreadsheets: cards, plots (extra `[plot]`), workbooks (extra `[excel]`)."""

from allocator.notebook.cards import plan_card
from allocator.notebook.plots import PLOTS, plot
from allocator.notebook.workbook import write_workbook

__all__ = ["PLOTS", "plan_card", "plot", "write_workbook"]
