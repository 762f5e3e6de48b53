# SPDX-License-Identifier: MIT
"""with_torch.py PROGRAM ARGUMENTS...

Runs benchmarks/peers/torch_gpu.py with stand-ins for PyTorch and for what it measures, torch_works.py: nothing is
trained, and an epoch takes what it took on an H200 (benchmarks/RESULTS.md), by a clock that is moved."""

import ast
import inspect
import os
import pathlib
import runpy
import sys
import types

FAULT = os.environ["STAND_IN_FAULT"]
# Microseconds of a step: eager (of sweeps that is measured on a CPU alone), graph, compiled.
STEPS = {
    ("highest", "student, batch 64"): (1519, 131, 1267),
    ("highest", "distillation cached, batch 64"): (2139, 163, 1179),
    ("highest", "distillation online, batch 64"): (2427, 256, 1325),
    ("highest", "teacher, batch 64"): (1805, 254, 1278),
    ("highest", "teacher, batch 4096"): (2081, 1722, 1711),
    ("high", "teacher, batch 64"): (1902, 181, 1297),
    ("high", "teacher, batch 4096"): (2084, 653, 1503),
    ("bf16", "teacher, batch 64"): (2136, 200, 1282),
    ("bf16", "teacher, batch 4096"): (2224, 462, 1328),
    ("highest", "sweep of 1, batch 64"): (5000, 169, None),
    ("highest", "sweep of 132, batch 64"): (9000, 338, None),
}
FORMS = ("eager", "graph", "compile")
now = 0.0
matmul_precision = "highest"


class Event:
    def __init__(self, enable_timing):
        assert enable_timing

    def record(self):
        self.microseconds = now

    def synchronize(self):
        pass

    def elapsed_time(self, end):
        return (end.microseconds - self.microseconds) / 1e3


class Work:
    def __init__(self, model, batch, steps, device, teacher=None, online=False, fused=True, bf16=False):
        self.steps, self.device = steps, device
        self.name = f"{model}, batch {batch}"
        if teacher:
            self.name = f"distillation {'online' if online else 'cached'}, batch {batch}"
        self.precision = "bf16" if bf16 else matmul_precision

    def step(self):
        pass

    def epoch(self, run):
        global now
        form = FORMS.index(getattr(run, "form", "eager"))
        now += self.steps * STEPS[self.precision, self.name][form]


class Students(Work):
    def __init__(self, count, batch, steps, device):
        super().__init__("student", batch, steps, device)
        self.name = f"sweep of {count}, batch {batch}"


def form_of(form):
    def make(work):
        if FAULT == "no-compiler" and form == "compile":
            raise RuntimeError("Cannot find a working triton installation.")

        def run():
            pass
        run.form = form
        return run
    return make


def set_precision(name):
    global matmul_precision
    matmul_precision = name


def device_name():
    return "NVIDIA H100 80GB HBM3" if FAULT == "other-gpu" else "NVIDIA H200"


torch = types.SimpleNamespace(
    __version__="2.11.0", version=types.SimpleNamespace(cuda="13.0"), manual_seed=lambda seed: None,
    set_float32_matmul_precision=set_precision,
    cuda=types.SimpleNamespace(Event=Event, get_device_name=device_name,
                               is_available=lambda: FAULT != "torch-without-cuda"),
    _dynamo=types.SimpleNamespace(utils=types.SimpleNamespace(counters={"inductor": {"cudagraph_skips": 0}})))
works = types.SimpleNamespace(
    Work=Work, Students=Students, teacher_model=lambda: "teacher", student_model=lambda: "student",
    is_cuda=lambda device: device == "cuda", graph_step=form_of("graph"), compiled_step=form_of("compile"))

def check_interface(source):
    """Whether torch_works.py itself has what stands in for it, with the same arguments."""
    nodes = {node.name: node for node in ast.parse(source).body if hasattr(node, "name")}
    for name, value in vars(works).items():
        assert name in nodes, f"torch_works.py has no {name}"
        if inspect.isclass(value):
            init = next(node for node in nodes[name].body if getattr(node, "name", "") == "__init__")
            arguments = [argument.arg for argument in init.args.args]
            assert arguments == list(inspect.signature(value.__init__).parameters), f"{name} has other arguments"


sys.modules["torch"], sys.modules["torch_works"] = torch, works
del sys.argv[0]
folder = pathlib.Path(sys.argv[0]).parent
check_interface((folder / "torch_works.py").read_text(encoding="utf-8"))
sys.path[0] = str(folder)
runpy.run_path(sys.argv[0], run_name="__main__")
