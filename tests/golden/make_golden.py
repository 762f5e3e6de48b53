#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Writes the golden values beside this script: what PyTorch computes, in float64, as constexpr arrays.

    python3 tests/golden/make_golden.py

needs numpy and torch (any version of the last years; the headers name the one they were made with). The inputs are
short decimals from a seeded generator, so that the headers hold everything a test needs. The losses are also computed
from their formulas in numpy, and the script stops if the two disagree.
"""

import pathlib
import random
import textwrap

import numpy
import torch
from torch.nn import functional

torch.set_num_threads(1)
torch.set_default_dtype(torch.float64)
HERE = pathlib.Path(__file__).resolve().parent


class Numbers:
    """Short decimals, the same wherever and whenever they are drawn."""

    def __init__(self, seed):
        self.random = random.Random(seed)

    def __call__(self, *shape, low=-1.0, high=1.0):
        values = [round(low + (high - low) * self.random.random(), 3) for _ in range(int(numpy.prod(shape)))]
        return torch.tensor(values).reshape(shape)


class Header:
    def __init__(self, name, about, namespace):
        self.path = HERE / name
        self.namespace = namespace
        self.lines = [
            "// SPDX-License-Identifier: MIT",
            "#pragma once",
            "/// @file",
            f"/// {about}",
            f"/// Written by tests/golden/make_golden.py with PyTorch {torch.__version__.split('+')[0]} in float64.",
            "",
            "#include <cstddef>",
            "#include <cstdint>",
            "",
            "// clang-format off",
            "",
            f"namespace retort::golden::{namespace} {{",
        ]

    def comment(self, text):
        self.lines += ["", f"// {text}"]

    def count(self, name, value):
        self.lines.append(f"inline constexpr std::size_t {name} = {int(value)};")

    def values(self, name, tensor, kind="double"):
        """A flat array in row-major order; its shape stands in the comment, and each row begins a line."""
        tensor = torch.as_tensor(tensor).detach()
        shape = ", ".join(str(extent) for extent in tensor.shape)
        self.lines.append(f"inline constexpr {kind} {name}[{tensor.numel()}] = {{  // ({shape})")
        for row in tensor.reshape(-1, tensor.shape[-1]).tolist():
            text = " ".join(f"{value!r}," for value in row)
            self.lines += ["    " + line for line in textwrap.wrap(text, 116, break_on_hyphens=False)]
        self.lines.append("};")

    def write(self):
        self.lines += ["", f"}}  // namespace retort::golden::{self.namespace}", ""]
        self.path.write_text("\n".join(self.lines))
        print(self.path)


# --- Losses -----------------------------------------------------------------------------------------------------------


def hinton(student, teacher, labels, temperature, hard_weight, reduction="batchmean"):
    soft = functional.kl_div(
        functional.log_softmax(student / temperature, dim=-1),
        functional.log_softmax(teacher / temperature, dim=-1),
        reduction=reduction,
        log_target=True,
    )
    return hard_weight * functional.cross_entropy(student, labels) + (1 - hard_weight) * temperature**2 * soft


def softmax_passed_to_kl(student, teacher, labels, temperature, hard_weight):
    soft = functional.kl_div(
        functional.softmax(student / temperature, dim=-1),
        functional.softmax(teacher / temperature, dim=-1),
        reduction="batchmean",
    )
    return hard_weight * functional.cross_entropy(student, labels) + (1 - hard_weight) * soft


def numpy_log_softmax(x):
    x = x - x.max()
    return x - numpy.log(numpy.exp(x).sum())


def numpy_loss(kind, student, teacher, label, temperature, hard_weight, smoothing):
    classes = len(student)
    target = (1 - smoothing) * numpy.eye(classes)[label] + smoothing / classes
    hard = -(target * numpy_log_softmax(student)).sum()
    if kind == "cross_entropy":
        return hard
    log_p, log_q = numpy_log_softmax(teacher / temperature), numpy_log_softmax(student / temperature)
    p, q = numpy.exp(log_p), numpy.exp(log_q)
    soft = temperature**2 * (p * (log_p - log_q)).sum() if kind == "hinton" else (p * (log_p - q)).sum()
    return hard_weight * hard + (1 - hard_weight) * soft


def write_losses():
    header = Header("loss_golden.hpp", "Losses of single samples and their gradients in the student's logits.", "loss")
    numbers = Numbers(1)
    rows, classes = 4, 5
    student = numbers(rows, classes, low=-4, high=4)
    teacher = numbers(rows, classes, low=-6, high=6)
    labels = torch.tensor([0, 3, 4, 1])
    header.count("rows", rows)
    header.count("classes", classes)
    header.values("student", student)
    header.values("teacher", teacher)
    header.values("labels", labels, kind="std::uint32_t")

    def case(name, kind, temperature=1.0, hard_weight=1.0, smoothing=0.0):
        losses, gradients = [], []
        for s, t, y in zip(student, teacher, labels):
            s = s.clone().unsqueeze(0).requires_grad_()
            t, y = t.unsqueeze(0), y.unsqueeze(0)
            if kind == "cross_entropy":
                loss = functional.cross_entropy(s, y, label_smoothing=smoothing)
            elif kind == "hinton":
                loss = hinton(s, t, y, temperature, hard_weight)
            else:
                loss = softmax_passed_to_kl(s, t, y, temperature, hard_weight)
            loss.backward()
            check = numpy_loss(kind, s.detach().numpy()[0], t.numpy()[0], int(y), temperature, hard_weight, smoothing)
            assert abs(check - loss.item()) < 1e-12, (name, check, loss.item())
            losses.append(loss.item())
            gradients.append(s.grad[0])
        settings = f"label_smoothing={smoothing}" if kind == "cross_entropy" else f"T={temperature}, w={hard_weight}"
        header.comment(f"{kind}, {settings}")
        header.values(f"{name}_loss", torch.tensor(losses))
        header.values(f"{name}_gradient", torch.stack(gradients))

    case("cross_entropy", "cross_entropy")
    case("cross_entropy_smoothed", "cross_entropy", smoothing=0.1)
    case("hinton", "hinton", 4.0, 0.1)
    case("hinton_soft_only", "hinton", 20.0, 0.0)
    case("softmax_passed_to_kl", "softmax_passed_to_kl", 7.0, 0.3)
    case("softmax_passed_to_kl_soft_only", "softmax_passed_to_kl", 2.0, 0.0)
    header.write()


def write_target_losses():
    """Losses of targets: the row's mean over its outputs, as PyTorch's reduction "mean" of a batch of one."""
    header = Header("target_loss_golden.hpp", "Losses of targets of single samples, and their gradients.", "target_loss")
    numbers = Numbers(11)
    rows, outputs = 4, 3
    student = numbers(rows, outputs, low=-4, high=4)
    teacher = numbers(rows, outputs, low=-6, high=6)
    targets = numbers(rows, outputs, low=-3, high=3)
    answers = torch.tensor([[0.0, 1.0, 1.0], [1.0, 0.0, 0.0], [0.0, 0.0, 1.0], [1.0, 0.25, 0.0]])
    header.count("rows", rows)
    header.count("outputs", outputs)
    for name, values in (("student", student), ("teacher", teacher), ("targets", targets), ("answers", answers)):
        header.values(name, values)

    def case(name, about, loss):
        losses, gradients = [], []
        for row in range(rows):
            s = student[row].clone().requires_grad_()
            value = loss(s, teacher[row], targets[row], answers[row])
            value.backward()
            losses.append(value.item())
            gradients.append(s.grad)
        header.comment(about)
        header.values(f"{name}_loss", torch.tensor(losses))
        header.values(f"{name}_gradient", torch.stack(gradients))

    def binary_hinton(s, t, y, temperature, hard_weight):
        p = torch.sigmoid(t / temperature)
        soft = functional.binary_cross_entropy_with_logits(s / temperature, p)
        entropy = functional.binary_cross_entropy_with_logits(t / temperature, p)
        hard = functional.binary_cross_entropy_with_logits(s, y)
        return hard_weight * hard + (1 - hard_weight) * temperature**2 * (soft - entropy)

    case("mean_squared_error", "mse_loss", lambda s, t, y, a: functional.mse_loss(s, y))
    case("huber", "huber_loss, delta=0.75", lambda s, t, y, a: functional.huber_loss(s, y, delta=0.75))
    case("binary", "binary_cross_entropy_with_logits",
         lambda s, t, y, a: functional.binary_cross_entropy_with_logits(s, a))
    case("binary_hinton", "T=2, w=0.3", lambda s, t, y, a: binary_hinton(s, t, a, 2.0, 0.3))
    header.write()


# --- Terms on whole batches -------------------------------------------------------------------------------------------


def similarity_preserving(student, teacher, weight):
    def rows(features):
        return functional.normalize(features @ features.T, p=2, dim=1)

    return weight * (rows(student) - rows(teacher)).square().sum() / len(student) ** 2


def relational(student, teacher, distance_weight, angle_weight):
    size = len(student)
    same = torch.eye(size)

    def distances(features):
        between = ((features[:, None] - features[None]).square().sum(-1) + same).sqrt() * (1 - same)
        return between / (between.sum() / (size * (size - 1)))

    def angles(features):
        sides = functional.normalize(features[None] - features[:, None], p=2, dim=2)  # (vertex, other)
        return torch.bmm(sides, sides.transpose(1, 2))

    distance = functional.smooth_l1_loss(distances(student), distances(teacher))
    angle = functional.smooth_l1_loss(angles(student), angles(teacher))
    return distance_weight * distance + angle_weight * angle


def dist(student, teacher, temperature, beta, gamma):
    q, p = (functional.softmax(logits / temperature, dim=1) for logits in (student, teacher))

    def correlation(a, b, dim):
        return functional.cosine_similarity(a - a.mean(dim, keepdim=True), b - b.mean(dim, keepdim=True), dim=dim)

    rows, columns = correlation(q, p, 1), correlation(q, p, 0)
    return temperature**2 * (beta * (1 - rows.mean()) + gamma * (1 - columns.mean()))


def activation_profile(student, teacher, weight):
    pooled = functional.adaptive_avg_pool1d(teacher[None], student.shape[1])[0]
    difference = functional.normalize(student, dim=1) - functional.normalize(pooled, dim=1)
    return weight * difference.square().mean()


def numpy_huber(x):
    return numpy.where(abs(x) <= 1, x * x / 2, abs(x) - 0.5)


def numpy_similarity_preserving(student, teacher, weight):
    difference = 0
    for sign, features in ((1, student), (-1, teacher)):
        products = features @ features.T
        difference = difference + sign * products / numpy.sqrt((products**2).sum(1, keepdims=True))
    return weight * (difference**2).sum() / len(student) ** 2


def numpy_relational(student, teacher, distance_weight, angle_weight):
    size = len(student)
    pairs = [(i, j) for i in range(size) for j in range(size) if i != j]
    triples = [(i, j, k) for i, j in pairs for k in range(size) if k not in (i, j)]

    def distances(features):
        values = numpy.array([numpy.linalg.norm(features[i] - features[j]) for i, j in pairs])
        return values / values.mean()

    def angles(features):
        def side(i, j):
            return (features[i] - features[j]) / numpy.linalg.norm(features[i] - features[j])

        return numpy.array([side(i, j) @ side(k, j) for i, j, k in triples])

    distance = numpy_huber(distances(student) - distances(teacher)).sum() / size**2
    angle = numpy_huber(angles(student) - angles(teacher)).sum() / size**3
    return distance_weight * distance + angle_weight * angle


def numpy_dist(student, teacher, temperature, beta, gamma):
    q, p = (numpy.exp([numpy_log_softmax(row / temperature) for row in logits]) for logits in (student, teacher))
    rows = numpy.mean([numpy.corrcoef(a, b)[0, 1] for a, b in zip(q, p)])
    columns = numpy.mean([numpy.corrcoef(a, b)[0, 1] for a, b in zip(q.T, p.T)])
    return temperature**2 * (beta * (1 - rows) + gamma * (1 - columns))


def numpy_activation_profile(student, teacher, weight):
    units, width = student.shape[1], teacher.shape[1]
    sum_of_squares = 0
    for s, t in zip(student, teacher):
        pooled = numpy.array([t[j * width // units : -(-(j + 1) * width // units)].mean() for j in range(units)])
        sum_of_squares += ((s / numpy.linalg.norm(s) - pooled / numpy.linalg.norm(pooled)) ** 2).sum()
    return weight * sum_of_squares / student.size


def write_batch_terms():
    about = "Terms on whole batches, and their gradients in what the student gives."
    header = Header("batch_term_golden.hpp", about, "batch_term")
    numbers = Numbers(5)
    samples, student_width, teacher_width, classes = 6, 4, 7, 5
    features = numbers(samples, student_width, low=-2, high=2), numbers(samples, teacher_width, low=-2, high=2)
    logits = numbers(samples, classes, low=-3, high=3), numbers(samples, classes, low=-4, high=4)
    for name in ("samples", "student_width", "teacher_width", "classes"):
        header.count(name, locals()[name])
    header.values("student", features[0])
    header.values("teacher", features[1])
    header.values("student_logits", logits[0])
    header.values("teacher_logits", logits[1])

    def case(name, term, check, of, **settings):
        student = of[0].clone().requires_grad_()
        value = term(student, of[1], **settings)
        value.backward()
        again = check(of[0].numpy(), of[1].numpy(), **settings)
        assert abs(again - value.item()) < 1e-11 * max(1.0, abs(again)), (name, again, value.item())
        header.comment(f"{term.__name__}({', '.join(f'{key}={number}' for key, number in settings.items())})")
        header.values(f"{name}_value", value.reshape(1))
        header.values(f"{name}_gradient", student.grad)

    case("similarity_preserving", similarity_preserving, numpy_similarity_preserving, features, weight=3000.0)
    case("distances", relational, numpy_relational, features, distance_weight=25.0, angle_weight=0.0)
    case("angles", relational, numpy_relational, features, distance_weight=0.0, angle_weight=50.0)
    case("dist", dist, numpy_dist, logits, temperature=1.0, beta=1.0, gamma=1.0)
    case("dist_softened", dist, numpy_dist, logits, temperature=4.0, beta=2.0, gamma=0.5)
    case("activation_profile", activation_profile, numpy_activation_profile, features, weight=1000.0)
    header.write()


# --- Optimizers and schedules -----------------------------------------------------------------------------------------


def write_optimizers():
    header = Header("optimizer_golden.hpp", "Five steps of each optimizer; schedules.", "optimizer")
    numbers = Numbers(2)
    steps, size = 5, 7
    initial = numbers(size)
    # Large, ordinary, tiny and vanishing gradients, and one that changes its sign.
    gradients = numbers(steps, size) * torch.tensor([100.0, 1.0, 1.0, 1e-4, 0.0, 1.0, 1.0])
    gradients[:, 5] = torch.tensor([0.5, -0.5, 0.25, -0.25, 0.125])
    header.count("steps", steps)
    header.count("size", size)
    header.values("initial", initial)
    header.values("gradients", gradients)

    def case(name, optimizer_type, **options):
        parameter = torch.nn.Parameter(initial.clone())
        optimizer = optimizer_type([parameter], **options)
        history = []
        for gradient in gradients:
            parameter.grad = gradient.clone()
            optimizer.step()
            history.append(parameter.detach().clone())
        header.comment(f"{optimizer_type.__name__}({', '.join(f'{key}={value}' for key, value in options.items())})")
        header.values(name, torch.stack(history))

    sgd, adam, adamw = torch.optim.SGD, torch.optim.Adam, torch.optim.AdamW
    case("sgd", sgd, lr=0.05)
    case("sgd_weight_decay", sgd, lr=0.05, weight_decay=0.01)
    case("sgd_momentum", sgd, lr=0.05, momentum=0.9)
    case("sgd_nesterov", sgd, lr=0.05, momentum=0.9, nesterov=True)
    case("sgd_nesterov_weight_decay", sgd, lr=0.05, momentum=0.9, nesterov=True, weight_decay=0.01)
    case("adam", adam, lr=2e-4, betas=(0.5, 0.999), eps=1e-8)
    case("adam_large_epsilon", adam, lr=0.05, betas=(0.9, 0.99), eps=0.1)
    case("adam_weight_decay", adam, lr=0.05, betas=(0.9, 0.999), weight_decay=0.1)
    case("adamw", adamw, lr=0.05, betas=(0.9, 0.999), weight_decay=0.1)

    def schedule(name, count, make):
        """The factors of `count` steps, each followed by one call of the scheduler's step."""
        optimizer = sgd([torch.nn.Parameter(torch.zeros(1))], lr=1.0)
        scheduler = make(optimizer)
        factors = []
        for _ in range(count):
            factors.append(optimizer.param_groups[0]["lr"])
            optimizer.step()
            scheduler.step()
        header.values(name, torch.tensor(factors))

    scheduler = torch.optim.lr_scheduler
    header.comment("StepLR(step_size=3, gamma=0.5), factor of each of 10 epochs")
    schedule("step_schedule", 10, lambda o: scheduler.StepLR(o, 3, 0.5))
    header.comment("CosineAnnealingLR(T_max=20, eta_min=0.1), factor of each of 20 steps")
    schedule("cosine_schedule", 20, lambda o: scheduler.CosineAnnealingLR(o, 20, 0.1))
    header.comment("LinearLR(start_factor=1/6, total_iters=5), then CosineAnnealingLR(T_max=15): 20 steps")
    schedule(
        "warmup_cosine_schedule",
        20,
        lambda o: scheduler.SequentialLR(
            o, [scheduler.LinearLR(o, 1 / 6, 1.0, 5), scheduler.CosineAnnealingLR(o, 15)], milestones=[5]
        ),
    )
    header.write()


