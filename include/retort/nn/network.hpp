// SPDX-License-Identifier: MIT
#pragma once
/// @file
/// A model with its numbers: owns the parameters and answers questions.

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>

#include "retort/core/aligned_buffer.hpp"
#include "retort/core/error.hpp"
#include "retort/core/instruction_set.hpp"
#include "retort/core/out_of_memory.hpp"
#include "retort/core/philox.hpp"
#include "retort/core/text.hpp"
#include "retort/nn/initialization.hpp"
#include "retort/nn/preprocessing.hpp"
#include "retort/nn/sequential.hpp"

namespace retort::inline RETORT_INSTRUCTION_SET::backend {

class Eigen;
template <typename Scalar>
struct InferArguments;

}  // namespace retort::inline RETORT_INSTRUCTION_SET::backend

namespace retort::inline RETORT_INSTRUCTION_SET::internal {

// What a network does whatever its model, so that it is compiled once for all models.

template <typename Scalar, typename Backend>
typename Backend::template Buffer<Scalar> allocate_arena(const Backend& backend, std::size_t size) {
  return allocate_for("parameters of a network", size * sizeof(Scalar),
                      [&] { return backend.template allocate<Scalar>(size); });
}

/// `values`, in the backend's memory, for the host.
template <typename Scalar, typename Backend>
AlignedBuffer<Scalar> copy_of_arena(const Backend& backend, const Scalar* values, std::size_t size) {
  auto copy =
      allocate_for("copy of a network's parameters", 0, [&] { return AlignedBuffer<Scalar>::uninitialized(size); });
  copy_to_host(backend, values, copy.span());
  return copy;
}

template <typename Scalar>
AlignedBuffer<Scalar> initial_values(std::span<const TensorInfo> tensors, std::size_t size, Seed seed,
                                     Initialization initialization) {
  auto arena = allocate_for("initial values of a network", 0, [&] { return AlignedBuffer<Scalar>(size); });
  std::uint32_t index = 0;
  for (const TensorInfo& tensor : tensors) {
    initialize_tensor(initialization, tensor.spec, seed, index++, arena.data() + tensor.offset);
  }
  return arena;
}

}  // namespace retort::inline RETORT_INSTRUCTION_SET::internal

namespace retort::inline RETORT_INSTRUCTION_SET {

/// A model's parameters (and running statistics), each in one aligned arena in the memory of a backend. A network that
/// was moved from has neither: it can be destroyed and assigned to; everything else throws Error.
///
/// `predict` is const and may be called from several threads at once; it never applies dropout. Include the backend's
/// headers with this one (retort.hpp includes those of the default backend).
template <Model M, typename Backend = backend::Eigen, typename Scalar = float>
class Network {
 public:
  using model_type = M;
  using scalar_type = Scalar;
  static constexpr std::size_t input_size = M::input_size;
  static constexpr std::size_t output_size = M::output_size;

  /// Equal seeds and initialisations give equal parameters, on every backend. Throws OutOfMemoryError, on a device
  /// DeviceError.
  explicit Network(Seed seed, Backend backend = Backend{}, Initialization initialization = Initialization::pytorch)
      : backend_(std::move(backend)),
        parameters_(internal::allocate_arena<Scalar>(backend_, M::parameter_arena_size)),
        buffers_(internal::allocate_arena<Scalar>(backend_, M::buffer_arena_size)) {
    initialize(seed, initialization);
  }

  /// Fills parameters and running statistics again, and forgets the preprocessing.
  void initialize(Seed seed, Initialization initialization = Initialization::pytorch);

  const Backend& backend() const { return backend_; }

  /// Throws Error if the network was moved from.
  void require_values() const {
    if (parameters_.size() != M::parameter_arena_size || buffers_.size() != M::buffer_arena_size) {
      throw_moved_from();
    }
  }

  /// Copies of the whole arenas for the host, laid out by M::parameters and M::buffers, with zeros between the tensors.
  AlignedBuffer<Scalar> copy_parameters() const { return copy_of(parameters_); }
  AlignedBuffer<Scalar> copy_buffers() const { return copy_of(buffers_); }

