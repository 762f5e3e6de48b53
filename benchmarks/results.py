#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""What run.sh needs for RESULTS.md: its generated sections, and the table of the benchmark programs.

    results.py check FILE SECTION...     fails unless FILE can be written and has a place for each section
    results.py replace FILE SECTION      puts standard input there, in one step
    results.py kernels FOLDER            Markdown of FOLDER/NAME.json and NAME.list, and of FOLDER/peak.*.json

A section stands between the lines "<!-- begin SECTION -->" and "<!-- end SECTION -->"; what is outside of them stays.
NAME.json holds a program's aggregates as Google Benchmark writes them, or its single repetition; NAME.list the names in
their own order, and peak.*.json the cores' peak (peers/peak.cpp), measured before each program.
"""

import collections
import json
import os
import pathlib
import re
import statistics
import sys
import tempfile

from peers.table import time_text

SECONDS = {"ns": 1e-9, "us": 1e-6, "ms": 1e-3, "s": 1}


def split(path, section):
    """FILE up to and with the section's first line, and from its last one on."""
    text = path.read_text()
    begin, end = (f"<!-- {word} {section} -->\n" for word in ("begin", "end"))
    if text.count(begin) != 1 or text.count(end) != 1 or text.index(begin) > text.index(end):
        sys.exit(f"{path}: expected one line '{begin.strip()}' and after it one '{end.strip()}'")
    return text[: text.index(begin) + len(begin)], text[text.index(end):]


def check(path, sections):
    for section in sections:
        split(path, section)
    for place in (path, path.parent):
        if not os.access(place, os.W_OK):
            sys.exit(f"{place}: cannot be written")


def replace(path, section):
    before, after = split(path, section)
    text = before + "\n" + sys.stdin.read().strip("\n") + "\n\n" + after
    descriptor, temporary = tempfile.mkstemp(prefix=path.name + ".", dir=path.parent)
    try:
        with open(descriptor, "w") as file:
            file.write(text)
            file.flush()
            os.fchmod(descriptor, path.stat().st_mode & 0o777)
            os.fsync(descriptor)
        os.replace(temporary, path)
    finally:
        pathlib.Path(temporary).unlink(missing_ok=True)


def rate_text(value, unit):
    for limit, prefix, scale in ((1e6, "k", 1e3), (1e9, "M", 1e6), (1e12, "G", 1e9)):
        if value < limit:
            return f"{value / scale:#.3g}".rstrip(".") + f" {prefix}{unit}"
    return f"{value / 1e12:#.3g}".rstrip(".") + f" T{unit}"


def rate(run):
    for counter, unit in (("FLOP/s", "FLOP/s"), ("bytes_per_second", "B/s"), ("items_per_second", "/s")):
        if counter in run:
            return rate_text(run[counter], unit)
    return ""


def peaks(folder):
    """FLOP/s of one core and of two: all measurements."""
    rates = collections.defaultdict(list)
    for file in folder.glob("peak.*.json"):
        for run in json.loads(file.read_text())["benchmarks"]:
            rates[run["name"].rpartition("threads:")[2]].append(run["FLOP/s"])
    return rates


def ordered(names):
    """The ways to do the same work next to one another."""
    work = [re.sub("/(eigen-bf16|eigen|cblas)(?=/|$)", "", name) for name in names]
    return [name for _, name in sorted(zip(map(work.index, work), names), key=lambda pair: pair[0])]


def kernels(folder):
    rates = peaks(folder)
    peak = {threads: statistics.median(values) for threads, values in rates.items()}
    print("- fp32 FMA peak in the same run, GFLOP/s: " + "; ".join(
        f"{'one core' if threads == '1' else threads + ' cores'} {peak[threads] / 1e9:.0f} "
        f"({min(rates[threads]) / 1e9:.0f} to {max(rates[threads]) / 1e9:.0f})" for threads in sorted(peak)))
    if {"1", "2"} <= peak.keys() and peak["2"] < 1.6 * peak["1"]:
        print(f"- NOT VALID for two threads: they had {peak['2'] / peak['1']:.1f} times one core's peak, the rest went elsewhere")
    print("- spread: the standard deviation over the repetitions, in percent of the mean")
    for file in sorted(folder.glob("*.list")):
        runs = collections.defaultdict(dict)
        for run in json.loads(file.with_suffix(".json").read_text())["benchmarks"]:
            runs[run["run_name"]][run.get("aggregate_name", "median")] = run  # one repetition is its own median
        print(f"\n`{file.stem}`\n\n| | time | spread | rate | share of the peak |\n|---|---|---|---|---|")
        for name in ordered(file.read_text().splitlines()):
            if name not in runs:
                sys.exit(f"{file.with_suffix('.json')}: lacks {name}")
            median = runs[name]["median"]
            seconds = median.get("time/step", median["real_time"] * SECONDS[median["time_unit"]])
            spread = f"{100 * runs[name]['cv']['real_time']:.0f} %" if "cv" in runs[name] else ""
            threads = name.partition("threads:")[2].partition("/")[0] or "1"
            share = f"{median['FLOP/s'] / peak[threads]:.0%}" if "FLOP/s" in median and threads in peak else ""
            print(f"| `{name.removesuffix('/real_time')}` | {time_text(seconds)} | {spread} | {rate(median)} | {share} |")


def main():
    command, path, *sections = sys.argv[1:]
    path = pathlib.Path(path)
    try:
        if command == "check":
            check(path, sections)
        elif command == "replace":
            replace(path, *sections)
        else:
            kernels(path)
    except OSError as error:
        sys.exit(f"{error.filename}: {error.strerror}")


if __name__ == "__main__":
    main()