# --- Training ---------------------------------------------------------------------------------------------------------


def write_training():
    header = Header("training_golden.hpp", "Two steps of training a 6-5-4-3 network on one batch.", "training")
    numbers = Numbers(3)
    sizes = [6, 5, 4, 3]
    batch = 4
    tensors = []
    for fan_in, fan_out in zip(sizes, sizes[1:]):
        tensors += [numbers(fan_out, fan_in), numbers(fan_out, low=-0.5, high=0.5)]
    inputs = numbers(batch, sizes[0], low=-2, high=2)
    labels = torch.tensor([2, 0, 1, 2])
    teacher = numbers(batch, sizes[-1], low=-5, high=5)
    header.comment("Linear<6, 5>, ReLU, Linear<5, 4>, ReLU, Linear<4, 3>. Parameters in PyTorch's order:")
    header.lines += [
        "// 0.weight (5, 6), 0.bias (5), 2.weight (4, 5), 2.bias (4), 4.weight (3, 4), 4.bias (3). The same",
        "// batch twice; losses and gradients are means over it, each taken before its step.",
    ]
    header.count("batch", batch)
    header.count("inputs_per_sample", sizes[0])
    header.count("classes", sizes[-1])
    header.count("parameter_count", sum(tensor.numel() for tensor in tensors))

    def flat(parts):
        return torch.cat([part.detach().reshape(-1) for part in parts])

    def make_network():
        network = torch.nn.Sequential(
            torch.nn.Linear(6, 5), torch.nn.ReLU(), torch.nn.Linear(5, 4), torch.nn.ReLU(), torch.nn.Linear(4, 3)
        )
        with torch.no_grad():
            for parameter, tensor in zip(network.parameters(), tensors):
                parameter.copy_(tensor)
        return network

    header.values("initial_parameters", flat(tensors))
    header.values("inputs", inputs)
    header.values("labels", labels, kind="std::uint32_t")
    header.values("teacher_logits", teacher)
    network = make_network()
    hidden = network[1](network[0](inputs))
    active = [(hidden > 0).double().mean().item(), (network[3](network[2](hidden)) > 0).double().mean().item()]
    assert all(0.25 < share < 0.9 for share in active), f"uninteresting network: active units {active}"
    header.values("initial_logits", network(inputs))

    def case(name, about, loss_of, **options):
        network = make_network()
        optimizer = torch.optim.Adam(network.parameters(), **options)
        header.comment(f"{about}, Adam({', '.join(f'{key}={value}' for key, value in options.items())})")
        losses = []
        for step in (1, 2):
            optimizer.zero_grad()
            loss = loss_of(network(inputs))
            loss.backward()
            losses.append(loss.item())
            header.values(f"{name}_gradients{step}", flat([parameter.grad for parameter in network.parameters()]))
            optimizer.step()
            header.values(f"{name}_parameters{step}", flat(network.parameters()))
        header.values(f"{name}_losses", torch.tensor(losses))
        header.values(f"{name}_final_logits", network(inputs))

    case(
        "cross_entropy",
        "Cross-entropy",
        lambda logits: functional.cross_entropy(logits, labels),
        lr=2e-4,
        betas=(0.5, 0.999),
    )
    case(
        "hinton",
        "Hinton's loss with T = 4 and hard weight 0.3",
        lambda logits: hinton(logits, teacher, labels, 4.0, 0.3),
        lr=2e-4,
        betas=(0.5, 0.999),
    )
    header.write()


