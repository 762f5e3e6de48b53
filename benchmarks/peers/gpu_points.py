#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The points that Retort's GPU backend is to reach, each with what was measured: met, missed or not measured.

    gpu_points.py --retort benchmark_train.json [--torch torch_gpu.jsonl] [--sanitizer TOOL=OUTCOME]...

The first file is Google Benchmark's of benchmark_train, the second torch_gpu.py's. A point compares Retort with PyTorch
only where both ran on the same device. Exits 1 where a point is missed, 77 where none is but some are not measured, 2
where a file cannot be used.
"""

import argparse
import json
import statistics
import sys

# Of each work its benchmark in benchmark_train, and its batch.
WORKS = {
    "student, batch 64": ("train_step<Student>", 64),
    "distillation cached, batch 64": ("distillation_step/cached", 64),
    "distillation online, batch 64": ("distillation_step/online", 64),
    "teacher, batch 64": ("train_step<Teacher>", 64),
    "teacher, batch 4096": ("train_step<Teacher>", 4096),
}
SWEEPS = (1, 132)
SWEEP_STEPS = 750  # of an epoch

# PyTorch's precision, and Retort's backends that train with the same.
BACKENDS = {"highest": ("cuda", "thrust-cuda"), "high": ("cuda-tf32",), "bf16": ("cuda-bf16",)}


def sweep_name(students):
    return f"sweep of {students}, batch 64"


class Retort:
    """Google Benchmark's results of benchmark_train."""

    def __init__(self, results):
        self.runs = results["benchmarks"]
        if not all("run_name" in run for run in self.runs):
            raise ValueError("a benchmark without run_name")

    def find(self, name, counter="time/step"):
        """The median over the repetitions, or a sentence that says why there is none."""
        runs = [run for run in self.runs if run["run_name"] == name or run["run_name"].startswith(name + "/")]
        medians = [run for run in runs if run.get("aggregate_name") == "median"]
        if not medians:
            medians = [run for run in runs if run.get("run_type") == "iteration"]
        values = [run[counter] for run in medians if counter in run]
        if values:
            return float(statistics.median(values))
        return next((run["error_message"] for run in runs if run.get("error_occurred")), f"{name}: not measured")

    def step(self, work, backend):
        """Seconds of a step of the work, as `find`."""
        benchmark, batch = WORKS[work]
        return self.find(f"{benchmark}/{backend}/batch:{batch}")

    def sweep_step(self, students):
        """Seconds of a step of all students of a sweep, without what comes before its epochs."""
        seconds = self.find(f"sweep/cuda/students:{students}", "time/epoch")
        return seconds / SWEEP_STEPS if isinstance(seconds, float) else seconds

    def device(self):
        """What the first benchmark on the GPU says of it."""
        return next((run["label"] for run in self.runs if run.get("label") and "cuda" in run["run_name"]), "")

    def ran_with(self, row):
        """Whether a row of torch_gpu.py is of the same device."""
        return row["device"] in self.device()


def counterparts(row, retort):
    """Retort's backends with the same work in the same precision as a row of torch_gpu.py, on the same device:
    seconds or a sentence."""
    if not retort.ran_with(row):
        return {}
    if row["work"] in WORKS:
        return {backend: retort.step(row["work"], backend) for backend in BACKENDS[row["precision"]]}
    for students in SWEEPS:
        if row["work"] == sweep_name(students):
            return {"cuda": retort.sweep_step(students)}
    return {}


class Point:
    """`wanted`: the limit, of which the figure is to be at most (or at least) as large."""

    def __init__(self, text, figure, wanted, unit, at_most=True, scale=1.0):
        self.text, self.figure, self.wanted, self.unit, self.at_most, self.scale = (text, figure, wanted, unit, at_most,
                                                                                    scale)

    def outcome(self):
        if not isinstance(self.figure, float):
            return "not measured"
        value = self.figure * self.scale
        return "met" if (value <= self.wanted if self.at_most else value >= self.wanted) else "missed"

    def line(self):
        wanted = f"{'at most' if self.at_most else 'at least'} {self.wanted:g}{self.unit}"
        found = f"{self.figure * self.scale:.3g}{self.unit}" if isinstance(self.figure, float) else self.figure
        return f"- {self.text}: {found}, wanted {wanted}: {self.outcome()}"


