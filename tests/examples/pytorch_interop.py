#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""pytorch_interop.py FOLDER DIGITS PROGRAMS TOOLS

Weights travel between Retort and PyTorch in both directions, and each network answers alike in both: trained here and
loaded there, made there and loaded here, under the names of an nn.Sequential and under names of one's own; and the guide's
program counts a teacher's errors as PyTorch does. The images
are the 10,000 test images of MNIST where MNIST_DIR names them, else those in DIGITS. Exits with 77 (skipped) where
PyTorch, NumPy or the package safetensors is missing.
"""

import gzip
import os
import pathlib
import shutil
import subprocess
import sys

try:
    import numpy as np
    import torch
    from safetensors.torch import load_file, save_file
except ImportError as error:
    print(f"skipped: {error}")
    sys.exit(77)

NAMES = ("fc1", "fc2", "fc3")


def sequential():
    nn = torch.nn
    return nn.Sequential(nn.Linear(784, 1200), nn.Dropout(0.5), nn.ReLU(), nn.Linear(1200, 1200), nn.Dropout(0.5),
                         nn.ReLU(), nn.Linear(1200, 10))


def test_images(folder):
    """(images, 784), normalised as in training."""
    file = folder / "t10k-images-idx3-ubyte"
    content = file.read_bytes() if file.exists() else gzip.open(f"{file}.gz").read()
    pixels = np.frombuffer(content, np.uint8, offset=16).reshape(-1, 784)
    return torch.from_numpy((pixels.astype(np.float32) / 255 - 0.5) / 0.5)


def test_labels(folder):
    file = folder / "t10k-labels-idx1-ubyte"
    content = file.read_bytes() if file.exists() else gzip.open(f"{file}.gz").read()
    return np.frombuffer(content, np.uint8, offset=8)


def compare(what, ours, theirs):
    """Equal up to the order of additions; the same class wherever two logits are not as good as equal."""
    assert ours.shape == theirs.shape, f"{what}: shapes {ours.shape} and {theirs.shape}"
    difference = np.abs(ours - theirs).max()
    tolerance = 1e-5 * max(1.0, np.abs(theirs).max())
    best = np.sort(theirs, axis=1)
    tied = best[:, -1] - best[:, -2] <= 2 * tolerance
    differing = ours.argmax(axis=1) != theirs.argmax(axis=1)
    print(f"{what}: {len(ours)} predictions, {differing.sum()} differ, {tied.sum()} ties; "
          f"logits up to {np.abs(theirs).max():.3g} differ by at most {difference:.2g}; "
          f"classes {np.bincount(theirs.argmax(axis=1), minlength=10).tolist()}")
    assert difference <= tolerance, f"{what}: logits differ by {difference}, expected at most {tolerance}"
    assert not (differing & ~tied).any(), f"{what}: predictions differ"


def main():
    folder, digits, programs, tools = map(pathlib.Path, sys.argv[1:])
    torch.set_num_threads(1)
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    data = pathlib.Path(os.environ.get("MNIST_DIR") or digits)
    images = test_images(data)

    def ours(weights, *layer_names):
        subprocess.run([tools / "teacher_logits", weights, data, folder / "logits.npy", *layer_names], check=True)
        return np.load(folder / "logits.npy")

    def theirs(network):
        with torch.no_grad():
            return network.eval()(images).numpy()

    out = folder / "out"
    subprocess.run([programs / "distill_mnist", "--data", digits, "--out", out, "--teacher-epochs", "3", "--epochs", "1",
                    "--lr", "1e-3", "--quiet"], check=True, stdout=subprocess.DEVNULL)
    network = sequential()
    network.load_state_dict(load_file(out / "teacher.safetensors"), strict=True)
    compare("trained here", ours(out / "teacher.safetensors"), theirs(network))

    torch.manual_seed(0)
    network = sequential()
    save_file(network.state_dict(), folder / "sequential.safetensors")
    compare("made by PyTorch", ours(folder / "sequential.safetensors"), theirs(network))

    # The same weights as a module with attributes of its own would save them.
    renamed = {f"{name}.{tensor}": network.state_dict()[f"{layer}.{tensor}"]
               for name, layer in zip(NAMES, (0, 3, 6)) for tensor in ("weight", "bias")}
    save_file(renamed, folder / "named.safetensors")
    compare("made by PyTorch as " + ", ".join(NAMES), ours(folder / "named.safetensors", *NAMES), theirs(network))

    nn = torch.nn
    network = nn.Sequential(nn.Linear(784, 400), nn.ReLU(), nn.Linear(400, 400), nn.ReLU(), nn.Linear(400, 10))
    save_file(network.state_dict(), folder / "guide.safetensors")
    shown = subprocess.run([programs / "guide", "weights_from_pytorch", folder / "guide.safetensors", data], check=True,
                           stdout=subprocess.PIPE, text=True).stdout
    errors = int((theirs(network).argmax(axis=1) != test_labels(data)).sum())
    print(f"{shown}PyTorch counts {errors}")
    assert abs(int(shown.split()[0]) - errors) <= 2, "the guide's program counts other errors"  # but for ties
    shutil.rmtree(folder)


if __name__ == "__main__":
    main()
