#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Trains a small convolutional network on MNIST and writes its logits of the training images, for `own_teacher`.

    examples/own_teacher/teacher.py data/mnist logits.npy [--epochs 6] [--seed 0] [--threads 2] [--views views.npy]

Row i of the file, float32 of shape (60000, 10), answers training image i, as it lies in train-images-idx3-ubyte. With
--views, a file that `own_teacher --save-views` wrote, it answers all views, (views, 60000, 10), and learns from turned
images too; logits.npy.json then says which views these are. Some minutes on two cores. Needs PyTorch and NumPy:
`pip install torch numpy`.
"""

import argparse
import gzip
import math
import pathlib
import shutil
import sys


def fail(reason):
    """Ends the program, which may be another that imports this one."""
    sys.exit(f"{pathlib.Path(sys.argv[0]).name}: {reason}")


try:
    import numpy as np
    import torch
    from torch import nn
except ImportError as error:
    fail(f"{error}; `pip install torch numpy` has what is missing")


def read_idx(folder, name):
    """The array of an IDX file of bytes, plain or gzip (yann.lecun.com/exdb/mnist)."""
    plain = folder / name
    zipped = folder / f"{name}.gz"
    if not plain.exists() and not zipped.exists():
        fail(f"{plain}: no such file, expected MNIST's four files in the folder")
    content = plain.read_bytes() if plain.exists() else gzip.decompress(zipped.read_bytes())
    if content[:3] != b"\0\0\x08":
        fail(f"{folder / name}: not an IDX file of bytes, expected 0x00 0x00 0x08 at its begin")
    axes = content[3]
    shape = np.frombuffer(content, ">u4", axes, offset=4)
    return np.frombuffer(content, np.uint8, offset=4 + 4 * axes).reshape(shape)


def images(pixels):
    """(images, 1, 28, 28) in [-1, 1]."""
    return torch.from_numpy(pixels.astype(np.float32) / 127.5 - 1).unsqueeze(1)


def network():
    return nn.Sequential(
        nn.Conv2d(1, 16, 3, padding=1), nn.BatchNorm2d(16), nn.ReLU(), nn.MaxPool2d(2),
        nn.Conv2d(16, 32, 3, padding=1), nn.BatchNorm2d(32), nn.ReLU(), nn.MaxPool2d(2),
        nn.Conv2d(32, 64, 3, padding=1), nn.BatchNorm2d(64), nn.ReLU(), nn.Flatten(),
        nn.Dropout(0.3), nn.Linear(64 * 7 * 7, 128), nn.ReLU(), nn.Dropout(0.3), nn.Linear(128, 10))


def shifted(batch, by):
    """Each image moved by up to `by` pixels; what comes in is background."""
    padded = nn.functional.pad(batch, (by, by, by, by), value=-1.0)
    rows, columns = torch.randint(0, 2 * by + 1, (2, len(batch), 1))
    pixel = torch.arange(28)
    every = torch.arange(len(batch))[:, None, None]
    return padded[every, 0, (rows + pixel)[:, :, None], (columns + pixel)[:, None, :]].unsqueeze(1)


def turned(batch):
    """Each image resized by up to 10 %, slanted by up to 5 degrees, turned by up to 10 and moved by up to a pixel."""

    def up_to(most):
        return (2 * torch.rand(len(batch)) - 1) * most

    angle, lean = up_to(math.radians(10)), torch.tan(up_to(math.radians(5)))
    size = 1 + up_to(0.1)
    cos, sin = torch.cos(angle) / size, torch.sin(angle) / size
    right, down = torch.randint(-1, 2, (2, len(batch))) / 14  # of half an image
    to_source = torch.stack([cos, lean * cos - sin, right, sin, cos + lean * sin, down], 1).reshape(-1, 2, 3)
    grid = nn.functional.affine_grid(to_source, batch.shape, align_corners=False)
    return nn.functional.grid_sample(batch + 1, grid, align_corners=False) - 1  # what comes in is background


def train(model, inputs, labels, epochs, augmented):
    steps = epochs * -(-len(inputs) // 128)
    optimizer = torch.optim.Adam(model.parameters(), lr=2e-3)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, max_lr=4e-3, total_steps=steps)
    for epoch in range(epochs):
        model.train()
        total = 0.0
        for chosen in torch.randperm(len(inputs)).split(128):
            loss = nn.functional.cross_entropy(model(augmented(inputs[chosen])), labels[chosen])
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            schedule.step()
            total += loss.item() * len(chosen)
        print(f"epoch {epoch + 1}/{epochs}  loss {total / len(inputs):.4f}", flush=True)


def answers(model, inputs):
    model.eval()
    with torch.no_grad():
        return torch.cat([model(batch) for batch in inputs.split(1000)])


def read_views(path, samples):
    """(views, samples, 28, 28) of raw pixels, read where they are needed, and the file that says which views they are."""
    try:
        views = np.load(path, mmap_mode="r")
    except (OSError, ValueError) as error:
        fail(f"{path}: {error}")
    if views.ndim != 4 or views.shape[1:] != (samples, 28, 28):
        fail(f"{path}: an array {views.shape}, expected (views, {samples}, 28, 28), as own_teacher --save-views writes it")
    described = path.with_name(path.name + ".json")
    if not described.is_file():
        fail(f"{described}: no such file, expected it beside the views")
    return views, described


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=pathlib.Path, help="with MNIST's four files")
    parser.add_argument("logits", type=pathlib.Path, help="the .npy file to write")
    parser.add_argument("--epochs", type=int, default=6)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--views", type=pathlib.Path, help="the file of views to answer")
    options = parser.parse_args()
    if not options.logits.resolve().parent.is_dir():  # before the work
        fail(f"{options.logits}: cannot be written, expected a folder that is there")
    if options.views and options.views.resolve() == options.logits.resolve():
        fail(f"{options.logits}: holds the views, expected another file for the logits")
    torch.manual_seed(options.seed)
    torch.set_num_threads(options.threads)
    torch.use_deterministic_algorithms(True)

    inputs, test_inputs = (images(read_idx(options.folder, f"{part}-images-idx3-ubyte")) for part in ("train", "t10k"))
    labels, test_labels = (torch.from_numpy(read_idx(options.folder, f"{part}-labels-idx1-ubyte").astype(np.int64))
                           for part in ("train", "t10k"))
    views = read_views(options.views, len(inputs)) if options.views else None
    model = network()
    train(model, inputs, labels, options.epochs, turned if views else lambda batch: shifted(batch, 2))
    for name, some, truth in (("training", inputs, labels), ("test", test_inputs, test_labels)):
        errors = int((answers(model, some).argmax(1) != truth).sum())
        print(f"errors on {len(truth)} {name} images: {errors}")
    if views:
        logits = np.stack([answers(model, images(view)).numpy() for view in views[0]])
    else:
        logits = answers(model, inputs).numpy()
    with open(options.logits, "wb") as file:  # np.save would add .npy to another name
        np.save(file, logits)
    described = options.logits.with_name(options.logits.name + ".json")
    if views:
        shutil.copyfile(views[1], described)
    else:
        described.unlink(missing_ok=True)  # it describes an older table


if __name__ == "__main__":
    main()
