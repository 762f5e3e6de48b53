#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""onnxruntime_one.py FOLDER: nanoseconds of one answer by onnxruntime, of FOLDER/student.onnx to FOLDER/images in turns.

One thread; inputs and outputs are bound before, so that a call does nothing but run. Prints the median of 21 times of
640 answers. The call comes from Python, which adds to the time of the runtime's own. Exits with 77 where onnxruntime or
the file is missing.
"""

import pathlib
import statistics
import sys
import time

try:
    import numpy as np
    import onnxruntime
except ImportError as error:
    print(f"onnxruntime: {error}; left out (python3 -m pip install onnxruntime)", file=sys.stderr)
    sys.exit(77)


def main():
    folder = pathlib.Path(sys.argv[1])
    if not (folder / "student.onnx").exists():
        print("onnxruntime: no student.onnx, this build has no ONNX; left out", file=sys.stderr)
        sys.exit(77)
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    session = onnxruntime.InferenceSession(str(folder / "student.onnx"), options, providers=["CPUExecutionProvider"])
    images = np.fromfile(folder / "images", dtype=np.uint8).reshape(-1, 1, 784)
    bindings = []
    for image in images:
        binding = session.io_binding()
        binding.bind_cpu_input("input", image)
        binding.bind_ortvalue_output("logits", onnxruntime.OrtValue.ortvalue_from_shape_and_type([1, 10], np.float32))
        bindings.append(binding)
    times = []
    for _ in range(22):
        begin = time.perf_counter_ns()
        for _ in range(640 // len(bindings)):
            for binding in bindings:
                session.run_with_iobinding(binding)
        times.append((time.perf_counter_ns() - begin) / 640)
    print(f"{statistics.median(times[1:]):.0f}")


if __name__ == "__main__":
    main()
