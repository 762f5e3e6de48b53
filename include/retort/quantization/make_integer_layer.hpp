// SPDX-License-Identifier: MIT
#pragma once
/// @file
/// The integers of a QuantizedLinear, from its numbers and the ranges before and behind it.

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <limits>
#include <span>
#include <string_view>
#include <type_traits>
#include <vector>

#include "retort/core/error.hpp"
#include "retort/core/float_bits.hpp"
#include "retort/core/instruction_set.hpp"
#include "retort/core/text.hpp"
#include "retort/nn/layer.hpp"
#include "retort/nn/sequential.hpp"
#include "retort/nn/weight_format.hpp"
#include "retort/quantization/fixed_point.hpp"
#include "retort/quantization/integer_layer.hpp"
#include "retort/quantization/quantized.hpp"

namespace retort::inline RETORT_INSTRUCTION_SET::detail {

/// What an integer stands for: step * (integer - zero), plus `offset`.
struct IntegerScale {
  double step;
  double offset;  // of the model's inputs, where no whole number stands for 0
  std::int32_t zero;
  std::int32_t most;  // the largest integer
};

/// One QuantizedLinear's numbers.
template <typename Scalar>
struct QuantizedTensors {
  std::string_view layer;  // "0"
  std::span<const Scalar> weights;
  std::span<const Scalar> bias;  // (outputs), or none
};

[[noreturn, gnu::cold, gnu::noinline]] inline void throw_no_integers(std::string_view layer, std::size_t output,
                                                                     std::string_view reason) {
  throw Error(concatenate({"integers: layer ", layer, ", output ", output, ": ", reason}));
}

/// The steps of a row's weights beside its bias, in steps of the inputs. A bias of more than 30 bits takes coarser
/// ones: what the weights lose then is less than a byte of the layer's outputs shows.
template <WeightFormat P, typename Scalar>
internal::WeightSteps<Scalar> steps_beside(const internal::WeightSteps<Scalar>& steps, double bias) {
  const auto least = static_cast<Scalar>(std::abs(bias) * 0x1p-30);
  if (!(least > steps.step)) {
    return steps;
  }
  constexpr Scalar smallest = std::numeric_limits<Scalar>::min();
  return {least > smallest ? 1 / least : Scalar{0}, least};
}

/// The layer from inputs in integers to bytes on the scale `to`. Throws Error for sums that 32 bits may not hold, and
/// for a factor that is no fraction.
template <WeightFormat P, typename Scalar>
internal::IntegerLayer integer_layer(const QuantizedTensors<Scalar>& of, const IntegerScale& from,
                                     const internal::ByteScale<Scalar>& to, std::size_t inputs, std::size_t outputs) {
  internal::IntegerLayer layer{.inputs = inputs, .outputs = outputs};
  layer.zero = static_cast<std::int32_t>(to.zero);
  for (std::size_t output = 0; output < outputs; ++output) {
    const Scalar* row = of.weights.data() + output * inputs;
    const double own_bias = of.bias.empty() ? 0.0 : static_cast<double>(of.bias[output]);
    const auto steps = steps_beside<P>(internal::weight_steps<P>(row, inputs), own_bias / from.step);
    std::int64_t sum = 0;
    std::int64_t magnitude = 0;
    for (std::size_t i = 0; i < inputs; ++i) {
      const auto weight = static_cast<std::int8_t>(steps.template round<P>(row[i]));
      layer.weights.push_back(weight);
      sum += weight;
      magnitude += std::abs(int{weight});
    }
    const auto step = static_cast<double>(steps.step);
    if (step == 0.0) {  // neither weights nor a bias
      layer.biases.push_back(0);
      layer.factors.push_back({});
      continue;
    }
    const double bias = own_bias + from.offset * step * static_cast<double>(sum);
    const double bias_steps = bias / (step * from.step) - static_cast<double>(from.zero * sum);
    const double factor = step * from.step / static_cast<double>(to.step);
    // With room for the byte that is added. Programs take sums of 4-bit weights, without the bias, times 16.
    const double products = static_cast<double>(magnitude * from.most);
    if (!(std::abs(bias_steps) + products < 0x1p31 - 512 && (P::bits == 8 || 16 * products < 0x1p31 - 512))) {
      throw_no_integers(of.layer, output, "its sum may exceed 32 bits, expected a smaller bias or fewer inputs");
    }
    if (!(factor < 1 - 0x1p-32)) {
      throw_no_integers(of.layer, output,
                        concatenate({"the step of its sum is ", factor,
                                     " times that of the layer's outputs, expected less than 1: their range is too "
                                     "narrow for its weights and bias"}));
    }
    layer.biases.push_back(static_cast<std::int32_t>(std::llround(bias_steps)));
    layer.factors.push_back(internal::fixed_point(factor));
  }
  return layer;
}

/// What a byte on the scale `from` becomes by the pointwise layers behind layer Index, on the scale `to`.
template <Model M, std::size_t Index, typename Scalar>
std::vector<std::uint8_t> table_behind(const internal::ByteScale<Scalar>& from, const internal::ByteScale<Scalar>& to) {
  std::vector<std::uint8_t> table(256);
  for (std::size_t byte = 0; byte < table.size(); ++byte) {
    Scalar value = from.value(static_cast<Scalar>(byte));
    for_each_pointwise_behind<M, Index>([&]<typename L>(std::type_identity<L> /*layer*/) {
      if constexpr (ElementwiseLayer<L>) {
        value = static_cast<Scalar>(L::value(value));
      }
    });
    const Scalar result = to.byte(value);
    if (!is_finite(result)) {
      throw Error(concatenate({"integers: the activation behind layer ", Index, " gives ", value, " for ",
                               from.value(static_cast<Scalar>(byte)), ", expected a number"}));
    }
    table[byte] = static_cast<std::uint8_t>(result);
  }
  return table;
}

}  // namespace retort::inline RETORT_INSTRUCTION_SET::detail
