// SPDX-License-Identifier: MIT
// A model of few bits with a layer that has no integer form; the message names its index.
// expect: integer_form::layer<1
// expect: retort: Quantized<Model>: a layer has no integer form

#include "retort/nn/layer_norm.hpp"
#include "retort/nn/linear.hpp"
#include "retort/nn/relu.hpp"
#include "retort/quantization/quantized.hpp"

using Student = retort::Sequential<retort::Linear<8, 4>, retort::LayerNorm<4>, retort::ReLU, retort::Linear<4, 2>>;

static_assert(retort::Quantized<Student, retort::Int8>::layer_count == 4);
