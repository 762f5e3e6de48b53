#!/usr/bin/env python3
"""The training steps of benchmark_train in PyTorch, on the same device: eager, and as one CUDA graph a step.

The same work: uint8 images on the device, as many of them, in a new order each epoch; in a step they are gathered by
index and normalised, then forward, loss, backward, fused Adam. Cached distillation looks the teacher's logits up;
online distillation moves each image by up to 2 pixels and runs the teacher on the result. Each step adds its losses and
hits on the device, and each epoch reads the sums once. Times are those of whole epochs, divided by their steps: medians
over repeats that are interleaved over the variants, by CUDA events. Precision is fp32 ("highest"), which is Retort's,
then TF32 ("high"), which has no counterpart there.

What differs: PyTorch draws its own random numbers, one for each image and step where Retort hashes sample and epoch, and
keeps dropout's masks where Retort draws them again; its images lie in the device's memory with the border of 2 zeros
that moving them needs, so it compares no index with a border.

    python3 benchmarks/peers/torch_gpu.py [--device cuda] [--retort benchmark_train.json] [--epochs 3] [--repeats 7]

With --retort, Google Benchmark's JSON of benchmark_train, Retort's time stands beside that of the same work here, with
how many times as long PyTorch takes. `--device cpu` runs a few small batches of everything: it shows that this program
works, its times say nothing.

Exits 77 with one line where PyTorch or its CUDA is missing, 2 where the JSON cannot be used.
"""

import argparse
import json
import statistics
import sys
import time

try:
    import torch
    from torch import nn
    from torch.nn import functional
except ImportError:
    torch = None

SIDE, SHIFT = 28, 2

# Of each work its benchmark in benchmark_train, and its batch.
WORKS = {
    "student, batch 64": ("train_step<Student>", 64),
    "distillation cached, batch 64": ("distillation_step/cached", 64),
    "distillation online, batch 64": ("distillation_step/online", 64),
    "teacher, batch 64": ("train_step<Teacher>", 64),
    "teacher, batch 4096": ("train_step<Teacher>", 4096),
}


def retort_times(results):
    """Of each work what `results` (Google Benchmark's JSON) says of it on the GPU: seconds a step, or a sentence."""
    times = {}
    for work, (name, batch) in WORKS.items():
        prefix = f"{name}/thrust-cuda/batch:{batch}"
        runs = [run for run in results["benchmarks"]
                if run["run_name"] == prefix or run["run_name"].startswith(prefix + "/")]
        medians = [run for run in runs if run.get("aggregate_name") == "median"]
        if not medians:
            medians = [run for run in runs if run.get("run_type") == "iteration"]
        values = [run["time/step"] for run in medians if "time/step" in run]
        if values:
            times[work] = float(statistics.median(values))
        else:
            times[work] = next((run["error_message"] for run in runs if run.get("error_occurred")), "not measured")
    return times


def compare(rows, times):
    """Puts Retort's time and the ratio into each row of the same work in the same precision."""
    for row in rows:
        ours = times.get(row["work"])
        if row["precision"] == "highest" and isinstance(ours, float):
            row["retort_seconds"] = ours
            row["ratio"] = row["seconds"] / ours
    return rows


def print_rows(rows):
    print(f"{'precision':9} {'work':30} {'how':6} {'PyTorch':>18} {'Retort':>17} {'ratio':>7}")
    for row in rows:
        line = f"{row['precision']:9} {row['work']:30} {row['how']:6} {row['seconds'] * 1e6:10.1f} us/step"
        if "ratio" in row:
            line += f" {row['retort_seconds'] * 1e6:9.1f} us/step {row['ratio']:7.2f}"
        print(line)


def teacher_model():
    return nn.Sequential(nn.Linear(784, 1200), nn.Dropout(0.5), nn.ReLU(), nn.Linear(1200, 1200), nn.Dropout(0.5),
                         nn.ReLU(), nn.Linear(1200, 10))


def student_model():
    return nn.Sequential(nn.Linear(784, 20), nn.ReLU(), nn.Linear(20, 20), nn.ReLU(), nn.Linear(20, 10))


