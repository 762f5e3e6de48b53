#pragma once
/// @file
/// A model's layers run one after another on a backend: outside of training, and forward and backward in a training
/// step. The operations are the backend's, found by argument-dependent lookup on the backend and the layer.

#include <array>
#include <cstddef>
#include <utility>

#include "retort/backend/arguments.hpp"
#include "retort/nn/sequential.hpp"

namespace retort {

namespace detail {

template <Model M, std::size_t Index>
using LayerWidth = backend::Width<M::widths[Index]>;

template <Model M>
constexpr std::size_t widest_layer() {
  std::size_t widest = 0;
  for (const std::size_t width : M::widths) {
    widest = widest > width ? widest : width;
  }
  return widest;
}

/// Calls function.template operator()<Index>() for Index = 0 ... layer_count - 1.
template <Model M, typename Function>
constexpr void for_each_layer(Function&& function) {
  [&]<std::size_t... Index>(std::index_sequence<Index...>) {
    (function.template operator()<Index>(), ...);
  }(std::make_index_sequence<M::layer_count>{});
}

/// The same, from the last layer to the first.
template <Model M, typename Function>
constexpr void for_each_layer_reversed(Function&& function) {
  [&]<std::size_t... Index>(std::index_sequence<Index...>) {
    (function.template operator()<M::layer_count - 1 - Index>(), ...);
  }(std::make_index_sequence<M::layer_count>{});
}

}  // namespace detail

/// Elements of scratch that run_inference needs for `batch` samples: two matrices of the widest layer.
template <Model M>
constexpr std::size_t inference_scratch_size(std::size_t batch) {
  return 2 * aligned_extent(batch * detail::widest_layer<M>());
}

/// logits (batch, out) = model(input (batch, in)). `scratch` holds inference_scratch_size(batch) elements.
template <Model M, typename Backend, typename Scalar>
void run_inference(const Backend& backend, const Scalar* parameters, const Scalar* buffers, const Scalar* input,
                   Scalar* logits, std::size_t batch, Scalar* scratch) {
  const std::array<Scalar*, 2> halves{scratch, scratch + aligned_extent(batch * detail::widest_layer<M>())};
  const Scalar* current = input;
  detail::for_each_layer<M>([&]<std::size_t Index>() {
    // A layer writes the half that does not hold its input; the last one writes the logits.
    Scalar* output = Index + 1 == M::layer_count ? logits : halves[Index % 2];
    infer(backend, typename M::template LayerAt<Index>{}, detail::LayerWidth<M, Index>{},
          backend::InferArguments<Scalar>{parameters + M::parameter_offset(Index), buffers + M::buffer_offset(Index),
                                          current, output, batch});
    current = output;
  });
}

/// The activations of a training step lie behind one another: layer i's output at output_offset(i) for `batch` samples.
template <Model M>
constexpr std::size_t output_offset(std::size_t layer, std::size_t batch) {
  std::size_t offset = 0;
  for (std::size_t i = 0; i < layer; ++i) {
    offset += aligned_extent(M::widths[i + 1] * batch);
  }
  return offset;
}

/// Elements of the activation arena for batches of up to `batch` samples.
template <Model M>
constexpr std::size_t activation_arena_size(std::size_t batch) {
  return output_offset<M>(M::layer_count, batch);
}

/// The seed and number of a training step, from which every dropout mask follows.
struct StepRandom {
  Seed seed;
  std::uint32_t step = 0;

  constexpr backend::LayerRandom layer(std::size_t index) const {
    return {seed, step, static_cast<std::uint32_t>(index)};
  }
};

/// Fills `activations` and returns the logits (batch, out) in it. `capacity` is the batch for which the arena was laid
/// out.
template <Model M, typename Backend, typename Scalar>
const Scalar* run_forward(const Backend& backend, const Scalar* parameters, Scalar* buffers, const Scalar* input,
                          Scalar* activations, std::size_t batch, std::size_t capacity, StepRandom random) {
  const Scalar* current = input;
  detail::for_each_layer<M>([&]<std::size_t Index>() {
    Scalar* output = activations + output_offset<M>(Index, capacity);
    forward(
        backend, typename M::template LayerAt<Index>{}, detail::LayerWidth<M, Index>{},
        backend::ForwardArguments<Scalar>{parameters + M::parameter_offset(Index), buffers + M::buffer_offset(Index),
                                          current, output, batch, random.layer(Index)});
    current = output;
  });
  return current;
}

/// Elements of the two matrices through which run_backward hands gradients down.
template <Model M>
constexpr std::size_t backward_scratch_size(std::size_t batch) {
  return 2 * aligned_extent(batch * detail::widest_layer<M>());
}

/// Fills `parameter_gradients` from logits_gradient (batch, out), after run_forward with the same arguments. Layers
/// before the first that learns are left out; `input_gradient` (batch, in), where it is not null, asks for them all.
template <Model M, typename Backend, typename Scalar>
void run_backward(const Backend& backend, const Scalar* parameters, const Scalar* input, const Scalar* activations,
                  const Scalar* logits_gradient, Scalar* parameter_gradients, Scalar* scratch, std::size_t batch,
                  std::size_t capacity, StepRandom random, Scalar* input_gradient = nullptr) {
  const std::array<Scalar*, 2> halves{scratch, scratch + aligned_extent(batch * detail::widest_layer<M>())};
  const Scalar* output_gradient = logits_gradient;
  detail::for_each_layer_reversed<M>([&]<std::size_t Index>() {
    if (Index < M::first_trained_layer && input_gradient == nullptr) {
      return;
    }
    const bool needs_input_gradient = Index > M::first_trained_layer || input_gradient != nullptr;
    Scalar* layer_input_gradient = Index == 0 ? input_gradient : needs_input_gradient ? halves[Index % 2] : nullptr;
    const Scalar* layer_input = input;
    if constexpr (Index > 0) {
      layer_input = activations + output_offset<M>(Index - 1, capacity);
    }
    backward(backend, typename M::template LayerAt<Index>{}, detail::LayerWidth<M, Index>{},
             backend::BackwardArguments<Scalar>{parameters + M::parameter_offset(Index), layer_input,
                                                activations + output_offset<M>(Index, capacity), output_gradient,
                                                layer_input_gradient, parameter_gradients + M::parameter_offset(Index),
                                                batch, random.layer(Index)});
    output_gradient = layer_input_gradient;
  });
}

}  // namespace retort
