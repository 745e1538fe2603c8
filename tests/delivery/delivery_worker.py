"""One planner's process: publishes plan folders in order, round after round."""

import sys

from allocator.delivery import deliver

url, rounds, folders = sys.argv[1], int(sys.argv[2]), sys.argv[3:]
sys.stdout.write("ready\n")
sys.stdout.flush()
for _ in range(rounds):
    for folder in folders:
        deliver(folder, url)
sys.stdout.write("done\n")