class Work:
    """Epochs of training steps. `steps`: batches of an epoch; cached and online are of distillation."""

    def __init__(self, name, model, batch, steps, device, teacher=None, online=False):
        self.name, self.batch, self.steps, self.device, self.online = name, batch, steps, device, online
        self.model = model.to(device).train()
        self.teacher = teacher.to(device).eval() if teacher is not None else None
        self.samples = batch * steps
        generator = torch.Generator().manual_seed(0)
        images = torch.randint(0, 256, (self.samples, SIDE, SIDE), dtype=torch.uint8, generator=generator)
        if online:
            images = functional.pad(images, (SHIFT, SHIFT, SHIFT, SHIFT))
        self.images = images.to(device)
        self.labels = torch.randint(0, 10, (self.samples,), generator=generator).to(device)
        self.positions = torch.arange(SIDE, device=device)
        self.order = torch.arange(self.samples, device=device)
        self.indices = self.order[:batch].clone()
        self.loss_sum = torch.zeros((), device=device)
        self.hits = torch.zeros((), dtype=torch.int64, device=device)
        cuda = torch.device(device).type == "cuda"
        self.optimizer = torch.optim.Adam(self.model.parameters(), lr=1e-3, capturable=cuda,
                                          **({"fused": True} if cuda else {}))
        self.logits = None
        if self.teacher is not None and not online:
            with torch.no_grad():
                self.logits = self.teacher(self.normalised(self.images))

    @staticmethod
    def normalised(images):
        return ((images.float() / 255 - 0.5) / 0.5).flatten(1)

    def inputs(self):
        if not self.online:
            return self.normalised(self.images[self.indices])
        rows, columns = torch.randint(0, 2 * SHIFT + 1, (2, self.batch, 1), device=self.device)
        return self.normalised(self.images[self.indices[:, None, None], (rows + self.positions)[:, :, None],
                                           (columns + self.positions)[:, None, :]])

    def step(self):
        inputs = self.inputs()
        labels = self.labels[self.indices]
        outputs = self.model(inputs)
        loss = functional.cross_entropy(outputs, labels)
        if self.teacher is not None:
            if self.online:
                with torch.no_grad():
                    logits = self.teacher(inputs)
            else:
                logits = self.logits[self.indices]
            temperature, hard_weight = 4.0, 0.1
            soft = functional.kl_div(functional.log_softmax(outputs / temperature, 1),
                                     functional.log_softmax(logits / temperature, 1),
                                     reduction="batchmean", log_target=True) * temperature**2
            loss = hard_weight * loss + (1 - hard_weight) * soft
        self.optimizer.zero_grad(set_to_none=True)
        loss.backward()
        self.optimizer.step()
        with torch.no_grad():
            self.loss_sum += loss * self.batch
            self.hits += (outputs.argmax(1) == labels).sum()

    def epoch(self, run):
        """All steps by run(), which is `step` or its graph; the epoch's mean loss and accuracy."""
        self.order.copy_(torch.randperm(self.samples, device=self.device))
        self.loss_sum.zero_()
        self.hits.zero_()
        for first in range(0, self.samples, self.batch):
            self.indices.copy_(self.order[first:first + self.batch])
            run()
        return self.loss_sum.item() / self.samples, self.hits.item() / self.samples


def capture(work):
    """The step as a CUDA graph."""
    stream = torch.cuda.Stream()
    stream.wait_stream(torch.cuda.current_stream())
    with torch.cuda.stream(stream):
        for _ in range(3):
            work.step()
    torch.cuda.current_stream().wait_stream(stream)
    graph = torch.cuda.CUDAGraph()
    with torch.cuda.graph(graph):
        work.step()
    return graph.replay


def seconds_per_step(run, work, epochs):
    steps = epochs * work.steps
    if torch.device(work.device).type != "cuda":
        start = time.perf_counter()
        for _ in range(epochs):
            work.epoch(run)
        return (time.perf_counter() - start) / steps
    begin, end = torch.cuda.Event(enable_timing=True), torch.cuda.Event(enable_timing=True)
    begin.record()
    for _ in range(epochs):
        work.epoch(run)
    end.record()
    end.synchronize()
    return begin.elapsed_time(end) / 1e3 / steps


def make_work(name, device, small):
    """Of the size in benchmark_train: 64 batches of 64 images, or 8 of 4,096; small: 2 batches of 64."""
    benchmark, batch = WORKS[name]
    steps = 2 if small else 64 if batch <= 64 else 8
    if small:
        batch = 64
    if benchmark.startswith("distillation"):
        return Work(name, student_model(), batch, steps, device, teacher_model(), benchmark.endswith("online"))
    return Work(name, teacher_model() if "Teacher" in benchmark else student_model(), batch, steps, device)


def measure(options):
    cuda = options.device.startswith("cuda")
    rows = []
    for precision in ["highest", "high"] if cuda else ["highest"]:
        torch.set_float32_matmul_precision(precision)
        torch.manual_seed(0)
        variants = []
        for name in WORKS:
            work = make_work(name, options.device, not cuda)
            for _ in range(3):
                work.step()
            variants.append((name, "eager", work.step, work))
            if cuda:
                variants.append((name, "graph", capture(work), work))
        times = {}
        for _ in range(options.repeats):
            for name, how, run, work in variants:
                times.setdefault((name, how), []).append(seconds_per_step(run, work, options.epochs))
        rows += [{"precision": precision, "work": name, "how": how, "seconds": statistics.median(values)}
                 for (name, how), values in times.items()]
    return rows


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--device", default="cuda")
    parser.add_argument("--epochs", type=int, default=3, help="of one time")
    parser.add_argument("--repeats", type=int, default=7)
    parser.add_argument("--retort", help="Google Benchmark's JSON of benchmark_train, to compare with")
    parser.add_argument("--json", help="also write one JSON object a line to this file")
    options = parser.parse_args()
    times = {}
    if options.retort:
        try:
            with open(options.retort, encoding="utf-8") as file:
                times = retort_times(json.load(file))
        except (OSError, ValueError, KeyError, TypeError) as error:
            print(f"torch_gpu.py: {options.retort}: {type(error).__name__}: {error}, expected Google Benchmark's JSON")
            return 2
    if torch is None:
        print("skipped: python3 has no PyTorch")
        return 77
    cuda = options.device.startswith("cuda")
    if cuda and not torch.cuda.is_available():
        print("skipped: PyTorch finds no CUDA device")
        return 77
    name = torch.cuda.get_device_name() if cuda else "the CPU, small batches"
    print(f"PyTorch {torch.__version__} on {name}, CUDA {torch.version.cuda}")
    rows = compare(measure(options), times)
    print_rows(rows)
    for work, ours in times.items():
        if not isinstance(ours, float):
            print(f"Retort, {work}: {ours}")
    if options.json:
        with open(options.json, "w", encoding="utf-8") as file:
            file.writelines(json.dumps(row) + "\n" for row in rows)
    return 0


if __name__ == "__main__":
    sys.exit(main())
