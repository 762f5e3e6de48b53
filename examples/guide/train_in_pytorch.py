#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Trains a 784-400-400-10 network on MNIST and writes its weights, for `guide weights_from_pytorch`.

    examples/guide/train_in_pytorch.py data/mnist teacher.safetensors

Needs PyTorch, NumPy and safetensors: `pip install torch numpy safetensors`.
"""

import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "own_teacher"))
from teacher import fail, images, np, read_idx, torch  # and says what is missing

try:
    from safetensors.torch import save_file
except ImportError as error:
    fail(f"{error}; `pip install safetensors` has it")


def main():
    if len(sys.argv) != 3:
        print("usage: train_in_pytorch.py FOLDER_WITH_MNIST TEACHER.safetensors", file=sys.stderr)
        sys.exit(2)
    folder = pathlib.Path(sys.argv[1])
    if not pathlib.Path(sys.argv[2]).absolute().parent.is_dir():  # before the work
        fail(f"{sys.argv[2]}: cannot be written, expected a folder that is there")
    inputs, test_inputs = (images(read_idx(folder, f"{part}-images-idx3-ubyte")).flatten(1) for part in ("train", "t10k"))
    labels, test_labels = (torch.from_numpy(read_idx(folder, f"{part}-labels-idx1-ubyte").astype(np.int64))
                           for part in ("train", "t10k"))
    torch.manual_seed(0)
    nn = torch.nn
    model = nn.Sequential(nn.Linear(784, 400), nn.ReLU(), nn.Linear(400, 400), nn.ReLU(), nn.Linear(400, 10))
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-3)
    for _ in range(4):
        for chosen in torch.randperm(len(inputs)).split(128):
            optimizer.zero_grad()
            nn.functional.cross_entropy(model(inputs[chosen]), labels[chosen]).backward()
            optimizer.step()
    with torch.no_grad():
        errors = int((model(test_inputs).argmax(1) != test_labels).sum())
    print(f"errors on {len(test_labels)} test images: {errors}")
    save_file(model.state_dict(), sys.argv[2])


if __name__ == "__main__":
    main()
