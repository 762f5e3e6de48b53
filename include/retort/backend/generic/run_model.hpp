// SPDX-License-Identifier: MIT
#pragma once
/// @file
/// A model's operations run one after another on a backend: outside of training, and forward and backward in a training
/// step. The operations are the backend's, found by argument-dependent lookup.
///
/// A backend may compute a sized layer and the Chain behind it together, by the two overloads that FusesInfer and
/// FusesForward look for; where it has none, one follows the other.

#include <array>
#include <cstddef>
#include <cstdint>

#include "retort/backend/arguments.hpp"
#include "retort/backend/plan.hpp"
#include "retort/core/instruction_set.hpp"
#include "retort/nn/sequential.hpp"

namespace retort::inline RETORT_INSTRUCTION_SET {

namespace detail {

/// `infer(backend, layer, chain, width, arguments)`: the output is the chain's; the layer's own is not kept.
template <typename B, typename L, typename C, typename Width, typename Scalar>
concept FusesInfer = requires(const B& backend, const backend::InferArguments<Scalar>& arguments) {
  infer(backend, L{}, C{}, Width{}, arguments);
};

/// `forward(backend, layer, chain, width, arguments, chain_output)`: both outputs are kept. The chain's first layer is
/// the one behind arguments.random.layer.
template <typename B, typename L, typename C, typename Width, typename Scalar>
concept FusesForward = requires(const B& backend, const backend::ForwardArguments<Scalar>& arguments,
                                Scalar* chain_output) { forward(backend, L{}, C{}, Width{}, arguments, chain_output); };

/// Whether operation Index of a plan is a sized layer with a Chain behind it.
template <typename Plan, std::size_t Index>
constexpr bool is_followed_by_chain() {
  if constexpr (Index + 1 < Plan::size) {
    return !Plan::template is_chain<Index> && Plan::template is_chain<Index + 1>;
  } else {
    return false;
  }
}

template <typename Plan, std::size_t Index, typename B, typename Scalar>
constexpr bool fuses_infer() {
  if constexpr (is_followed_by_chain<Plan, Index>()) {
    return FusesInfer<B, typename Plan::template Operation<Index>, typename Plan::template Operation<Index + 1>,
                      typename Plan::template InputWidth<Index>, Scalar>;
  } else {
    return false;
  }
}

template <typename Plan, std::size_t Index, typename B, typename Scalar>
constexpr bool fuses_forward() {
  if constexpr (is_followed_by_chain<Plan, Index>()) {
    return FusesForward<B, typename Plan::template Operation<Index>, typename Plan::template Operation<Index + 1>,
                        typename Plan::template InputWidth<Index>, Scalar>;
  } else {
    return false;
  }
}

}  // namespace detail

/// Elements of scratch for run_inference and run_backward of `batch` samples: two matrices of the widest layer.
template <Model M>
constexpr std::size_t pass_scratch_size(std::size_t batch) {
  return 2 * aligned_extent(batch * backend::Plan<M>::widest);
}

/// logits (batch, out) = model(input (batch, in)). `scratch` holds pass_scratch_size(batch) elements.
template <Model M, typename Backend, typename Scalar>
void run_inference(const Backend& backend, const Scalar* parameters, const Scalar* buffers, const Scalar* input,
                   Scalar* logits, std::size_t batch, Scalar* scratch) {
  using Plan = backend::Plan<M>;
  const std::array<Scalar*, 2> halves{scratch, scratch + aligned_extent(batch * Plan::widest)};
  const Scalar* current = input;
  bool done = false;  // by the operation before, together with its own work
  backend::for_each_index<Plan::size>([&]<std::size_t Index>() {
    if (done) {
      done = false;
      return;
    }
    constexpr bool fused = detail::fuses_infer<Plan, Index, Backend, Scalar>();
    constexpr std::size_t last = Index + (fused ? 1 : 0);
    // An operation writes the half that does not hold its input; the last one writes the logits.
    Scalar* output = last + 1 == Plan::size ? logits : current == halves[0] ? halves[1] : halves[0];
    const backend::InferArguments<Scalar> arguments{parameters + M::parameter_offset(Plan::first_layer[Index]),
                                                    buffers + M::buffer_offset(Plan::first_layer[Index]), current,
                                                    output, batch};
    using Operation = typename Plan::template Operation<Index>;
    using Width = typename Plan::template InputWidth<Index>;
    if constexpr (fused) {
      infer(backend, Operation{}, typename Plan::template Operation<Index + 1>{}, Width{}, arguments);
      done = true;
    } else {
      infer(backend, Operation{}, Width{}, arguments);
    }
    current = output;
  });
}

/// The activations of a training step lie behind one another: operation i's output at output_offset(i) for `batch`
/// samples.
template <Model M>
constexpr std::size_t output_offset(std::size_t operation, std::size_t batch) {
  std::size_t offset = 0;
  for (std::size_t i = 0; i < operation; ++i) {
    offset += aligned_extent(backend::Plan<M>::widths[i + 1] * batch);
  }
  return offset;
}

/// Elements of the activation arena for batches of up to `batch` samples.
template <Model M>
constexpr std::size_t activation_arena_size(std::size_t batch) {
  return output_offset<M>(backend::Plan<M>::size, batch);
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
  using Plan = backend::Plan<M>;
  const Scalar* current = input;
  bool done = false;  // by the operation before, together with its own work
  backend::for_each_index<Plan::size>([&]<std::size_t Index>() {
    Scalar* output = activations + output_offset<M>(Index, capacity);
    if (!done) {
      using Operation = typename Plan::template Operation<Index>;
      using Width = typename Plan::template InputWidth<Index>;
      const backend::ForwardArguments<Scalar> arguments{parameters + M::parameter_offset(Plan::first_layer[Index]),
                                                        buffers + M::buffer_offset(Plan::first_layer[Index]),
                                                        current,
                                                        output,
                                                        batch,
                                                        random.layer(Plan::first_layer[Index])};
      if constexpr (detail::fuses_forward<Plan, Index, Backend, Scalar>()) {
        forward(backend, Operation{}, typename Plan::template Operation<Index + 1>{}, Width{}, arguments,
                activations + output_offset<M>(Index + 1, capacity));
        done = true;
      } else {
        forward(backend, Operation{}, Width{}, arguments);
      }
    } else {
      done = false;
    }
    current = output;
  });
  return current;
}

/// Leaves gradients as they are.
struct NothingAdded {
  template <std::size_t Index, typename Scalar>
  void operator()(Scalar* /*gradient*/) const {}
};

/// Fills `parameter_gradients` from logits_gradient (batch, out), after run_forward with the same arguments. Operations
/// before the first that learns are left out; `input_gradient` (batch, in), where it is not null, asks for them all.
/// `scratch` holds pass_scratch_size(batch) elements. `add.operator()<Index>(gradient)` may add to the gradient (batch, out)
/// in what a hidden operation `Index` gave.
template <Model M, typename Backend, typename Scalar, typename Add = NothingAdded>
void run_backward(const Backend& backend, const Scalar* parameters, const Scalar* input, const Scalar* activations,
                  const Scalar* logits_gradient, Scalar* parameter_gradients, Scalar* scratch, std::size_t batch,
                  std::size_t capacity, StepRandom random, Scalar* input_gradient = nullptr, const Add& add = {}) {
  using Plan = backend::Plan<M>;
  const std::array<Scalar*, 2> halves{scratch, scratch + aligned_extent(batch * Plan::widest)};
  const Scalar* output_gradient = logits_gradient;
  backend::for_each_index_reversed<Plan::size>([&]<std::size_t Index>() {
    if (Index < Plan::first_trained && input_gradient == nullptr) {
      return;
    }
    if constexpr (Index + 1 < Plan::size) {
      add.template operator()<Index>(halves[(Index + 1) % 2]);  // where the operation behind left it
    }
    const bool needs_input_gradient = Index > Plan::first_trained || input_gradient != nullptr;
    Scalar* operation_input_gradient = Index == 0 ? input_gradient : needs_input_gradient ? halves[Index % 2] : nullptr;
    const Scalar* operation_input = input;
    if constexpr (Index > 0) {
      operation_input = activations + output_offset<M>(Index - 1, capacity);
    }
    constexpr std::size_t layer = Plan::first_layer[Index];
    backward(backend, typename Plan::template Operation<Index>{}, typename Plan::template InputWidth<Index>{},
             backend::BackwardArguments<Scalar>{
                 parameters + M::parameter_offset(layer), operation_input,
                 activations + output_offset<M>(Index, capacity), output_gradient, operation_input_gradient,
                 parameter_gradients + M::parameter_offset(layer), batch, random.layer(layer)});
    output_gradient = operation_input_gradient;
  });
}

}  // namespace retort::inline RETORT_INSTRUCTION_SET
