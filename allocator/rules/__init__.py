"""The rules engine: what a planner does by rules of thumb, the baseline every plan is compared with."""

from allocator.rules.planning import plan_by_rules
from allocator.rules.shares import Rule, share_by_demand, share_by_priority, share_by_quota, share_by_target

__all__ = ["Rule", "plan_by_rules", "share_by_demand", "share_by_priority", "share_by_quota", "share_by_target"]
