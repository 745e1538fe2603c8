"""The page of what the audit checks (docs/audit.md), made from its registry.

Write it again with ``python -m allocator.audit.page > docs/audit.md`` after changing a rule.
"""

from __future__ import annotations

import sys

from allocator.audit.registry import RULES, TOLERANCE, WORST

_HEAD = f"""# What the audit checks

Made from `allocator/audit/registry.py` by `python -m allocator.audit.page > docs/audit.md`; do not edit by hand.

`allocator verify PLAN` recomputes every rule below, and the objective, from the tables in the plan folder alone. It shares no
code with the model, the solver, the rules engine or the lot assigner (`make contracts` proves that), and it runs on every plan
before it is published; its result is in `certificate.json` under `audit`. The law it reads is [semantics.md](semantics.md).

Whole quantities are compared in whole numbers, others to {TOLERANCE:g} relative (absolute below 1). The {WORST} worst places of a
broken rule are written out, the rest are counted. A limit that the plan relaxed at a price is no broken rule as long as the
exception that covers it states the right amount and cost (rule `exceptions`).

In Python: `allocator.read_plan(path).verify()` gives an `AuditReport` with `ok`, `findings`, `largest_violation`,
`checked` (how many places each rule was checked at) and the recomputed `objective`.

| rule | what must hold |
|---|---|
"""


def rules_page() -> str:
    """Return the Markdown page of all rules."""
    return _HEAD + "".join(f"| `{rule}` | {text} |\n" for rule, text in RULES.items())


if __name__ == "__main__":
    sys.stdout.write(rules_page())
