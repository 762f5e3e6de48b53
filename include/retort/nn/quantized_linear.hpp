// SPDX-License-Identifier: MIT
#pragma once
/// @file
/// The fully connected layer whose weights and inputs are rounded as integer arithmetic will round them.

#include <array>
#include <cstddef>
#include <string>
#include <string_view>

#include "retort/core/instruction_set.hpp"
#include "retort/core/text.hpp"
#include "retort/nn/layer.hpp"
#include "retort/nn/linear.hpp"
#include "retort/nn/weight_format.hpp"

namespace retort::inline RETORT_INSTRUCTION_SET {

/// Where a QuantizedLinear stands in its model.
struct QuantizedPlace {
  bool first = false;  ///< its inputs are the model's, which are bytes in the data and need no rounding
  bool table = false;  ///< what follows it is looked up by its rounded output, for there is more than ReLU
};

/// A Linear with weights of few bits and inputs of 8, as an integer program computes it (Jacob et al.,
/// arXiv:1712.05877): each weight is rounded to one of 2 P::largest + 1 steps of its row, each input to one of 256
/// steps of `input_range`. Forward passes, in training and outside of it, use the rounded numbers; backward passes take
/// the rounding as the identity, within the range of the inputs and as 0 beyond it (the straight-through estimator;
/// Bengio, Léonard and Courville, arXiv:1308.3432). The parameters stay real numbers, named and laid out as those of
/// Linear. A training step moves the ranges by `momentum` towards the least and the largest value of its batch; the
/// first one takes them. The range of the first layer's inputs only grows.
///
/// Quantized (quantization/quantized.hpp) makes a model of such layers. Backends with the operations of backend/generic
/// run it by single operations; include backend/generic/quantized_linear.hpp.
template <std::size_t In, std::size_t Out, WeightFormat P, QuantizedPlace Place = QuantizedPlace{},
          Bias bias = Bias::yes>
struct QuantizedLinear {
  using Float = Linear<In, Out, bias>;
  using format_type = P;

  static constexpr std::string_view name = "QuantizedLinear";
  static constexpr bool has_bias = Float::has_bias;
  static constexpr QuantizedPlace place = Place;
  static constexpr double momentum = 0.01;
  static constexpr std::size_t input_size = In;
  static constexpr std::size_t output_size = Out;
  static constexpr std::size_t flops = Float::flops;

  static constexpr auto parameters = Float::parameters;
  /// The least and the largest value, (2) each; both 0 until a training or `quantize` finds them.
  static constexpr std::array buffers{TensorSpec{"input_range", {2}, 1, InitialValue::zero, 2, 2},
                                      TensorSpec{"output_range", {2}, 1, InitialValue::zero, 2, 2}};

  static std::string describe() {
    return concatenate({name, "(", In, ", ", Out, ", ", P::name, Place.first ? ", first" : "",
                        Place.table ? ", table" : "", has_bias ? ")" : ", bias=False)"});
  }
};

}  // namespace retort::inline RETORT_INSTRUCTION_SET
