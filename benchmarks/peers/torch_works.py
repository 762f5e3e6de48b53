# SPDX-License-Identifier: MIT
"""What torch_gpu.py measures in PyTorch: training steps of one network, and of many students at once."""

import contextlib

import torch
from torch import nn
from torch.nn import functional

SIDE, SHIFT = 28, 2
TEMPERATURE, HARD_WEIGHT = 4.0, 0.1


def teacher_model():
    return nn.Sequential(nn.Linear(784, 1200), nn.Dropout(0.5), nn.ReLU(), nn.Linear(1200, 1200), nn.Dropout(0.5),
                         nn.ReLU(), nn.Linear(1200, 10))


def student_model():
    return nn.Sequential(nn.Linear(784, 20), nn.ReLU(), nn.Linear(20, 20), nn.ReLU(), nn.Linear(20, 10))


def normalised(images):
    return ((images.float() / 255 - 0.5) / 0.5).flatten(-2)


def distillation_loss(outputs, labels, logits):
    soft = functional.kl_div(functional.log_softmax(outputs / TEMPERATURE, 1),
                             functional.log_softmax(logits / TEMPERATURE, 1),
                             reduction="batchmean", log_target=True) * TEMPERATURE**2
    return HARD_WEIGHT * functional.cross_entropy(outputs, labels) + (1 - HARD_WEIGHT) * soft


def is_cuda(device):
    return torch.device(device).type == "cuda"


def random_digits(samples, device):
    generator = torch.Generator().manual_seed(0)
    images = torch.randint(0, 256, (samples, SIDE, SIDE), dtype=torch.uint8, generator=generator)
    return images, torch.randint(0, 10, (samples,), generator=generator).to(device)


class Work:
    """Epochs of training steps. `steps`: batches of an epoch; cached and online are of distillation. `fused`: Adam as
    one kernel of PyTorch's; torch.compile makes its own of the other form. `bf16`: products by autocast."""

    def __init__(self, model, batch, steps, device, teacher=None, online=False, fused=True, bf16=False):
        self.batch, self.steps, self.device, self.online, self.bf16 = batch, steps, device, online, bf16
        self.model = model.to(device).train()
        self.teacher = teacher.to(device).eval() if teacher is not None else None
        self.samples = batch * steps
        images, self.labels = random_digits(self.samples, device)
        if online:
            images = functional.pad(images, (SHIFT, SHIFT, SHIFT, SHIFT))
        self.images = images.to(device)
        self.positions = torch.arange(SIDE, device=device)
        self.order = torch.arange(self.samples, device=device)
        self.indices = self.order[:batch].clone()
        self.loss_sum = torch.zeros((), device=device)
        self.hits = torch.zeros((), dtype=torch.int64, device=device)
        cuda = is_cuda(device)
        self.optimizer = torch.optim.Adam(self.model.parameters(), lr=1e-3, capturable=cuda,
                                          **({"fused": True} if cuda and fused else {"foreach": True}))
        self.logits = None
        if self.teacher is not None and not online:
            with torch.no_grad():
                self.logits = self.teacher(normalised(self.images))

    def fixed_tensors(self):
        """Those that keep their place in memory from step to step."""
        return [tensor for tensor in (self.images, self.labels, self.positions, self.indices, self.loss_sum, self.hits,
                                      self.logits) if tensor is not None]

    def inputs(self):
        if not self.online:
            return normalised(self.images[self.indices])
        rows, columns = torch.randint(0, 2 * SHIFT + 1, (2, self.batch, 1), device=self.device)
        return normalised(self.images[self.indices[:, None, None], (rows + self.positions)[:, :, None],
                                      (columns + self.positions)[:, None, :]])

    def forward(self):
        """The batch's loss, added to the epoch's."""
        inputs = self.inputs()
        labels = self.labels[self.indices]
        precision = contextlib.nullcontext()
        if self.bf16:
            precision = torch.autocast(torch.device(self.device).type, torch.bfloat16)
        with precision:
            outputs = self.model(inputs)
        outputs = outputs.float()
        if self.teacher is None:
            loss = functional.cross_entropy(outputs, labels)
        elif self.online:
            with torch.no_grad():
                logits = self.teacher(inputs)
            loss = distillation_loss(outputs, labels, logits)
        else:
            loss = distillation_loss(outputs, labels, self.logits[self.indices])
        with torch.no_grad():
            self.loss_sum += loss * self.batch
            self.hits += (outputs.argmax(1) == labels).sum()
        return loss

    def step(self):
        loss = self.forward()
        self.optimizer.zero_grad(set_to_none=True)
        loss.backward()
        self.optimizer.step()

    def arrange(self):
        """A new order, and sums from 0."""
        self.order.copy_(torch.randperm(self.samples, device=self.device))
        self.loss_sum.zero_()
        self.hits.zero_()

    def epoch(self, run):
        """All steps by run(), which is `step` or another form of it; the epoch's mean loss and accuracy."""
        self.arrange()
        for first in range(0, self.samples, self.batch):
            self.indices.copy_(self.order[..., first:first + self.batch])
            run()
        return (self.loss_sum / self.samples).tolist(), (self.hits / self.samples).tolist()


