#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""pytorch_interop.py FOLDER DIGITS PROGRAMS TOOLS

Weights travel between Retort and PyTorch in both directions, and each network answers alike in both: trained here and
loaded there, made there and loaded here, under the names of an nn.Sequential and under names of one's own, in other
widths and in several files. The guide's recipes (docs/guide/3_teacher_from_pytorch.md), run as they are on DIGITS,
count the same errors in both, and name what is missing. Elsewhere the images are the 10,000 test images of MNIST where
MNIST_DIR names them, else those in DIGITS. Exits with 77 (skipped) where PyTorch, NumPy or the package safetensors is
missing.
"""

import gzip
import json
import os
import pathlib
import re
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
GUIDE = pathlib.Path(__file__).resolve().parents[2] / "examples/guide"


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


def save_in_shards(state, folder):
    """As huggingface_hub's save_torch_state_dict does; returns the index."""
    shards = {"model-00001-of-00002.safetensors": list(state)[:2], "model-00002-of-00002.safetensors": list(state)[2:]}
    for shard, names in shards.items():
        save_file({name: state[name] for name in names}, folder / shard, metadata={"format": "pt"})
    index = folder / "model.safetensors.index.json"
    index.write_text(json.dumps({
        "metadata": {"total_size": sum(tensor.numel() * tensor.element_size() for tensor in state.values())},
        "weight_map": {name: shard for shard, names in shards.items() for name in names}}, indent=2))
    return index


def same_errors(what, theirs, ours, pattern):
    """A recipe's last line, and a program's output with the number where `pattern` says. Two logits may be as good as
    equal."""
    images, errors = map(int, re.fullmatch(r"errors on (\d+) test images: (\d+)\n", theirs).groups())
    found = int(re.search(pattern, ours)[1])
    print(f"{what}: of {images} images PyTorch counts {errors} as wrong, the library {found}")
    assert abs(found - errors) <= 2 and errors < images / 2, f"{what}: other errors, or too many:\n{theirs}\n{ours}"


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
    subprocess.run([programs / "distill_mnist", "--data", digits, "--out", out, "--recipe", "recommended",
                    "--teacher-epochs", "3", "--epochs", "40", "--quiet"], check=True, stdout=subprocess.DEVNULL)
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

    for kind in (torch.float16, torch.bfloat16, torch.float64):
        narrow = {name: (tensor.double() * 1.001).to(kind) for name, tensor in network.state_dict().items()}
        network.load_state_dict(narrow)  # rounded to float32
        compare(f"made by PyTorch as {kind}, in shards", ours(save_in_shards(narrow, folder)), theirs(network))

    def run(*command):
        return subprocess.run([str(part) for part in command], check=True, stdout=subprocess.PIPE, text=True).stdout

    teacher, student = folder / "guide.safetensors", out / "student_distilled.safetensors"
    trained = run(sys.executable, GUIDE / "train_in_pytorch.py", digits, teacher)
    shown = run(programs / "guide", "weights_from_pytorch", teacher, digits)
    same_errors("the guide's teacher from PyTorch", trained, shown, r"^ *(\d+) of ")
    counted = run(sys.executable, GUIDE / "weights_to_pytorch.py", student, digits)
    same_errors("the guide's student to PyTorch", counted, run(programs / "predict", student, digits), r"(\d+) errors")

    for recipe, arguments, message in (
            ("weights_to_pytorch.py", ("nowhere", digits), "nowhere: no such file"),
            ("weights_to_pytorch.py", (student, "nowhere"), "nowhere/t10k-images-idx3-ubyte: no such file"),
            ("train_in_pytorch.py", (digits, "nowhere/a"), "nowhere/a: cannot be written")):
        refused = subprocess.run([sys.executable, GUIDE / recipe, *arguments], capture_output=True, text=True)
        if refused.returncode == 0 or not refused.stderr.startswith(f"{recipe}: {message}"):
            sys.exit(f"FAILED: {recipe} says {refused.stderr}")
    shutil.rmtree(folder)


if __name__ == "__main__":
    main()
