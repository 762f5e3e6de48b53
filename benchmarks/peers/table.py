#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The tables of run.sh: medians over rounds, the share of the cores' peak, the ratio to each peer.

table.py FOLDER THREADS PEER...: FOLDER holds cells, a line "KIND MODEL BATCH STEPS" for each, PROGRAM.ROUND.TURN.json,
Google Benchmark's results, for retort and each PEER, and peak.ROUND.TURN.json, the peak before that turn.
"""

import collections
import json
import pathlib
import statistics
import sys

HEADS = {"train": "Training, time of a step", "predict": "Predict, time of an answer to a batch"}


def forward_flops(width):
    return 2 * (784 * width + width * width + width * 10)


def step_flops(width):
    return 3 * forward_flops(width) - 2 * 784 * width  # no gradient in the first layer's inputs


def flops(cell):
    """Of the products alone."""
    if cell.kind == "distillation":
        return cell.batch * (step_flops(20) + (forward_flops(1200) if cell.model == "online" else 0))
    width = int(cell.model.rpartition("-")[2])
    return cell.batch * (step_flops(width) if cell.kind == "train" else forward_flops(width))


def read(folder, program):
    """Of each benchmark the seconds of an iteration, and FLOP/s where it counts them: one value a file."""
    seconds, rates = collections.defaultdict(list), collections.defaultdict(list)
    for file in sorted(folder.glob(f"{program}.*.json")):
        for run in json.loads(file.read_text())["benchmarks"]:
            name = run["name"].removesuffix("/real_time")
            seconds[name].append(run["real_time"] * {"ns": 1e-9, "us": 1e-6, "ms": 1e-3, "s": 1}[run["time_unit"]])
            if "FLOP/s" in run:
                rates[name].append(run["FLOP/s"])
    return seconds, rates


def times(folder, program):
    return {name: statistics.median(values) for name, values in read(folder, program)[0].items()}


def time_text(seconds):
    for limit, unit, scale in ((1e-6, "ns", 1e9), (1e-3, "us", 1e6), (1, "ms", 1e3)):
        if seconds < limit:
            return f"{seconds * scale:#.3g}".rstrip(".") + f" {unit}"
    return f"{seconds:.3g} s"


def print_table(head, cells, ours, theirs, peak):
    """A row a cell. `theirs`: of each peer the seconds by cell; one without any of these cells has no column."""
    theirs = {peer: seconds for peer, seconds in theirs.items() if any(cell.name in seconds for cell in cells)}
    ahead = []
    print(f"\n{head}:\n")
    print("| model | batch | Retort | share of the peak |" + "".join(f" {peer} |" for peer in theirs))
    print("|---|---|---|---|" + "---|" * len(theirs))
    for cell in cells:
        seconds = ours[cell.name]
        ratios = {peer: found[cell.name] / seconds for peer, found in theirs.items() if cell.name in found}
        behind = {peer: ratio for peer, ratio in ratios.items() if ratio < 1}
        ahead += [f"{peer} at {cell.name} ({ratio:.2f})" for peer, ratio in behind.items()]
        model = f"distillation, {cell.model}" if cell.kind == "distillation" else cell.model
        texts = [f"**{model}**" if behind else model, f"{cell.batch:,}", time_text(seconds / cell.steps),
                 f"{flops(cell) * cell.steps / seconds / peak:.0%}"]
        for peer in theirs:
            ratio = f"{ratios[peer]:.2f}" if peer in ratios else ""
            texts.append(f"**{ratio}**" if peer in behind else ratio)
        print("| " + " | ".join(texts) + " |")
    if theirs:
        print("\nA peer is ahead (ratio below 1): " + ("; ".join(ahead) if ahead else "in no row") + ".")


def main():
    folder, threads, peers = pathlib.Path(sys.argv[1]), int(sys.argv[2]), sys.argv[3:]
    from cells import read_cells

    rates = read(folder, "peak")[1]
    peaks = rates[f"fma_peak/real_time/threads:{threads}"]
    peak = statistics.median(peaks)
    # A wide range says that other programs disturbed the run.
    cores = "one core" if threads == 1 else f"{threads} cores"
    print(f"fp32 FMA peak of {cores} in the same run: {peak / 1e9:.0f} GFLOP/s "
          f"({min(peaks) / 1e9:.0f} to {max(peaks) / 1e9:.0f})")
    alone = statistics.median(rates["fma_peak/real_time/threads:1"])
    if peak < 0.8 * threads * alone:
        print(f"NOT VALID: {threads} threads had {peak / alone:.1f} times one core's peak, the rest went elsewhere")
    if peers:
        print("below a peer's name: its time divided by Retort's")
    ours = times(folder, "retort")
    theirs = {peer: times(folder, peer) for peer in peers}
    cells = read_cells(folder / "cells")
    for kind, head in HEADS.items():
        rows = [cell for cell in cells if (cell.kind == "predict") == (kind == "predict")]
        if rows:
            print_table(head, rows, ours, theirs, peak)


if __name__ == "__main__":
    main()
