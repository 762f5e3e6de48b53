// SPDX-License-Identifier: MIT
#pragma once
/// @file
/// A network as a list of steps in floating-point numbers, with its normalisation in the first Linear where it can be.

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include "retort/backend/plan.hpp"
#include "retort/core/error.hpp"
#include "retort/core/instruction_set.hpp"
#include "retort/core/text.hpp"
#include "retort/io/c_code/c_expression.hpp"
#include "retort/nn/avg_pool2d.hpp"
#include "retort/nn/batch_norm.hpp"
#include "retort/nn/layer.hpp"
#include "retort/nn/layer_norm.hpp"
#include "retort/nn/linear.hpp"
#include "retort/nn/network.hpp"
#include "retort/nn/preprocessing.hpp"
#include "retort/nn/relu.hpp"
#include "retort/nn/sequential.hpp"
#include "retort/quantization/folded.hpp"

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
  std::size_t columns = 0;  // of an image
  std::size_t square = 0;
  std::string expression{};
  bool needs_math = false;
  bool is_relu = false;
  double (*function)(double) = nullptr;
};

/// Steps, and how raw inputs become those of the first: (x - centers[i]) * factors[i], with one entry for all or one
/// for each; none where the first Linear takes raw bytes, or sums of a square of them.
struct FloatSteps {
  std::size_t inputs = 0;
  std::size_t outputs = 0;
  bool bytes = false;
  std::vector<float> centers{};
  std::vector<float> factors{};
  std::vector<FloatStep> steps{};

  bool takes_raw() const { return centers.empty(); }
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

/// The step of layer Index. Throws Error for one that has no form in C.
template <Model M, std::size_t Index, typename Scalar>
FloatStep float_step(const Scalar* parameters, const Scalar* buffers) {
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
      step.columns = L::columns;
      step.square = L::square;
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
  throw Error(concatenate({"export_c: layer ", Index, " (", L::name,
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

/// The steps of a network whose BatchNorm layers are folded. Throws Error for a network that does not know how its
/// inputs are made, and for a layer that has no form in C.
template <Model M, typename Backend, typename Scalar>
FloatSteps float_steps(const Network<M, Backend, Scalar>& network) {
  if (!network.preprocessing()) {
    throw Error(
        "export_c: the network does not know how its inputs are made, expected one that was trained, or read from a "
        "file that says so (Network::preprocessing)");
  }
  const Preprocessing& from = *network.preprocessing();
  const auto parameters = network.copy_parameters();
  const auto buffers = network.copy_buffers();
  FloatSteps result{.inputs = M::input_size, .outputs = M::output_size, .bytes = from.bytes};
  internal::for_each_index<M::layer_count>([&]<std::size_t Index>() {
    if constexpr (!DropoutLayer<typename M::template LayerAt<Index>>) {
      result.steps.push_back(float_step<M, Index>(parameters.data() + M::parameter_offset(Index),
                                                  buffers.data() + M::buffer_offset(Index)));
    }
  });
  const bool pools = result.steps[0].kind == FloatStep::Kind::mean;
  const std::size_t first = pools ? 1 : 0;
  if (from.bytes && from.column_means.empty() && first < result.steps.size() &&
      result.steps[first].kind == FloatStep::Kind::linear) {
    fold_normalization(from, pools ? result.steps[0].square * result.steps[0].square : 1, result.steps[first]);
    return result;
  }
  const double unit = from.bytes ? 255.0 : 1.0;
  const bool by_columns = !from.column_means.empty();
  for (std::size_t i = 0; i < (by_columns ? M::input_size : 1); ++i) {
    const double deviation = by_columns ? from.column_deviations[i] : 1.0;
    const double mean = by_columns ? from.column_means[i] : 0.0;
    result.centers.push_back(static_cast<float>(mean + from.mean * unit * deviation));
    result.factors.push_back(static_cast<float>(1 / (from.standard_deviation * unit * deviation)));
  }
  return result;
}

}  // namespace retort::inline RETORT_INSTRUCTION_SET::io::detail
