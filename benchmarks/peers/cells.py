# SPDX-License-Identifier: MIT
"""What the peers in Python do alike: cells.hpp in Python, and the part of Google Benchmark that they need."""

import argparse
import collections
import importlib
import json
import pathlib
import sys
import time

FEATURES, CLASSES = 784, 10


class Cell(collections.namedtuple("Cell", "kind model batch steps")):
    """`steps`: of an iteration."""

    @property
    def samples(self):
        return self.batch * self.steps

    @property
    def name(self):
        return f"{self.kind}/{self.model}/{self.batch}"


def read_cells(path):
    """Of a file with a line "KIND MODEL BATCH STEPS" for each."""
    rows = [line.split() for line in pathlib.Path(path).read_text().splitlines()]
    return [Cell(kind, model, int(batch), int(steps)) for kind, model, batch, steps in rows]


def model_layers(name):
    """What follows each hidden Linear layer, and their width."""
    *layers, width = name.split("-")
    return layers, int(width)


def import_or_exit(packages, install):
    """The packages' modules, or exit code 77 and one line that says how to install them."""
    try:
        return [importlib.import_module(package) for package in packages]
    except ImportError as error:
        print(f"not found: {error} (python3 -m pip install {install})")
        sys.exit(77)


def seconds_of(run, min_time):
    """Of one run: the mean of as many as take min_time in a row, after one that is not measured."""
    run()
    count = 1
    while True:
        begin = time.perf_counter()
        for _ in range(count):
            run()
        seconds = time.perf_counter() - begin
        if seconds >= min_time:
            return seconds / count
        count = max(count + 1, min(10 * count, int(1.4 * count * min_time / seconds)))


def main(version, notes, benchmark_of):
    """--version and --notes print those texts. Else measures the cells for which benchmark_of gives a function, which
    makes one iteration and waits for its end, and writes Google Benchmark's JSON."""
    if sys.argv[1:] in (["--version"], ["--notes"]):
        print(version if sys.argv[1] == "--version" else notes)
        return
    parser = argparse.ArgumentParser()
    parser.add_argument("--cells", required=True)
    parser.add_argument("--benchmark_min_time", type=float, required=True)
    parser.add_argument("--benchmark_out", required=True)
    options = parser.parse_args()
    runs = []
    for cell in read_cells(options.cells):
        run = benchmark_of(cell)
        if run is not None:
            runs.append({"name": cell.name, "real_time": 1e9 * seconds_of(run, options.benchmark_min_time),
                         "time_unit": "ns"})
    if runs:
        pathlib.Path(options.benchmark_out).write_text(json.dumps({"benchmarks": runs}, indent=1))
