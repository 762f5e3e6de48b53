#pragma once
/// @file
/// A model with its numbers: owns the parameters and answers questions.

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <utility>

#include "retort/core/aligned_buffer.hpp"
#include "retort/core/error.hpp"
#include "retort/core/philox.hpp"
#include "retort/nn/initialization.hpp"
#include "retort/nn/sequential.hpp"

namespace retort {

namespace backend {
class Eigen;
}

/// A model's parameters (and running statistics) in one aligned arena each, on a backend.
///
/// `predict` is const and may be called from several threads at once; dropout cannot happen in it. Include the
/// backend's headers beside this one (retort.hpp includes those of the default).
template <Model M, typename Backend = backend::Eigen, typename Scalar = float>
class Network {
 public:
  using model_type = M;
  using backend_type = Backend;
  using scalar_type = Scalar;
  static constexpr std::size_t input_size = M::input_size;
  static constexpr std::size_t output_size = M::output_size;

  /// Equal seeds and initialisations give equal parameters, on every backend.
  explicit Network(Seed seed, Backend backend = Backend{}, Initialization initialization = Initialization::pytorch)
      : backend_(std::move(backend)), parameters_(M::parameter_arena_size), buffers_(M::buffer_arena_size) {
    initialize(seed, initialization);
  }

  /// Fills parameters and running statistics anew.
  void initialize(Seed seed, Initialization initialization = Initialization::pytorch) {
    for (std::size_t index = 0; index < M::parameters.size(); ++index) {
      initialize_tensor(initialization, M::parameters[index].spec, seed, static_cast<std::uint32_t>(index),
                        parameter(index).data());
    }
    for (std::size_t index = 0; index < M::buffers.size(); ++index) {
      initialize_tensor(initialization, M::buffers[index].spec, seed, static_cast<std::uint32_t>(index),
                        buffer(index).data());
    }
  }

  const Backend& backend() const { return backend_; }

  /// Tensor `index` of M::parameters, row-major.
  std::span<Scalar> parameter(std::size_t index) { return tensor(parameters_, M::parameters[index]); }
  std::span<const Scalar> parameter(std::size_t index) const { return tensor(parameters_, M::parameters[index]); }
  /// Tensor `index` of M::buffers.
  std::span<Scalar> buffer(std::size_t index) { return tensor(buffers_, M::buffers[index]); }
  std::span<const Scalar> buffer(std::size_t index) const { return tensor(buffers_, M::buffers[index]); }

  /// The whole arenas, laid out as M::parameters and M::buffers say, with zeros between the tensors.
  std::span<Scalar> parameter_arena() { return parameters_.span(); }
  std::span<const Scalar> parameter_arena() const { return parameters_.span(); }
  std::span<Scalar> buffer_arena() { return buffers_.span(); }
  std::span<const Scalar> buffer_arena() const { return buffers_.span(); }

  /// logits (batch, out) of inputs (batch, in), both row-major. Blocks of samples are shared among the backend's
  /// threads; the results do not depend on how many there are. A sample alone is a matrix-vector product and may differ
  /// from the same sample in a batch in its last bits. Allocates nothing once each thread has answered a batch as
  /// large. Throws ShapeError when the inputs are not whole samples or the logits are not as many samples.
  void predict(std::span<const Scalar> inputs, std::span<Scalar> logits) const {
    if (inputs.size() % input_size != 0 || logits.size() != inputs.size() / input_size * output_size) {
      throw ShapeError("predict: " + std::to_string(inputs.size()) + " inputs and " + std::to_string(logits.size()) +
                       " logits, expected a whole number of samples of " + std::to_string(input_size) + " inputs and " +
                       std::to_string(output_size) + " logits");
    }
    predict_batch(backend_, M{}, parameters_.data(), buffers_.data(), inputs.data(), logits.data(),
                  inputs.size() / input_size);
  }

  /// The logits of one sample.
  std::array<Scalar, output_size> predict(std::span<const Scalar, input_size> input) const {
    std::array<Scalar, output_size> logits;
    predict(std::span<const Scalar>(input), std::span<Scalar>(logits));
    return logits;
  }

  /// The class of one sample: the index of its largest logit, the first of equals.
  std::size_t classify(std::span<const Scalar, input_size> input) const {
    const auto logits = predict(input);
    return static_cast<std::size_t>(std::max_element(logits.begin(), logits.end()) - logits.begin());
  }

 private:
  template <typename Arena>
  static auto tensor(Arena& arena, const TensorInfo& info) {
    return arena.span().subspan(info.offset, info.count());
  }

  Backend backend_;
  AlignedBuffer<Scalar> parameters_;
  AlignedBuffer<Scalar> buffers_;
};

}  // namespace retort
