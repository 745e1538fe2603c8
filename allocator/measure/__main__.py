"""Print docs/kpis.md."""

import sys

from allocator.measure.measuring import kpi_page

sys.stdout.write(kpi_page())
