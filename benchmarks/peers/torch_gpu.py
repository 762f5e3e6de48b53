#!/usr/bin/env python3
"""The training steps of benchmark_train in PyTorch, on the same device: eager, and as one CUDA graph a step.

Identical work: uint8 images on the device, gathered by index and normalised in the step, forward, loss, backward, fused
Adam; the distillation step with the teacher's logits looked up, or computed online. Precision is fp32 ("highest"),
then TF32 ("high"). Times are medians over repeats that are interleaved over the variants, by CUDA events.

    python3 benchmarks/peers/torch_gpu.py [--device cuda] [--steps 200] [--repeats 7]

Exits 77 with one line where PyTorch or its CUDA is missing.
"""

import argparse
import json
import statistics
import sys
import time

try:
    import torch
except ImportError:
    print("skipped: python3 has no PyTorch")
    sys.exit(77)
from torch import nn
from torch.nn import functional

SAMPLES = 16384


def teacher_model():
    return nn.Sequential(nn.Linear(784, 1200), nn.Dropout(0.5), nn.ReLU(), nn.Linear(1200, 1200), nn.Dropout(0.5),
                         nn.ReLU(), nn.Linear(1200, 10))


def student_model():
    return nn.Sequential(nn.Linear(784, 20), nn.ReLU(), nn.Linear(20, 20), nn.ReLU(), nn.Linear(20, 10))


class Work:
    """One training step on the next batch."""

    def __init__(self, name, model, batch, device, teacher=None, cached=False):
        self.name, self.batch = name, batch
        self.model = model.to(device).train()
        self.teacher = teacher.to(device).eval() if teacher is not None else None
        generator = torch.Generator().manual_seed(0)
        self.images = torch.randint(0, 256, (SAMPLES, 784), dtype=torch.uint8, generator=generator).to(device)
        self.labels = torch.randint(0, 10, (SAMPLES,), generator=generator).to(device)
        self.order = torch.randperm(SAMPLES, generator=generator).to(device)
        self.indices = self.order[:batch].clone()
        self.next = 0
        cuda = torch.device(device).type == "cuda"
        self.optimizer = torch.optim.Adam(self.model.parameters(), lr=2e-4, fused=cuda, capturable=cuda)
        self.logits = None
        if cached:
            with torch.no_grad():
                self.logits = self.teacher(self.inputs(torch.arange(SAMPLES, device=device)))

    def inputs(self, indices):
        return (self.images[indices].float() / 255 - 0.5) / 0.5

    def advance(self):
        self.indices.copy_(self.order[self.next:self.next + self.batch])
        self.next = (self.next + self.batch) % (SAMPLES - self.batch + 1)

    def step(self):
        inputs = self.inputs(self.indices)
        labels = self.labels[self.indices]
        outputs = self.model(inputs)
        loss = functional.cross_entropy(outputs, labels)
        if self.teacher is not None:
            if self.logits is not None:
                logits = self.logits[self.indices]
            else:
                with torch.no_grad():
                    logits = self.teacher(inputs)
            temperature, hard_weight = 4.0, 0.1
            soft = functional.kl_div(functional.log_softmax(outputs / temperature, 1),
                                     functional.log_softmax(logits / temperature, 1),
                                     reduction="batchmean", log_target=True) * temperature**2
            loss = hard_weight * loss + (1 - hard_weight) * soft
        self.optimizer.zero_grad(set_to_none=True)
        loss.backward()
        self.optimizer.step()


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


def seconds_per_step(run, work, steps, device):
    if torch.device(device).type != "cuda":
        start = time.perf_counter()
        for _ in range(steps):
            work.advance()
            run()
        return (time.perf_counter() - start) / steps
    begin, end = torch.cuda.Event(enable_timing=True), torch.cuda.Event(enable_timing=True)
    begin.record()
    for _ in range(steps):
        work.advance()
        run()
    end.record()
    end.synchronize()
    return begin.elapsed_time(end) / 1e3 / steps


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--device", default="cuda")
    parser.add_argument("--steps", type=int, default=200)
    parser.add_argument("--repeats", type=int, default=7)
    parser.add_argument("--json", help="also write one JSON object a line to this file")
    options = parser.parse_args()
    cuda = options.device.startswith("cuda")
    if cuda and not torch.cuda.is_available():
        print("skipped: PyTorch finds no CUDA device")
        return 77
    name = torch.cuda.get_device_name() if cuda else "the CPU"
    print(f"PyTorch {torch.__version__} on {name}, CUDA {torch.version.cuda}")
    rows = []
    for precision in ["highest", "high"] if cuda else ["highest"]:
        torch.set_float32_matmul_precision(precision)
        torch.manual_seed(0)
        works = [
            Work("student, batch 64", student_model(), 64, options.device),
            Work("distillation cached, batch 64", student_model(), 64, options.device, teacher_model(), True),
            Work("distillation online, batch 64", student_model(), 64, options.device, teacher_model()),
            Work("teacher, batch 64", teacher_model(), 64, options.device),
            Work("teacher, batch 4096", teacher_model(), 4096, options.device),
        ]
        variants = []
        for work in works:
            for _ in range(3):
                work.step()
            variants.append((work.name, "eager", work.step, work))
            if cuda:
                variants.append((work.name, "graph", capture(work), work))
        times = {}
        for _ in range(options.repeats):
            for what, how, run, work in variants:
                times.setdefault((what, how), []).append(seconds_per_step(run, work, options.steps, options.device))
        for (what, how), values in times.items():
            rows.append({"precision": precision, "work": what, "how": how, "seconds": statistics.median(values)})
            print(f"{precision:8} {what:30} {how:6} {statistics.median(values) * 1e6:10.1f} us/step")
    if options.json:
        with open(options.json, "w", encoding="utf-8") as file:
            file.writelines(json.dumps(row) + "\n" for row in rows)
    return 0


if __name__ == "__main__":
    sys.exit(main())
