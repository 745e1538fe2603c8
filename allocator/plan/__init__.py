"""The plan: quantities with lots, the tables a planner gets, what they cost, and the folder they are published in."""
