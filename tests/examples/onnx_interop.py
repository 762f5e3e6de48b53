#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""onnx_interop.py FOLDER DIGITS PROGRAMS TOOLS

Networks of every layer as ONNX: onnx's checker and its inference of shapes accept them, onnxruntime computes the
library's logits from raw features, and the metadata are there. Exits with 77 (skipped) where onnx, onnxruntime or NumPy
is missing.
"""

import json
import pathlib
import shutil
import subprocess
import sys

try:
    import numpy as np
    import onnx
    import onnxruntime
except ImportError as error:
    print(f"skipped: {error}")
    sys.exit(77)

CLASSES = ["zero", "one", "\u00e9", '"three"', "4", "5", "6", "7", "8", "9"]


def check_structure(name, path):
    onnx.checker.check_model(str(path), full_check=True)
    model = onnx.shape_inference.infer_shapes(onnx.load(path), check_type=True, strict_mode=True)
    assert [(each.domain, each.version) for each in model.opset_import] == [("", 17)], model.opset_import
    # Every value's first extent is the batch's.
    for value in model.graph.value_info:
        extents = value.type.tensor_type.shape.dim
        assert extents[0].dim_param == "batch", f"{name}: {value}"
    metadata = {each.key: each.value for each in model.metadata_props}
    assert metadata["description"] == model.doc_string == "of every layer", metadata
    assert metadata["retort.model"].startswith("AvgPool2d(2x4x6, 2), Linear(12, 16), BatchNorm(16), GELU"), metadata
    if name == "columns":
        assert json.loads(metadata["class_names"]) == CLASSES, metadata
    else:
        assert "class_names" not in metadata, metadata


def check_logits(name, path, inputs, expected):
    session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    (taken,), (given,) = session.get_inputs(), session.get_outputs()
    assert (taken.name, taken.shape) == ("input", ["batch", inputs.shape[1]]), taken
    assert taken.type == ("tensor(uint8)" if name == "bytes" else "tensor(float)"), taken
    assert (given.name, given.shape, given.type) == ("logits", ["batch", expected.shape[1]], "tensor(float)"), given
    largest = np.abs(expected).max()
    for size in (len(inputs), 1, 2):
        logits = session.run(["logits"], {"input": inputs[:size]})[0]
        assert logits.shape == expected[:size].shape, logits.shape
        difference = np.abs(logits - expected[:size]).max() / largest
        print(f"{name}, batch of {size}: logits up to {largest:.3g} differ by at most {difference:.2g} of that")
        assert difference <= 1e-5, f"{name}: logits differ by {difference}, expected at most 1e-5 of the largest"


def main():
    folder, _, _, tools = map(pathlib.Path, sys.argv[1:])
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    subprocess.run([tools / "write_onnx", folder], check=True)
    print(f"onnx {onnx.__version__}, onnxruntime {onnxruntime.__version__}")
    for name in ("plain", "bytes", "columns"):
        path = folder / f"{name}.onnx"
        check_structure(name, path)
        expected = np.load(folder / f"{name}_logits.npy")
        assert np.ptp(expected, axis=0).min() > 0.01, f"{name}: the logits hardly depend on the inputs"
        check_logits(name, path, np.load(folder / f"{name}_inputs.npy"), expected)
    shutil.rmtree(folder)


if __name__ == "__main__":
    main()
