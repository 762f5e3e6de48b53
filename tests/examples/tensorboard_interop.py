#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""tensorboard_interop.py FOLDER DIGITS PROGRAMS TOOLS

TensorBoard's own reader finds each epoch of distill_mnist's log once in the files of --tensorboard: after a run, after
one that went on with it, and, but for the last, where the newest file is torn. Exits with 77 (skipped) where the
package tensorboard is missing.
"""

import json
import pathlib
import shutil
import struct
import subprocess
import sys

try:
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
except ImportError as error:
    print(f"skipped: {error}")
    sys.exit(77)

# TensorBoard's name of each figure in metrics.jsonl.
NAMES = {"loss": "loss/training", "accuracy": "accuracy/validation", "learning_rate": "learning_rate"}
ALL_NAMES = {*NAMES.values(), "accuracy/training", "loss/validation"}


def check(out, board, phase, torn=0):
    """`torn`: how many of the phase's last epochs are not to be found."""
    lines = [json.loads(line) for line in (out / "metrics.jsonl").read_text().splitlines()]
    expected = [line for line in lines if line["phase"] == phase]
    run = EventAccumulator(str(board / phase)).Reload()
    names = set(run.Tags()["scalars"])
    assert names == ALL_NAMES, f"{phase}: {names}"
    for field, name in NAMES.items():
        found = [(event.step, event.value) for event in run.Scalars(name)]
        figures = [(line["epoch"], *struct.unpack("f", struct.pack("f", line[field]))) for line in expected]
        assert found == figures[:len(figures) - torn], f"{phase}, {name}: {found}, expected {figures}"
    print(f"{phase}: {len(expected) - torn} epochs")


def main():
    folder, digits, programs, _ = map(pathlib.Path, sys.argv[1:])
    shutil.rmtree(folder, ignore_errors=True)
    out, board = folder / "out", folder / "board"
    command = [programs / "distill_mnist", "--data", digits, "--recipe", "original", "--teacher-epochs", "2",
               "--out", out, "--tensorboard", board, "--quiet"]
    for more in (["--epochs", "2"], ["--epochs", "4", "--resume"]):
        subprocess.run(command + more, check=True, stdout=subprocess.DEVNULL)
        for phase in ("teacher", "alone", "distilled"):
            check(out, board, phase)
    newest = max((board / "alone").iterdir())
    newest.write_bytes(newest.read_bytes()[:-5])
    check(out, board, "alone", torn=1)
    shutil.rmtree(folder)


if __name__ == "__main__":
    main()
