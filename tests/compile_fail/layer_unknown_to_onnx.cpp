// SPDX-License-Identifier: MIT
// A layer of one's own that does not say what it is in ONNX.
// expect: retort: export_onnx knows the library's layers; one of your own needs a function static std::string

#include <string_view>

#include "retort/backend/eigen/backend.hpp"
#include "retort/io/export_onnx.hpp"

struct Twice {
  static constexpr std::string_view name = "Twice";

  static float value(float x) { return x + x; }
  static float derivative(float, float) { return 2.0f; }
};

using Model = retort::Sequential<retort::Linear<8, 4>, Twice>;

void write(const retort::Network<Model>& network) { retort::io::export_onnx(network, "twice.onnx"); }