class Students(Work):
    """Cached distillations of `count` students at once: torch.func.vmap over their stacked parameters, each with an
    order of its own. Adam works element by element, so one Adam over the stack is one for each student."""

    def __init__(self, count, batch, steps, device):
        models = [student_model() for _ in range(count)]
        super().__init__(models[0], batch, steps, device, teacher_model())
        parameters, _ = torch.func.stack_module_state([model.to(device) for model in models])
        self.parameters = {name: value.detach().requires_grad_() for name, value in parameters.items()}
        self.count = count
        self.order = self.order.repeat(count, 1)
        self.indices = self.order[:, :batch].clone()
        self.loss_sum = torch.zeros(count, device=device)
        self.hits = torch.zeros(count, dtype=torch.int64, device=device)
        cuda = is_cuda(device)
        self.optimizer = torch.optim.Adam(list(self.parameters.values()), lr=1e-3, capturable=cuda,
                                          **({"fused": True} if cuda else {"foreach": True}))

        def loss_of(parameters, inputs, labels, logits):
            outputs = torch.func.functional_call(self.model, parameters, (inputs,))
            return distillation_loss(outputs, labels, logits), (outputs.argmax(1) == labels).sum()

        self.gradients_of = torch.func.vmap(torch.func.grad_and_value(loss_of, has_aux=True))

    def step(self):
        detached = {name: value.detach() for name, value in self.parameters.items()}
        gradients, (losses, hits) = self.gradients_of(detached, normalised(self.images[self.indices]),
                                                      self.labels[self.indices], self.logits[self.indices])
        for name, value in self.parameters.items():
            value.grad = gradients[name]
        self.optimizer.step()
        self.loss_sum += losses * self.batch
        self.hits += hits

    def arrange(self):
        self.order.copy_(torch.rand(self.count, self.samples, device=self.device).argsort(1))
        self.loss_sum.zero_()
        self.hits.zero_()


def graph_step(work):
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


def compiled_step(work):
    """The step by torch.compile(mode="reduce-overhead"): forward with its backward, and the optimizer's update, each
    replayed as a CUDA graph where there is a GPU. Throws whatever the compiler does where it cannot be had."""
    import torch._dynamo

    for limit in ("cache_size_limit", "recompile_limit"):  # names of different versions; each work is a recompilation
        if hasattr(torch._dynamo.config, limit):
            setattr(torch._dynamo.config, limit, 64)
    for tensor in work.fixed_tensors():
        torch._dynamo.mark_static_address(tensor)  # read where it is, not copied at each replay
    work.step()  # makes the optimizer's state
    forward = torch.compile(work.forward, mode="reduce-overhead")
    update = torch.compile(work.optimizer.step, mode="reduce-overhead")

    def step():
        work.optimizer.zero_grad(set_to_none=True)
        torch.compiler.cudagraph_mark_step_begin()
        forward().backward()
        update()

    for _ in range(5):  # compiles, records
        step()
    return step