  /// Takes over an arena with that layout. Throws ShapeError for another size.
  void assign_parameters(std::span<const Scalar> values) { assign(parameters_, values, "parameters"); }
  void assign_buffers(std::span<const Scalar> values) { assign(buffers_, values, "buffers"); }

  /// How its inputs are made from raw features, if that is known: `fit` notes it, files keep it, and a dataset with
  /// other inputs is refused. Set it to nothing for a network that is to take any. Setting throws OptionError for
  /// values that no file of this model may hold (Preprocessing::validate).
  const std::optional<Preprocessing>& preprocessing() const { return preprocessing_; }
  void set_preprocessing(std::optional<Preprocessing> preprocessing) {
    if (preprocessing) {
      preprocessing->validate(input_size, output_size);
    }
    preprocessing_ = std::move(preprocessing);
  }

  /// The arenas in the backend's memory, for its operations.
  Scalar* parameter_data() { return parameters_.data(); }
  const Scalar* parameter_data() const { return parameters_.data(); }
  Scalar* buffer_data() { return buffers_.data(); }
  const Scalar* buffer_data() const { return buffers_.data(); }

  /// For backends that compute in the host's memory: the arenas themselves, and in them tensor `index` of M::parameters
  /// or M::buffers, row-major.
  std::span<Scalar> parameter_arena() { return host_span(parameters_); }
  std::span<const Scalar> parameter_arena() const { return host_span(parameters_); }
  std::span<Scalar> buffer_arena() { return host_span(buffers_); }
  std::span<const Scalar> buffer_arena() const { return host_span(buffers_); }
  std::span<Scalar> parameter(std::size_t index) { return tensor(M::parameters[index], parameter_arena()); }
  std::span<const Scalar> parameter(std::size_t index) const { return tensor(M::parameters[index], parameter_arena()); }
  std::span<Scalar> buffer(std::size_t index) { return tensor(M::buffers[index], buffer_arena()); }
  std::span<const Scalar> buffer(std::size_t index) const { return tensor(M::buffers[index], buffer_arena()); }

  /// logits (batch, out) of inputs (batch, in), both row-major, in the host's memory. The backend's threads share
  /// blocks of samples; results do not depend on their number. Where the backend has products for small batches, or for
  /// the last few samples, these may differ from the same samples in a larger batch in their last bits. If the backend
  /// computes in the host's memory, allocates nothing once each thread has answered a batch as large. Throws ShapeError
  /// if the inputs are not whole samples or the logits are not as many samples.
  void predict(std::span<const Scalar> inputs, std::span<Scalar> logits) const;

  /// The same for a hidden layer: outputs (batch, M::widths[Layer + 1]) of layer `Layer`, from 0. It may not be one of
  /// the pointwise layers before the first sized one.
  template <std::size_t Layer>
  void predict_layer(std::span<const Scalar> inputs, std::span<Scalar> outputs) const {
    static_assert(Layer < M::layer_count, "retort: predict_layer<Layer>: the model has no such layer");
    using Part = FirstLayers<M, Layer + 1>;
    constexpr std::size_t width = Part::output_size;
    constexpr std::string_view what = Layer + 1 == M::layer_count ? " logits" : " outputs of the layer";
    require_values();
    if (inputs.size() % input_size != 0 || outputs.size() != inputs.size() / input_size * width) {
      throw ShapeError(
          concatenate({"predict: ", inputs.size(), " inputs and ", outputs.size(), what,
                       ", expected a whole number of samples of ", input_size, " inputs and ", width, what}));
    }
    answer<Part>(inputs, outputs, [&](const auto& arguments) {
      if constexpr (requires { predict_samples(backend_, Part{}, arguments); }) {
        predict_samples(backend_, Part{}, arguments);
      } else {
        predict_batch(backend_, Part{}, arguments);
      }
    });
  }

