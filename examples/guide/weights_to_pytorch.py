#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Reads a student of `distill_mnist` into PyTorch and counts its errors on MNIST's test images, as `predict` does.

    examples/guide/weights_to_pytorch.py out/student_distilled.safetensors data/mnist

Needs PyTorch, NumPy and safetensors: `pip install torch numpy safetensors`.
"""

import json
import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "own_teacher"))
from teacher import fail, np, read_idx, torch  # and says what is missing

try:
    from safetensors import safe_open
    from safetensors.torch import load_file
except ImportError as error:
    fail(f"{error}; `pip install safetensors` has it")


def main():
    if len(sys.argv) != 3:
        print("usage: weights_to_pytorch.py STUDENT.safetensors FOLDER_WITH_MNIST", file=sys.stderr)
        sys.exit(2)
    file, folder = sys.argv[1], pathlib.Path(sys.argv[2])
    if not pathlib.Path(file).is_file():
        fail(f"{file}: no such file, expected a student of distill_mnist")
    nn = torch.nn
    model = nn.Sequential(nn.Linear(784, 20), nn.ReLU(), nn.Linear(20, 20), nn.ReLU(), nn.Linear(20, 10)).eval()
    model.load_state_dict(load_file(file))
    with safe_open(file, framework="pt") as opened:
        made = json.loads(opened.metadata()["retort.preprocessing"])
    pixels = read_idx(folder, "t10k-images-idx3-ubyte").reshape(-1, 784)
    inputs = torch.from_numpy(((pixels / 255 - made["mean"]) / made["standard_deviation"]).astype(np.float32))
    labels = torch.from_numpy(read_idx(folder, "t10k-labels-idx1-ubyte").astype(np.int64))
    with torch.no_grad():
        errors = int((model(inputs).argmax(1) != labels).sum())
    print(f"errors on {len(labels)} test images: {errors}")


if __name__ == "__main__":
    main()
