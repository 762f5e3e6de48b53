#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The cells in onnxruntime that predict, with float32 on the CPU and OMP_NUM_THREADS threads: inputs and outputs bound in
its own memory. It has no training here."""

import os

import cells

numpy, onnx, onnxruntime = cells.import_or_exit(["numpy", "onnx", "onnxruntime"], "onnxruntime onnx")

NOTES = ("onnxruntime predicts only; it is asked from Python by IO binding, which adds a few microseconds to each answer")
OPSET = 20  # Gelu's


class Graph:
    """Nodes in a row, each with its tensors."""

    def __init__(self):
        self.generator = numpy.random.default_rng(0)
        self.nodes, self.tensors, self.last = [], [], "inputs"

    def add(self, operation, *values, **attributes):
        names = [f"{operation}{len(self.nodes)}_{index}" for index in range(len(values))]
        self.tensors += [onnx.numpy_helper.from_array(value.astype(numpy.float32), name)
                         for value, name in zip(values, names)]
        output = f"{operation}{len(self.nodes)}"
        self.nodes.append(onnx.helper.make_node(operation, [self.last, *names], [output], **attributes))
        self.last = output

    def add_linear(self, inputs, outputs):
        bound = inputs**-0.5
        self.add("Gemm", self.generator.uniform(-bound, bound, (inputs, outputs)), numpy.zeros(outputs))

    def add_layer(self, layer, width):
        ones, zeros = numpy.ones(width), numpy.zeros(width)
        if layer == "ReLU":
            self.add("Relu")
        elif layer == "GELU":
            self.add("Gelu")
        elif layer == "LayerNorm":
            self.add("LayerNormalization", ones, zeros, epsilon=1e-5)
        elif layer == "BatchNorm":
            # Not 0 and 1, with which it would do nothing and could be left out.
            self.add("BatchNormalization", ones, zeros, zeros + 0.1, ones * 0.9, epsilon=1e-5)
        elif layer != "Dropout":  # which does nothing outside of training
            raise ValueError(f"cells.txt has a layer '{layer}' that onnxruntime_cells.py lacks")

    def serialize(self, batch):
        shape = onnx.helper.make_tensor_value_info
        graph = onnx.helper.make_graph(
            self.nodes, "cell", [shape("inputs", onnx.TensorProto.FLOAT, [batch, cells.FEATURES])],
            [shape(self.last, onnx.TensorProto.FLOAT, [batch, cells.CLASSES])], self.tensors)
        model = onnx.helper.make_model(graph, opset_imports=[onnx.helper.make_opsetid("", OPSET)])
        model.ir_version = 9  # OPSET's: onnx's own may be newer than onnxruntime takes
        return model.SerializeToString()


def make_model(name, batch):
    hidden, width = cells.model_layers(name)
    graph = Graph()
    for inputs in (cells.FEATURES, width):
        graph.add_linear(inputs, width)
        for layer in hidden:
            graph.add_layer(layer, width)
    graph.add_linear(width, cells.CLASSES)
    return graph.serialize(batch)


def benchmark_of(cell):
    if cell.kind != "predict":
        return None
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = int(os.environ.get("OMP_NUM_THREADS", 1))
    session = onnxruntime.InferenceSession(make_model(cell.model, cell.batch), options,
                                           providers=["CPUExecutionProvider"])
    inputs = numpy.random.default_rng(1).uniform(-1, 1, (cell.batch, cells.FEATURES)).astype(numpy.float32)
    binding = session.io_binding()
    binding.bind_ortvalue_input("inputs", onnxruntime.OrtValue.ortvalue_from_numpy(inputs))
    outputs = numpy.zeros((cell.batch, cells.CLASSES), numpy.float32)
    binding.bind_ortvalue_output(session.get_outputs()[0].name, onnxruntime.OrtValue.ortvalue_from_numpy(outputs))
    return lambda: session.run_with_iobinding(binding)


if __name__ == "__main__":
    cells.main(f"onnxruntime {onnxruntime.__version__}", NOTES, benchmark_of)
