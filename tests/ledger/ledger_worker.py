"""One planner's process: posts every plan and every batch of a folder, in order, as often as it is started."""

import sys
from pathlib import Path

from allocator.ledger.posting import post, record, reverse
from allocator.ledger.recorded import read_recorded
from allocator.ledger.store import ledger_at
from tests.ledger.ledger_cases import PLANNERS, posting

folder, url, first = Path(sys.argv[1]), sys.argv[2], int(sys.argv[3])
print("ready", flush=True)
with ledger_at(url, create=True) as ledger:
    for k in range(PLANNERS):
        post(ledger, posting((first + k) % PLANNERS))
    for path in sorted(folder.iterdir()):
        if path.suffix == ".csv":
            record(ledger, read_recorded(path))
        else:
            reverse(ledger, path.read_text(encoding="utf-8").split(), "did not happen")
print("done", flush=True)
