#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The cells in JAX, with float32 on the CPU, or where JAX_PLATFORMS says: the same layers, loss and optimizer, each step
and each answer one compiled function. JAX takes as many threads as the process may use cores. What a step leaves out,
--notes says."""

import functools
import os

import cells

os.environ.setdefault("JAX_PLATFORMS", "cpu")
(jax,) = cells.import_or_exit(["jax"], "jax")
jnp = jax.numpy

NOTES = ("JAX takes a batch from normalised floats by its index, which is counted; not counted: normalising uint8 pixels, "
         "shuffling, adding up losses and hits, moving the images of online distillation")
RATE, BETA1, BETA2, EPSILON = 1e-3, 0.9, 0.999, 1e-8
TEMPERATURE, HARD_WEIGHT = 4.0, 0.1


def make_model(name, seed=0):
    """The layers' names, and their parameters and running statistics: a list with an item a layer each."""
    hidden, width = cells.model_layers(name)
    layers = ["Linear", *hidden, "Linear", *hidden, "Linear"]
    sizes = iter([(cells.FEATURES, width), (width, width), (width, cells.CLASSES)])
    key = jax.random.key(seed)
    parameters, statistics = [], []
    for index, layer in enumerate(layers):
        values, running = (), ()
        if layer == "Linear":
            inputs, outputs = next(sizes)
            bound = inputs**-0.5
            values = (jax.random.uniform(jax.random.fold_in(key, index), (inputs, outputs), minval=-bound, maxval=bound),
                      jnp.zeros(outputs))
        elif layer in ("LayerNorm", "BatchNorm"):
            values = (jnp.ones(width), jnp.zeros(width))
            if layer == "BatchNorm":
                running = (jnp.zeros(width), jnp.ones(width))
        elif layer not in ("ReLU", "GELU", "Dropout"):
            raise ValueError(f"cells.txt has a layer '{layer}' that jax_cells.py lacks")
        parameters.append(values)
        statistics.append(running)
    return layers, parameters, statistics


def normalised(x, mean, variance, weight, bias):
    return (x - mean) * jax.lax.rsqrt(variance + 1e-5) * weight + bias


def forward(layers, parameters, statistics, x, key=None):
    """The logits and the new running statistics; a training's where there is a key for Dropout."""
    updated = []
    for index, (layer, values, running) in enumerate(zip(layers, parameters, statistics)):
        if layer == "Linear":
            x = x @ values[0] + values[1]
        elif layer == "ReLU":
            x = jax.nn.relu(x)
        elif layer == "GELU":
            x = jax.nn.gelu(x, approximate=False)
        elif layer == "LayerNorm":
            x = normalised(x, x.mean(1, keepdims=True), x.var(1, keepdims=True), *values)
        elif layer == "Dropout" and key is not None:
            x = jnp.where(jax.random.bernoulli(jax.random.fold_in(key, index), 0.5, x.shape), 2 * x, 0)
        elif layer == "BatchNorm" and key is not None:
            mean, variance = x.mean(0), x.var(0)
            unbiased = variance * (x.shape[0] / (x.shape[0] - 1))
            x = normalised(x, mean, variance, *values)
            running = (0.9 * running[0] + 0.1 * mean, 0.9 * running[1] + 0.1 * unbiased)
        elif layer == "BatchNorm":
            x = normalised(x, *running, *values)
        updated.append(running)
    return x, updated


def cross_entropy(logits, labels):
    return -jnp.take_along_axis(jax.nn.log_softmax(logits), labels[:, None], 1).mean()


def hinton_loss(logits, teacher, labels):
    soft = jax.nn.log_softmax(teacher / TEMPERATURE)
    divergence = (jnp.exp(soft) * (soft - jax.nn.log_softmax(logits / TEMPERATURE))).sum(1).mean()
    return HARD_WEIGHT * cross_entropy(logits, labels) + (1 - HARD_WEIGHT) * TEMPERATURE**2 * divergence


def adam(parameters, gradients, first, second, step):
    first = jax.tree.map(lambda m, g: BETA1 * m + (1 - BETA1) * g, first, gradients)
    second = jax.tree.map(lambda v, g: BETA2 * v + (1 - BETA2) * g * g, second, gradients)
    rate, correction = RATE / (1 - BETA1**step), 1 - BETA2**step
    parameters = jax.tree.map(lambda p, m, v: p - rate * m / (jnp.sqrt(v / correction) + EPSILON), parameters, first,
                              second)
    return parameters, first, second


@functools.cache
def data_of(samples):
    images, labels, order = jax.random.split(jax.random.key(0), 3)
    return (jax.random.uniform(images, (samples, cells.FEATURES), minval=-1.0),
            jax.random.randint(labels, (samples,), 0, cells.CLASSES), jax.random.permutation(order, samples))


def training(cell, model, loss_of):
    """An iteration is an epoch; loss_of(logits, inputs, labels, samples) is one batch's."""
    images, labels, order = data_of(cell.samples)
    layers, parameters, statistics = make_model(model)
    zeros = functools.partial(jax.tree.map, jnp.zeros_like)
    state = (parameters, statistics, zeros(parameters), zeros(parameters), jnp.zeros((), jnp.int32))

    @functools.partial(jax.jit, donate_argnums=0)
    def step(state, images, labels, order):
        parameters, statistics, first, second, count = state
        samples = jax.lax.dynamic_slice_in_dim(order, count % cell.steps * cell.batch, cell.batch)
        inputs = images[samples]
        key = jax.random.fold_in(jax.random.key(1), count)

        def loss(parameters):
            logits, updated = forward(layers, parameters, statistics, inputs, key)
            return loss_of(logits, inputs, labels[samples], samples), updated

        gradients, updated = jax.grad(loss, has_aux=True)(parameters)
        parameters, first, second = adam(parameters, gradients, first, second, count + 1.0)
        return parameters, updated, first, second, count + 1

    def epoch():
        nonlocal state
        for _ in range(cell.steps):
            state = step(state, images, labels, order)
        jax.block_until_ready(state)

    return epoch


def distillation(cell):
    layers, *values = make_model("Dropout-ReLU-1200", 1)

    @jax.jit
    def answer(inputs):
        return forward(layers, *values, inputs)[0]

    if cell.model == "online":
        return training(cell, "ReLU-20", lambda logits, inputs, labels, samples: hinton_loss(
            logits, answer(inputs), labels))
    table = answer(data_of(cell.samples)[0])
    return training(cell, "ReLU-20", lambda logits, inputs, labels, samples: hinton_loss(
        logits, table[samples], labels))


def prediction(cell):
    layers, *values = make_model(cell.model)
    inputs = jax.random.uniform(jax.random.key(0), (cell.batch, cells.FEATURES), minval=-1.0)
    answer = jax.jit(lambda values, inputs: forward(layers, *values, inputs)[0])
    return lambda: answer(values, inputs).block_until_ready()


def benchmark_of(cell):
    if cell.kind == "train":
        return training(cell, cell.model, lambda logits, inputs, labels, samples: cross_entropy(logits, labels))
    return prediction(cell) if cell.kind == "predict" else distillation(cell)


if __name__ == "__main__":
    cells.main(f"JAX {jax.__version__}", NOTES, benchmark_of)
