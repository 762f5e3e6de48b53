#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The training steps of benchmark_train in PyTorch, on the same device, in each form in which PyTorch can run them:

    eager         one call after another
    graph         a step as one CUDA graph
    compile       torch.compile(mode="reduce-overhead"), which makes kernels and records graphs by itself
    vmap          many students in one step (torch.func.vmap over stacked parameters); vmap graph: that as a CUDA graph

The same work: uint8 images on the device, as many of them, in a new order each epoch; in a step they are gathered by
index and normalised, then forward, loss, backward, Adam (fused, or compiled). Cached distillation looks the teacher's
logits up; online distillation moves each image by up to 2 pixels and runs the teacher on the result. Each step adds
its losses and hits on the device, and each epoch reads the sums once. Times are those of whole epochs, divided by
their steps: medians over repeats that are interleaved over the forms, by CUDA events.

Precisions are fp32 ("highest") beside Retort's cuda and thrust-cuda, TF32 ("high") beside cuda-tf32, and bf16 by
autocast beside cuda-bf16. Retort's small students train in fp32 with each of its backends, so only the teacher has the
other two.

What differs: PyTorch draws its own random numbers, one for each image and step where Retort hashes sample and epoch,
and keeps dropout's masks where Retort draws them again; its images lie in the device's memory with the border of 2
zeros that moving them needs, so it compares no index with a border. Its graph and its compiled step are started by
Python once a step; Retort's small students take an epoch's steps in one launch. Here the students of a sweep share the
learning rate and the loss's settings, which in Retort each has for itself; each has its own order in both. Neither
sweep's time has the initial weights, the teacher's logits or the recording in it.

    python3 benchmarks/peers/torch_gpu.py [--device cuda] [--retort benchmark_train.json] [--epochs 3] [--repeats 7]

With --retort, Google Benchmark's JSON of benchmark_train, Retort's time stands beside that of the same work here, with
how many times as long PyTorch takes, and after it the points of gpu_points.py. `--device cpu` runs a few small batches
of everything but the graphs, and compiles one work: it shows that this program works, its times say nothing.

Exits 77 with one line where PyTorch or its CUDA is missing, 2 where the JSON cannot be used.
"""

import argparse
import json
import statistics
import sys
import time

from gpu_points import BACKENDS, SWEEP_STEPS, SWEEPS, WORKS, counterparts, points, read_retort, sweep_name

try:
    import torch

    import torch_works
except ImportError as error:
    torch = None
    missing = error

FORMS = ("eager", "graph", "compile", "vmap")


def with_retort(rows, retort):
    """Puts Retort's times and the ratios into each row of the same work in the same precision."""
    for row in rows:
        ours = {backend: seconds for backend, seconds in counterparts(row, retort).items()
                if isinstance(seconds, float)}
        row["retort_seconds"] = ours
        row["ratio"] = {backend: row["seconds"] / seconds for backend, seconds in ours.items()}
    return rows


def print_rows(rows):
    print(f"{'precision':9} {'work':30} {'how':10} {'PyTorch':>18}  Retort, and how many times as long PyTorch takes")
    for row in rows:
        line = f"{row['precision']:9} {row['work']:30} {row['how']:10} {row['seconds'] * 1e6:10.1f} us/step"
        for backend, seconds in row.get("retort_seconds", {}).items():
            line += f"  {backend} {seconds * 1e6:.1f} us ({row['ratio'][backend]:.2f})"
        print(line)


def print_sweeps(rows):
    """What 132 students cost more than one, in each form."""
    seconds = {(row["work"], row["how"]): row["seconds"] for row in rows}
    for how in ("vmap", "vmap graph"):
        one, many = (seconds.get((sweep_name(students), how)) for students in SWEEPS)
        if one and many:
            print(f"PyTorch, {how}: {SWEEPS[1]} students take {many / one:.2f} times the step of {SWEEPS[0]}")


def seconds_per_step(run, work, epochs):
    steps = epochs * work.steps
    if not torch_works.is_cuda(work.device):
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


def make_work(name, device, precision, fused=True):
    """Of the size in benchmark_train: 64 batches of 64 images, or 8 of 4,096; on the CPU 2 batches of 64."""
    benchmark, batch = WORKS[name]
    steps = 64 if batch <= 64 else 8
    if not torch_works.is_cuda(device):
        batch, steps = 64, 2
    distils = benchmark.startswith("distillation")
    model = torch_works.teacher_model() if "Teacher" in benchmark else torch_works.student_model()
    return torch_works.Work(model, batch, steps, device, torch_works.teacher_model() if distils else None,
                            benchmark.endswith("online"), fused, precision == "bf16")


