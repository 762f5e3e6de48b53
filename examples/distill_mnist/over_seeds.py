#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Runs distill_mnist with several seeds and compares the student distilled with the same student alone.

    examples/distill_mnist/over_seeds.py --program build/examples/examples/distill_mnist --seeds 10 -- \
        --data data/mnist --recipe recommended

What follows `--` goes to the program. Prints each seed's test errors after the last epoch, then for each phase the mean
and the standard deviation over the seeds, and two paired tests of "distilled minus alone": Student's t, and the exact
permutation test over all changes of sign (p: the share of sign patterns whose mean is at most the one observed).
Needs Python 3.8 and nothing else. Each run's files are left in OUT/seed_N. Where an earlier run left some there, the
program asks for `--resume` or `--overwrite`: give it behind `--`.
"""

import argparse
import itertools
import json
import math
import pathlib
import statistics
import subprocess
import sys

PHASES = ("teacher", "alone", "distilled")


def last_epochs(path):
    """The last line of each phase in a metrics.jsonl."""
    lines = [json.loads(line) for line in path.read_text().splitlines()]
    return {line["phase"]: line for line in lines}


def describe(values, unit=""):
    spread = statistics.stdev(values) if len(values) > 1 else 0.0
    return f"{statistics.mean(values):9.2f} +- {spread:.2f}{unit}"


def sign_flip_p(differences):
    """One-sided: how often a mean at most as large arises when every difference may change its sign."""
    observed = sum(differences)
    patterns = itertools.product((1, -1), repeat=len(differences))
    as_small = sum(sum(s * d for s, d in zip(pattern, differences)) <= observed for pattern in patterns)
    return as_small / 2 ** len(differences)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--program", required=True, type=pathlib.Path)
    parser.add_argument("--seeds", type=int, default=10, help="seeds 0 ... SEEDS - 1, at most 20")
    parser.add_argument("--out", type=pathlib.Path, default=pathlib.Path("out/over_seeds"))
    parser.add_argument("arguments", nargs="*", help="for the program")
    options = parser.parse_args()
    if not 1 <= options.seeds <= 20:
        parser.error("--seeds: expected 1 to 20")

    results = []
    for seed in range(options.seeds):
        out = options.out / f"seed_{seed}"
        command = [options.program.resolve(), *options.arguments, "--seed", str(seed), "--out", out, "--quiet"]
        run = subprocess.run(command, stdout=subprocess.DEVNULL, check=False)
        if run.returncode != 0:
            sys.exit(f"over_seeds.py: seed {seed}: the program ended with {run.returncode}")
        results.append(last_epochs(out / "metrics.jsonl"))
        print(f"seed {seed}: errors " +
              ", ".join(f"{phase} {results[-1][phase]['errors']}" for phase in PHASES if phase in results[-1]), flush=True)

    print()
    for phase in PHASES:
        if phase in results[0]:
            errors = [result[phase]["errors"] for result in results]
            accuracies = [100 * result[phase]["accuracy"] for result in results]
            print(f"{phase:10} errors {describe(errors)}   accuracy {describe(accuracies, ' %')}")

    differences = [result["distilled"]["errors"] - result["alone"]["errors"] for result in results]
    print(f"\ndistilled - alone: errors {describe(differences)}, lower in {sum(d < 0 for d in differences)} "
          f"of {len(differences)} seeds")
    if len(differences) > 1 and statistics.stdev(differences) > 0:
        t = statistics.mean(differences) / (statistics.stdev(differences) / math.sqrt(len(differences)))
        print(f"paired t = {t:.2f} with {len(differences) - 1} degrees of freedom; "
              f"exact sign-flip test, one-sided: p = {sign_flip_p(differences):.4f}")


if __name__ == "__main__":
    main()
