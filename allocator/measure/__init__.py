"""KPIs of a plan, each defined once."""

from allocator.measure.capacity import RESOURCES, capacity_use
from allocator.measure.days import Days
from allocator.measure.demand import Asked, asked
from allocator.measure.measuring import headline, kpi_page, measure
from allocator.measure.moves import incoming
from allocator.measure.registry import KPIS, Kpi
from allocator.measure.service import Service, serve

__all__ = [
    "KPIS",
    "RESOURCES",
    "Asked",
    "Days",
    "Kpi",
    "Service",
    "asked",
    "capacity_use",
    "headline",
    "incoming",
    "kpi_page",
    "measure",
    "serve",
]
