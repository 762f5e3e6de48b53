#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The table of run.sh: medians over rounds, the share of the cores' peak, the ratio to each peer.

table.py FOLDER THREADS PEER...: FOLDER holds NAME.ROUND.json, Google Benchmark's results, for train, nn and each PEER,
and peak.ROUND.NAME.json, the peak before that program.
"""

import collections
import json
import pathlib
import statistics
import sys

LAYERS = {"student": [(784, 20), (20, 20), (20, 10)], "teacher": [(784, 1200), (1200, 1200), (1200, 10)]}


def forward_flops(model):
    return sum(2 * inputs * outputs for inputs, outputs in LAYERS[model])


def step_flops(model):
    first = LAYERS[model][0]
    return 64 * (3 * forward_flops(model) - 2 * first[0] * first[1])  # no gradient in the first layer's inputs


# The work, Retort's benchmark and a peer's, floating-point operations, what a benchmark's time is divided by.
WORK = [
    ("student training step, batch 64", "train_step<Student>/eigen/batch:64", "student_step",
     step_flops("student"), 64),
    ("teacher training step, batch 64", "train_step<Teacher>/eigen/batch:64", "teacher_step",
     step_flops("teacher"), 64),
    ("distillation step, teacher cached", "distillation_step/cached/eigen/batch:64", "distillation_cached",
     step_flops("student"), 64),
    ("distillation step, teacher online", "distillation_step/online/eigen/batch:64", "distillation_online",
     step_flops("student") + 64 * forward_flops("teacher"), 64),
    ("student, 10,000 samples", "predict_batch<Student>/eigen/batch:10000", "student_predict/10000",
     10_000 * forward_flops("student"), 1),
    ("student, one sample", "predict_one<Student>/eigen/batch:1", "student_predict/1",
     forward_flops("student"), 1),
    ("teacher, batch 64", "predict_batch<Teacher>/eigen/batch:64", "teacher_predict/64",
     64 * forward_flops("teacher"), 1),
    ("teacher, batch 1024", "predict_batch<Teacher>/eigen/batch:1024", "teacher_predict/1024",
     1024 * forward_flops("teacher"), 1),
]


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


def main():
    folder, threads, peers = pathlib.Path(sys.argv[1]), int(sys.argv[2]), sys.argv[3:]
    rates = read(folder, "peak")[1]
    peaks = rates[f"fma_peak/real_time/threads:{threads}"]
    peak = statistics.median(peaks)
    ours = times(folder, "train") | times(folder, "nn")
    theirs = {peer: times(folder, peer) for peer in peers}
    # A wide range says that other programs disturbed the run.
    cores = "one core" if threads == 1 else f"{threads} cores"
    print(f"fp32 FMA peak of {cores} in the same run: {peak / 1e9:.0f} GFLOP/s "
          f"({min(peaks) / 1e9:.0f} to {max(peaks) / 1e9:.0f})")
    alone = statistics.median(rates["fma_peak/real_time/threads:1"])
    if peak < 0.8 * threads * alone:
        print(f"NOT VALID: {threads} threads had {peak / alone:.1f} times one core's peak, the rest went elsewhere")
    print("ratio: the peer's time divided by Retort's\n" if peers else "")
    print("| work | Retort | share of the peak |" + "".join(f" {peer} | ratio |" for peer in peers))
    print("|---|---|---|" + "---|---|" * len(peers))
    for work, name, peer_name, flops, divisor in WORK:
        seconds = ours[f"{name}/threads:{threads}"] / divisor
        row = f"| {work} | {time_text(seconds)} | {flops / seconds / peak:.0%} |"
        for peer in peers:
            peer_seconds = theirs[peer][peer_name] / divisor
            row += f" {time_text(peer_seconds)} | {peer_seconds / seconds:.1f} |"
        print(row)


if __name__ == "__main__":
    main()
