"""An audit that shares no code with the model: every rule and the objective, recomputed from the tables alone."""

from allocator.audit.folder import audit_folder
from allocator.audit.registry import RULES, AuditFinding, AuditReport
from allocator.audit.run import audit

__all__ = ["RULES", "AuditFinding", "AuditReport", "audit", "audit_folder"]