# --- Layers -----------------------------------------------------------------------------------------------------------


def write_layers():
    header = Header("layer_golden.hpp", "Layers forward and backward, with non-trivial incoming gradients.", "layer")
    numbers = Numbers(4)

    values = numbers(12, low=-3, high=3)
    values[0], values[1], values[2] = -20.0, 20.0, 1e-3
    incoming = numbers(12)
    header.comment("Elementwise layers: y = f(x) and dL/dx for the incoming gradient dL/dy.")
    header.count("elementwise_size", len(values))
    header.values("elementwise_input", values)
    header.values("elementwise_incoming", incoming)
    for name, function in {
        "relu": functional.relu,
        "leaky_relu": lambda x: functional.leaky_relu(x, 0.01),
        "gelu": functional.gelu,
        "gelu_tanh": lambda x: functional.gelu(x, approximate="tanh"),
        "silu": functional.silu,
        "tanh": torch.tanh,
        "sigmoid": torch.sigmoid,
    }.items():
        x = values.clone().requires_grad_()
        y = function(x)
        y.backward(incoming)
        header.values(f"{name}_output", y)
        header.values(f"{name}_gradient", x.grad)

    batch, features = 4, 5
    x = numbers(batch, features, low=-2, high=3)
    weight, bias = numbers(features, low=0.5, high=1.5), numbers(features)
    incoming = numbers(batch, features)
    header.comment("Normalisation layers: input, weight, bias and incoming gradient are shared; epsilon 1e-5.")
    header.count("norm_batch", batch)
    header.count("norm_features", features)
    header.values("norm_input", x)
    header.values("norm_weight", weight)
    header.values("norm_bias", bias)
    header.values("norm_incoming", incoming)

    def prepared(layer):
        with torch.no_grad():
            layer.weight.copy_(weight)
            layer.bias.copy_(bias)
        return layer

    def forward_backward(name, layer, x):
        layer.zero_grad()
        x = x.clone().requires_grad_()
        y = layer(x)
        y.backward(incoming)
        header.values(f"{name}_output", y)
        header.values(f"{name}_input_gradient", x.grad)
        header.values(f"{name}_weight_gradient", layer.weight.grad)
        header.values(f"{name}_bias_gradient", layer.bias.grad)

    header.comment("LayerNorm(5)")
    forward_backward("layer_norm", prepared(torch.nn.LayerNorm(features)), x)

    header.comment("BatchNorm1d(5), momentum 0.1: one training step from running mean 0 and variance 1,")
    header.lines.append("// then evaluation on the same input with the running statistics that step left.")
    layer = prepared(torch.nn.BatchNorm1d(features)).train()
    forward_backward("batch_norm", layer, x)
    header.values("batch_norm_running_mean", layer.running_mean)
    header.values("batch_norm_running_variance", layer.running_var)
    header.values("batch_norm_evaluation_output", layer.eval()(x))
    header.write()


if __name__ == "__main__":
    write_losses()
    write_target_losses()
    write_batch_terms()
    write_optimizers()
    write_training()
    write_layers()
