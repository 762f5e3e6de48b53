#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""measure.py COMMAND...: runs it and prints its seconds, those of a processor, and its peak memory in MB.
measure.py --median FILE: the medians of such lines, as columns of a Markdown table."""

import os
import statistics
import sys
import time


def run(command):
    start = time.monotonic()
    child = os.spawnvp(os.P_NOWAIT, command[0], command)
    _, status, usage = os.wait4(child, 0)  # with the processes that it waited for itself
    seconds = time.monotonic() - start
    print(f"{seconds:.3f} {usage.ru_utime + usage.ru_stime:.3f} {usage.ru_maxrss * 1024 / 1e6:.1f}")
    return os.waitstatus_to_exitcode(status)


def median(path):
    with open(path) as lines:
        columns = zip(*(map(float, line.split()) for line in lines))
        seconds, processor, megabytes = map(statistics.median, columns)
    print(f"{seconds:.1f} | {processor:.1f} | {megabytes:.0f}")
    return 0


if __name__ == "__main__":
    sys.exit(median(sys.argv[2]) if sys.argv[1] == "--median" else run(sys.argv[1:]))
