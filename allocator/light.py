"""Pyomo without scipy.stats. Pyomo loads it as soon as anything loads scipy; it takes a process more than a second and nothing here uses it.

To be imported before scipy. Where scipy was loaded before, or a later Pyomo goes about it otherwise, nothing happens.
"""

from pyomo.common import dependencies

if hasattr(dependencies.scipy_available, "_callback"):
    dependencies.scipy_available._callback = None