  /// The logits of one sample by the backend's products for batches, as a teacher in a training answers: a program that
  /// only trains and saves compiles no others. A backend that rounds batches more than samples answers as `predict`.
  std::array<Scalar, output_size> predict_as_batch(std::span<const Scalar, input_size> input) const {
    if constexpr (requires { requires Backend::rounds_batches; }) {
      return predict(input);
    }
    require_values();
    std::array<Scalar, output_size> logits;
    answer<M>(input, std::span<Scalar>(logits),
              [&](const auto& arguments) { predict_batch(backend_, M{}, arguments); });
    return logits;
  }

  /// The logits of one sample.
  std::array<Scalar, output_size> predict(std::span<const Scalar, input_size> input) const {
    std::array<Scalar, output_size> logits;
    predict(std::span<const Scalar>(input), std::span<Scalar>(logits));
    return logits;
  }

  /// The class of one sample: the index of its largest logit, among equals the first.
  std::size_t classify(std::span<const Scalar, input_size> input) const {
    const auto logits = predict(input);
    return static_cast<std::size_t>(std::max_element(logits.begin(), logits.end()) - logits.begin());
  }

 private:
  using Arena = typename Backend::template Buffer<Scalar>;

  [[noreturn, gnu::cold, gnu::noinline]] static void throw_moved_from() {
    throw Error("network: its parameters were moved to another network, expected one that still has its own");
  }

  template <typename Span>
  Span tensor(const TensorInfo& info, Span arena) const {
    require_values();
    return info.in(arena);
  }

  template <typename A>
  static auto host_span(A& arena) {
    static_assert(Backend::host_memory,
                  "retort: this backend's memory is not the host's; use copy_parameters and assign_parameters, "
                  "copy_buffers and assign_buffers");
    return arena.span();
  }

  /// Has `ask(arguments)` compute outputs (batch, Part::output_size) of inputs (batch, in), both in the host's memory.
  template <Model Part, typename Ask>
  void answer(std::span<const Scalar> inputs, std::span<Scalar> outputs, const Ask& ask) const {
    const std::size_t batch = inputs.size() / input_size;
    if constexpr (Backend::host_memory) {
      ask(backend::InferArguments<Scalar>{parameter_data(), buffer_data(), inputs.data(), outputs.data(), batch});
    } else if (batch > 0) {
      auto backend_inputs = backend_.template allocate<Scalar>(inputs.size());
      auto backend_outputs = backend_.template allocate<Scalar>(outputs.size());
      copy_from_host(backend_, inputs, backend_inputs.data());
      ask(backend::InferArguments<Scalar>{parameter_data(), buffer_data(), backend_inputs.data(),
                                          backend_outputs.data(), batch});
      copy_to_host(backend_, std::as_const(backend_outputs).data(), outputs);
    }
  }

  AlignedBuffer<Scalar> copy_of(const Arena& arena) const {
    require_values();
    return internal::copy_of_arena(backend_, arena.data(), arena.size());
  }

  void assign(Arena& arena, std::span<const Scalar> values, const char* what) {
    require_values();
    if (values.size() != arena.size()) {
      throw ShapeError(concatenate({what, ": ", values.size(), " values, expected an arena of ", arena.size()}));
    }
    copy_from_host(backend_, values, arena.data());
  }

  Backend backend_;
  Arena parameters_;
  Arena buffers_;
  std::optional<Preprocessing> preprocessing_{};
};

// Not inline, so that an explicit instantiation elsewhere (extern.hpp) spares a file these functions.

template <Model M, typename Backend, typename Scalar>
void Network<M, Backend, Scalar>::initialize(Seed seed, Initialization initialization) {
  preprocessing_.reset();
  assign_parameters(
      internal::initial_values<Scalar>(M::parameters, M::parameter_arena_size, seed, initialization).span());
  assign_buffers(internal::initial_values<Scalar>(M::buffers, M::buffer_arena_size, seed, initialization).span());
}

template <Model M, typename Backend, typename Scalar>
void Network<M, Backend, Scalar>::predict(std::span<const Scalar> inputs, std::span<Scalar> logits) const {
  predict_layer<M::layer_count - 1>(inputs, logits);
}

}  // namespace retort::inline RETORT_INSTRUCTION_SET
