// SPDX-License-Identifier: MIT
#pragma once
/// @file
/// A network as a list of steps in floating-point numbers, with its normalisation in the first Linear where it can be.

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include "retort/backend/plan.hpp"
#include "retort/core/error.hpp"
#include "retort/core/float_bits.hpp"
#include "retort/core/instruction_set.hpp"
#include "retort/core/text.hpp"
#include "retort/io/c_code/c_expression.hpp"
#include "retort/nn/avg_pool2d.hpp"
#include "retort/nn/batch_norm.hpp"
#include "retort/nn/input_scales.hpp"
#include "retort/nn/layer.hpp"
#include "retort/nn/layer_norm.hpp"
#include "retort/nn/linear.hpp"
#include "retort/nn/network.hpp"
#include "retort/nn/preprocessing.hpp"
#include "retort/nn/relu.hpp"
#include "retort/nn/sequential.hpp"
#include "retort/quantization/folded.hpp"
#include "retort/quantization/integer_layer.hpp"

namespace retort::inline RETORT_INSTRUCTION_SET::io::detail {

/// One step. Linear: weights (outputs, inputs), bias (outputs) or none. Affine (a BatchNorm): x[i] * weights[i] +
/// bias[i]. Norm (a LayerNorm): the same after the row's mean and deviation. Mean (an AvgPool2d): of squares. Function:
/// an expression of each element.
struct FloatStep {
  enum class Kind { linear, affine, norm, mean, function };
  Kind kind = Kind::linear;
  std::size_t inputs = 0;
  std::size_t outputs = 0;
  std::vector<float> weights{};
  std::vector<float> bias{};
  float scale = 1.0f;  // of a Linear's products
  float epsilon = 0.0f;
  internal::Squares squares{};
  std::string expression{};
  bool needs_math = false;
  bool is_relu = false;
  double (*function)(double) = nullptr;
};

/// Steps, and how raw inputs become those of the first: no scales where the first Linear takes raw bytes, or sums of a
/// square of them.
struct FloatSteps {
  std::size_t inputs = 0;
  std::size_t outputs = 0;
  bool bytes = false;
  internal::InputScales scales{};
  std::vector<FloatStep> steps{};