def quotient(above, below):
    """above / below, or the sentence of that which is none."""
    for value in (above, below):
        if not isinstance(value, float):
            return value
    return above / below


def points(retort, rows):
    """`rows`: of torch_gpu.py, none where PyTorch was not measured."""
    device = retort.device()
    others = {row["device"] for row in rows if not retort.ran_with(row)}

    def torch_step(work, precision, *forms):
        """The fastest of PyTorch's forms."""
        if others:
            return f"PyTorch ran on {', '.join(sorted(others))}, Retort on {device or 'no GPU'}"
        found = [row["seconds"] for row in rows
                 if row["work"] == work and row["precision"] == precision and row["how"] in forms]
        return min(found) if found else f"PyTorch, {precision}, {' or '.join(forms)}: not measured"

    cached = "distillation cached, batch 64"
    student = retort.step(cached, "cuda")
    epochs = retort.find("distillation_epochs/cuda/batch:64")
    found = [
        Point("student distillation step, batch 64, one block", student, 8, " us", scale=1e6),
        Point("student distillation step, batch 64, a cluster of blocks", retort.step(cached, "cuda-cluster"), 4, " us",
              scale=1e6),
        Point("5-epoch distillation of 48,000 images",
              epochs * 5 * SWEEP_STEPS if isinstance(epochs, float) else epochs, 35, " ms", scale=1e3),
        Point("the student's step in PyTorch's CUDA graph, divided by Retort's",
              quotient(torch_step(cached, "highest", "graph"), student), 5, " times", at_most=False),
        Point("the student's step in eager PyTorch, divided by Retort's",
              quotient(torch_step(cached, "highest", "eager"), student), 30, " times", at_most=False),
        Point("a sweep's epochs, 132 students divided by one", quotient(retort.sweep_step(132), retort.sweep_step(1)),
              1.2, " times"),
        Point("a whole sweep with its initial weights, 132 students divided by one",
              quotient(*(retort.find(f"sweep/cuda/students:{count}") for count in (132, 1))), 1.2, " times"),
    ]
    for precision, backends in BACKENDS.items():
        work = "teacher, batch 64"
        found.append(Point(f"teacher step, batch 64, {backends[0]} divided by PyTorch's CUDA graph, {precision}",
                           quotient(retort.step(work, backends[0]), torch_step(work, precision, "graph")), 0.5,
                           " times"))
    for precision, backends in BACKENDS.items():
        work = "teacher, batch 4096"
        found.append(Point(f"teacher step, batch 4096, {backends[0]} divided by PyTorch's fastest form, {precision}",
                           quotient(retort.step(work, backends[0]),
                                    torch_step(work, precision, "eager", "graph", "compile")), 1.1, " times"))
    return found


def read_retort(path):
    with open(path, encoding="utf-8") as file:
        return Retort(json.load(file))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--retort", required=True, help="Google Benchmark's JSON of benchmark_train")
    parser.add_argument("--torch", help="what torch_gpu.py --json wrote")
    parser.add_argument("--sanitizer", action="append", default=[], metavar="TOOL=OUTCOME",
                        help="of compute-sanitizer: passed, FAILED and why, or why it was not run")
    options = parser.parse_args()
    try:
        retort, rows = read_retort(options.retort), []
        if options.torch:
            with open(options.torch, encoding="utf-8") as file:
                rows = [json.loads(line) for line in file]
        found = points(retort, rows)
    except (OSError, ValueError, KeyError, TypeError) as error:
        print(f"gpu_points.py: {type(error).__name__}: {error}, "
              "expected the results of benchmark_train and torch_gpu.py")
        return 2
    print(f"Retort on {retort.device() or 'no GPU'}")
    outcomes = [point.outcome() for point in found]
    for point in found:
        print(point.line())
    for entry in options.sanitizer:
        tool, _, outcome = entry.partition("=")
        outcomes.append("met" if outcome == "passed" else "missed" if outcome.startswith("FAILED") else "not measured")
        print(f"- compute-sanitizer --tool {tool}: {outcome}, wanted no report: {outcomes[-1]}")
    counts = {outcome: outcomes.count(outcome) for outcome in ("met", "missed", "not measured")}
    print(", ".join(f"{count} {outcome}" for outcome, count in counts.items()))
    return 1 if counts["missed"] else 77 if counts["not measured"] else 0


if __name__ == "__main__":
    sys.exit(main())
