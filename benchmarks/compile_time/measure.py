#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""measure.py COMMAND...: runs it and prints its seconds, those of a processor, and its peak memory in MB.
measure.py --median FILE: the medians of such lines, as columns of a Markdown table.
measure.py --start STUDENT IMAGE WHOLE ALONE: runs the two programs with these files, and one that does nothing, 300
times by turns, and prints the medians of their time from start to end in a sentence."""

import os
import statistics
import subprocess
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


def start(files, whole, alone):
    programs = {"whole": [whole, *files], "alone": [alone, *files], "nothing": ["true"]}
    seconds = {name: [] for name in programs}
    for _ in range(300):
        for name, command in programs.items():
            begin = time.monotonic()
            child = subprocess.run(command, stdout=subprocess.PIPE, check=True, close_fds=False)
            seconds[name].append(time.monotonic() - begin)
            assert child.stdout or name == "nothing", command
    ms = {name: 1000 * statistics.median(values) for name, values in seconds.items()}
    print(f"From start to end with an answer: {ms['whole']:.2f} ms by retort.hpp, {ms['alone']:.2f} ms by predict.hpp, "
          f"ratio {ms['whole'] / ms['alone']:.2f}; a program that does nothing: {ms['nothing']:.2f} ms (medians of 300 "
          "runs by turns).")
    return 0


if __name__ == "__main__":
    if sys.argv[1] == "--median":
        sys.exit(median(sys.argv[2]))
    if sys.argv[1] == "--start":
        sys.exit(start(sys.argv[2:4], *sys.argv[4:]))
    sys.exit(run(sys.argv[1:]))