  bool takes_raw() const { return scales.centers.empty(); }
};

template <typename L>
struct LayerStep {};
template <std::size_t In, std::size_t Out, Bias bias>
struct LayerStep<Linear<In, Out, bias>> {
  static constexpr FloatStep::Kind kind = FloatStep::Kind::linear;
};
template <std::size_t N>
struct LayerStep<BatchNorm<N>> {
  static constexpr FloatStep::Kind kind = FloatStep::Kind::affine;
};
template <std::size_t N>
struct LayerStep<LayerNorm<N>> {
  static constexpr FloatStep::Kind kind = FloatStep::Kind::norm;
};
template <typename S, std::size_t K>
struct LayerStep<AvgPool2d<S, K>> {
  static constexpr FloatStep::Kind kind = FloatStep::Kind::mean;
};

/// The step of layer Index. Throws Error for one that has no form in C: it is layer `index` to users.
template <Model M, std::size_t Index, typename Scalar>
FloatStep float_step(std::size_t index, const Scalar* parameters, const Scalar* buffers) {
  using L = typename M::template LayerAt<Index>;
  FloatStep step{.inputs = M::widths[Index], .outputs = M::widths[Index + 1]};
  const auto copy = [](const Scalar* from, std::size_t count) {
    std::vector<float> values(count);
    std::transform(from, from + count, values.begin(), [](Scalar value) { return static_cast<float>(value); });
    return values;
  };
  if constexpr (ElementwiseLayer<L>) {
    if constexpr (requires { CExpression<L>::text(); }) {
      step.kind = FloatStep::Kind::function;
      step.expression = CExpression<L>::text();
      step.needs_math = CExpression<L>::needs_math;
      step.is_relu = std::is_same_v<L, ReLU>;
      step.function = [](double x) { return static_cast<double>(L::value(static_cast<Scalar>(x))); };
      return step;
    }
  } else if constexpr (requires { LayerStep<L>::kind; }) {
    step.kind = LayerStep<L>::kind;
    if constexpr (L::parameters.size() > 0) {
      step.weights = copy(parameters, L::parameters[0].count());
    }
    if constexpr (L::parameters.size() > 1) {
      step.bias = copy(parameters + tensor_offset(L::parameters, 1), L::output_size);
    }
    if constexpr (requires { L::square; }) {
      step.squares = {L::columns, L::square};
    }
    if constexpr (LayerStep<L>::kind == FloatStep::Kind::norm) {
      step.epsilon = static_cast<float>(L::epsilon);
    }
    if constexpr (LayerStep<L>::kind == FloatStep::Kind::affine) {
      const Scalar* variance = buffers + tensor_offset(L::buffers, 1);
      for (std::size_t i = 0; i < L::output_size; ++i) {
        const double factor =
            static_cast<double>(parameters[i]) / std::sqrt(static_cast<double>(variance[i]) + L::epsilon);
        step.weights[i] = static_cast<float>(factor);
        step.bias[i] = static_cast<float>(static_cast<double>(parameters[tensor_offset(L::parameters, 1) + i]) -
                                          static_cast<double>(buffers[i]) * factor);
      }
    }
    return step;
  }
  throw Error(concatenate({"export_c: layer ", index, " (", L::name,
                           ") has no form in C, expected a layer of the library, or a specialisation of "
                           "retort::io::CExpression"}));
}

/// Puts (x - mean) / deviation of bytes, or of sums of `area` of them, into a Linear's scale and bias: the weights stay
/// those of the network.
[[gnu::cold]] inline void fold_normalization(const Preprocessing& from, std::size_t area, FloatStep& linear) {
  linear.scale = static_cast<float>(1 / (255 * from.standard_deviation * static_cast<double>(area)));
  const double offset = -from.mean / from.standard_deviation;
  linear.bias.resize(linear.outputs);
  for (std::size_t output = 0; output < linear.outputs; ++output) {
    double sum = 0.0;
    for (std::size_t i = 0; i < linear.inputs; ++i) {
      sum += double{linear.weights[output * linear.inputs + i]};
    }
    linear.bias[output] = static_cast<float>(double{linear.bias[output]} + offset * sum);
  }
}

/// Throws Error unless float holds all numbers of a layer's step.
[[gnu::cold]] inline void require_finite(const FloatStep& step, std::size_t index, std::string_view layer) {
  const auto is_number = [](float value) { return is_finite(value); };
  if (!std::ranges::all_of(step.weights, is_number) || !std::ranges::all_of(step.bias, is_number) ||
      !is_finite(step.scale) || step.scale < std::numeric_limits<float>::min()) {
    throw Error(concatenate({"export_c: layer ", index, " (", layer,
                             "): a number is beyond float's range, expected numbers that float holds, with the inputs' "
                             "mean and deviation in the first layer"}));
  }
}

/// The steps of a network of M without BatchNorm layers. Throws Error for a network that does not know how its inputs
/// are made, for a layer that has no form in C, and for numbers that are not finite as floats.
template <Model M, typename Backend, typename Scalar>
FloatSteps float_steps(const Network<Folded<M>, Backend, Scalar>& network) {
  using F = Folded<M>;
  if (!network.preprocessing()) {
    throw Error(
        "export_c: the network does not know how its inputs are made, expected one that was trained, or read from a "
        "file that says so (Network::preprocessing)");
  }
  const Preprocessing& from = *network.preprocessing();
  const auto parameters = network.copy_parameters();
  const auto buffers = network.copy_buffers();
  FloatSteps result{.inputs = F::input_size, .outputs = F::output_size, .bytes = from.bytes};
  std::vector<std::size_t> layers;  // of the steps
  internal::for_each_index<F::layer_count>([&]<std::size_t Index>() {
    if constexpr (!DropoutLayer<typename F::template LayerAt<Index>>) {
      layers.push_back(internal::unfolded_index<M>(Index));
      result.steps.push_back(float_step<F, Index>(layers.back(), parameters.data() + F::parameter_offset(Index),
                                                  buffers.data() + F::buffer_offset(Index)));
    }
  });
  const std::size_t pools = !result.steps.empty() && result.steps[0].kind == FloatStep::Kind::mean ? 1 : 0;
  if (from.bytes && from.column_means.empty() && pools < result.steps.size() &&
      result.steps[pools].kind == FloatStep::Kind::linear) {
    fold_normalization(from, pools > 0 ? result.steps[0].squares.area() : 1, result.steps[pools]);
  } else {
    result.scales = internal::input_scales(from, F::input_size, 1.0);
  }
  for (std::size_t i = 0; i < layers.size(); ++i) {
    require_finite(result.steps[i], layers[i], M::layer_names[layers[i]]);
  }
  return result;
}

}  // namespace retort::inline RETORT_INSTRUCTION_SET::io::detail
