"""The mathematics of one item's block and of the resources items share, in Pyomo."""
