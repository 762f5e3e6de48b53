// SPDX-License-Identifier: MIT
#pragma once
/// @file
/// A model's forward and backward pass on one batch, for the tests of layers and backends.

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <span>
#include <vector>

#include "random_values.hpp"
#include "retort/backend/arguments.hpp"
#include "retort/backend/eigen/backend.hpp"
#include "retort/backend/generic/run_model.hpp"
#include "retort/core/aligned_buffer.hpp"
#include "retort/nn/network.hpp"

namespace retort::test {

/// The learned tensors behind one another, without the arena's padding.
template <typename N>
std::vector<typename N::scalar_type> packed_parameters(const N& network) {
  std::vector<typename N::scalar_type> values;
  for (std::size_t i = 0; i < N::model_type::parameters.size(); ++i) {
    const auto tensor = network.parameter(i);
    values.insert(values.end(), tensor.begin(), tensor.end());
  }
  return values;
}

template <typename N, typename Values>
void set_packed_parameters(N& network, const Values& values) {
  std::size_t at = 0;
  for (std::size_t i = 0; i < N::model_type::parameters.size(); ++i) {
    for (auto& value : network.parameter(i)) {
      value = static_cast<typename N::scalar_type>(values[at++]);
    }
  }
}

/// Memory aligned as an arena's: sums over a row may run in another order elsewhere.
template <typename Scalar>
AlignedBuffer<Scalar> aligned_copy(const std::vector<Scalar>& values) {
  AlignedBuffer<Scalar> buffer(values.size());
  std::ranges::copy(values, buffer.data());
  return buffer;
}

/// Gradients in the order of the packed parameters, and of the inputs.
template <typename Scalar>
struct Gradients {
  std::vector<Scalar> parameters;
  std::vector<Scalar> inputs;
};

/// A network whose parameters are all random (those that normalisation layers begin with at 0 and 1 too), and the
/// memory of its passes. Memory that a pass must fill begins as NaN.
template <Model M, typename Scalar = double>
class TrainingPass {
 public:
  static constexpr Scalar garbage = std::numeric_limits<Scalar>::quiet_NaN();

  explicit TrainingPass(std::size_t batch, unsigned threads = 1, std::size_t spare_capacity = 0)
      : network(Seed{1}, backend::Eigen{threads}),
        batch_(batch),
        capacity_(batch + spare_capacity),
        activations_(aligned_copy(std::vector<Scalar>(internal::activation_arena_size<M>(capacity_), garbage))),
        scratch_(aligned_copy(std::vector<Scalar>(backend::pass_scratch_size<M>(capacity_), garbage))) {
    set_packed_parameters(network, random_values<Scalar>(M::parameter_count, 11, 0.25, 1.0));
    auto signs = random_values<Scalar>(M::parameter_count, 12);
    auto values = packed_parameters(network);
    for (std::size_t i = 0; i < values.size(); ++i) {
      values[i] = signs[i] < 0 ? -values[i] : values[i];
    }
    set_packed_parameters(network, values);
  }

  std::vector<Scalar> forward(const std::vector<Scalar>& inputs) {
    const AlignedBuffer<Scalar> aligned_inputs = aligned_copy(inputs);
    const Scalar* logits = internal::run_forward<M>(
        network.backend(),
        backend::ForwardArguments<Scalar>{network.parameter_arena().data(), network.buffer_arena().data(),
                                          aligned_inputs.data(), activations_.data(), batch_, random},
        capacity_);
    return {logits, logits + batch_ * M::output_size};
  }

  /// After forward with the same inputs.
  Gradients<Scalar> backward(const std::vector<Scalar>& inputs, const std::vector<Scalar>& logits_gradient,
                             bool with_inputs = true) {
    const AlignedBuffer<Scalar> aligned_inputs = aligned_copy(inputs);
    const AlignedBuffer<Scalar> aligned_gradient = aligned_copy(logits_gradient);
    auto arena = aligned_copy(std::vector<Scalar>(M::parameter_arena_size, garbage));
    auto input_gradient = aligned_copy(std::vector<Scalar>(with_inputs ? inputs.size() : 0, garbage));
    Gradients<Scalar> result;
    internal::run_backward<M>(
        network.backend(),
        backend::BackwardArguments<Scalar>{.parameters = network.parameter_arena().data(),
                                           .input = aligned_inputs.data(),
                                           .output = activations_.data(),
                                           .output_gradient = aligned_gradient.data(),
                                           .input_gradient = with_inputs ? input_gradient.data() : nullptr,
                                           .parameter_gradients = arena.data(),
                                           .batch = batch_,
                                           .random = random,
                                           .buffers = network.buffer_arena().data()},
        capacity_, scratch_.data());
    result.inputs.assign(input_gradient.span().begin(), input_gradient.span().end());
    for (const TensorInfo& tensor : M::parameters) {
      const auto values = arena.span().subspan(tensor.offset, tensor.count());
      result.parameters.insert(result.parameters.end(), values.begin(), values.end());
    }
    return result;
  }

  Network<M, backend::Eigen, Scalar> network;
  backend::LayerRandom random{Seed{5}, 3};

 private:
  std::size_t batch_;
  std::size_t capacity_;
  AlignedBuffer<Scalar> activations_;
  AlignedBuffer<Scalar> scratch_;
};

}  // namespace retort::test