def compiled(name, device, precision):
    """A work and its compiled step, or None and why there is none. What it says on the way goes to standard error."""
    work = make_work(name, device, precision, fused=False)
    try:
        return work, torch_works.compiled_step(work)
    except Exception as error:  # of whatever the compiler needs and finds missing
        text = (str(error).strip() or type(error).__name__).splitlines()[0]
        print(f"compile, {precision}, {name}: skipped: {type(error).__name__}: {text}")
        return work, None


def note_skipped_graphs(counted):
    """torch.compile goes on without CUDA graphs where it finds a reason: then its figure is not that of this mode."""
    skips = torch._dynamo.utils.counters["inductor"]["cudagraph_skips"]
    if skips > counted:
        print(f"compile: without {skips - counted} of its CUDA graphs (TORCH_LOGS=perf_hints says why)")
    return skips


def variants_of(precision, options):
    """(work's name, form, one step, the work) of all that is measured in a precision."""
    cuda = torch_works.is_cuda(options.device)
    names = [name for name in WORKS if precision == "highest" or name.startswith("teacher")]
    skips = torch._dynamo.utils.counters["inductor"]["cudagraph_skips"] if "compile" in options.how else 0
    for name in names:
        work = make_work(name, options.device, precision)
        for _ in range(3):
            work.step()
        if "eager" in options.how:
            yield name, "eager", work.step, work
        if cuda and "graph" in options.how:
            yield name, "graph", torch_works.graph_step(work), work
        if "compile" in options.how and (cuda or name == "distillation cached, batch 64"):
            work, step = compiled(name, options.device, precision)
            if cuda:
                skips = note_skipped_graphs(skips)
            if step is not None:
                yield name, "compile", step, work
    if precision == "highest" and "vmap" in options.how:
        for students in SWEEPS:
            work = torch_works.Students(students, 64, SWEEP_STEPS if cuda else 2, options.device)
            for _ in range(3):
                work.step()
            if cuda:
                yield sweep_name(students), "vmap graph", torch_works.graph_step(work), work
            else:
                yield sweep_name(students), "vmap", work.step, work


def measure(options):
    device = torch.cuda.get_device_name() if torch_works.is_cuda(options.device) else "cpu"
    rows = []
    for precision in BACKENDS:
        torch.set_float32_matmul_precision("high" if precision == "high" else "highest")
        torch.manual_seed(0)
        variants = list(variants_of(precision, options))
        times = {}
        for _ in range(options.repeats):
            for name, how, run, work in variants:
                times.setdefault((name, how), []).append(seconds_per_step(run, work, options.epochs))
        rows += [{"precision": precision, "work": name, "how": how, "seconds": statistics.median(values),
                  "device": device, "torch": torch.__version__} for (name, how), values in times.items()]
    return rows


def forms(text):
    chosen = text.split(",")
    if not set(chosen) <= set(FORMS):
        raise argparse.ArgumentTypeError(f"'{text}', expected some of {','.join(FORMS)}")
    return chosen


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--device", default="cuda")
    parser.add_argument("--epochs", type=int, default=3, help="of one time")
    parser.add_argument("--repeats", type=int, default=7)
    parser.add_argument("--how", type=forms, default=list(FORMS), metavar="FORM,...", help="only these forms")
    parser.add_argument("--retort", help="Google Benchmark's JSON of benchmark_train, to compare with")
    parser.add_argument("--json", help="also write one JSON object a line to this file")
    options = parser.parse_args()
    retort = None
    if options.retort:
        try:
            retort = read_retort(options.retort)
        except (OSError, ValueError, KeyError, TypeError) as error:
            print(f"torch_gpu.py: {options.retort}: {type(error).__name__}: {error}, expected Google Benchmark's JSON")
            return 2
    if torch is None:
        print(f"skipped: python3 has no PyTorch ({missing})")
        return 77
    cuda = torch_works.is_cuda(options.device)
    if cuda and not torch.cuda.is_available():
        print("skipped: PyTorch finds no CUDA device")
        return 77
    name = torch.cuda.get_device_name() if cuda else "the CPU, small batches"
    print(f"PyTorch {torch.__version__} on {name}, CUDA {torch.version.cuda}")
    rows = measure(options)
    if retort is not None:
        rows = with_retort(rows, retort)
    print_rows(rows)
    print_sweeps(rows)
    if retort is not None:
        print(f"\nRetort on {retort.device() or 'no GPU'}")
        for point in points(retort, rows):
            print(point.line())
    if options.json:
        with open(options.json, "w", encoding="utf-8") as file:
            file.writelines(json.dumps(row) + "\n" for row in rows)
    return 0


if __name__ == "__main__":
    sys.exit(main())
