// SPDX-License-Identifier: MIT
#pragma once
/// @file
/// Runs a model's operations one after another on a backend: outside of training, and forward and backward in a
/// training step, with the arguments that a single layer takes. The operations are the backend's, found by
/// argument-dependent lookup.
///
/// A backend may compute a sized layer and the Chain after it together, by the two overloads that FusesInfer and
/// FusesForward look for; else one follows the other.

#include <array>
#include <cstddef>
#include <type_traits>

#include "retort/backend/arguments.hpp"
#include "retort/backend/plan.hpp"
#include "retort/core/instruction_set.hpp"
#include "retort/nn/sequential.hpp"

namespace retort::inline RETORT_INSTRUCTION_SET::backend {

/// `infer(backend, layer, chain, width, arguments)`: the output is the chain's; the layer's own is not kept.
template <typename B, typename L, typename C, typename Width, typename Scalar>
concept FusesInfer =
    !std::is_same_v<C, Chain<>> && requires(const B& backend, const InferArguments<Scalar>& arguments) {
      infer(backend, L{}, C{}, Width{}, arguments);
    };

/// `forward(backend, layer, chain, width, arguments, chain_output)`: both outputs are kept. The chain's first layer is
/// the one after arguments.random.layer.
template <typename B, typename L, typename C, typename Width, typename Scalar>
concept FusesForward = !std::is_same_v<C, Chain<>> &&
                       requires(const B& backend, const ForwardArguments<Scalar>& arguments, Scalar* chain_output) {
                         forward(backend, L{}, C{}, Width{}, arguments, chain_output);
                       };

/// Elements of scratch for run_inference and run_backward of `batch` samples: two matrices of the widest layer.
template <Model M>
constexpr std::size_t pass_scratch_size(std::size_t batch) {
  return 2 * internal::aligned_extent(batch * Plan<M>::widest);
}

/// output (batch, out) = model(input (batch, in)). `scratch` holds pass_scratch_size(batch) elements.
template <Model M, typename Backend, typename Scalar>
void run_inference(const Backend& backend, const InferArguments<Scalar>& arguments, Scalar* scratch) {
  using Plan = backend::Plan<M>;
  const std::array<Scalar*, 2> halves{scratch, scratch + internal::aligned_extent(arguments.batch * Plan::widest)};
  const Scalar* current = arguments.input;
  bool done = false;  // the operation before has done this one too
  internal::for_each_index<Plan::size>([&]<std::size_t Index>() {
    if (done) {
      done = false;
      return;
    }
    using Operation = typename Plan::template Operation<Index>;
    using Width = typename Plan::template InputWidth<Index>;
    using Behind = ChainAt<Plan, Index + 1>;
    constexpr bool fused = FusesInfer<Backend, Operation, Behind, Width, Scalar>;
    constexpr std::size_t last = Index + (fused ? 1 : 0);
    // An operation writes to the half that does not hold its input; the last one writes to the output.
    Scalar* output = last + 1 == Plan::size ? arguments.output : current == halves[0] ? halves[1] : halves[0];
    const InferArguments<Scalar> of_operation{arguments.parameters + M::parameter_offset(Plan::first_layer[Index]),
                                              arguments.buffers + M::buffer_offset(Plan::first_layer[Index]), current,
                                              output, arguments.batch};
    if constexpr (fused) {
      infer(backend, Operation{}, Behind{}, Width{}, of_operation);
      done = true;
    } else {
      infer(backend, Operation{}, Width{}, of_operation);
    }
    current = output;
  });
}

}  // namespace retort::inline RETORT_INSTRUCTION_SET::backend

namespace retort::inline RETORT_INSTRUCTION_SET::internal {

/// Leaves gradients as they are.
struct NothingAdded {
  template <std::size_t Index, typename Scalar>
  void operator()(Scalar* /*gradient*/) const {}
};

/// The activations of a training step lie one after another: operation i's output begins at output_offset(i) for
/// `batch` samples.
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

/// Fills the activations, arguments.output, and returns the logits (batch, out) among them. `capacity` is the batch
/// that they were laid out for.
template <Model M, typename Backend, typename Scalar>
const Scalar* run_forward(const Backend& backend, const backend::ForwardArguments<Scalar>& arguments,
                          std::size_t capacity) {
  using Plan = backend::Plan<M>;
  const Scalar* current = arguments.input;
  bool done = false;  // the operation before has done this one too
  for_each_index<Plan::size>([&]<std::size_t Index>() {
    Scalar* output = arguments.output + output_offset<M>(Index, capacity);
    if (!done) {
      using Operation = typename Plan::template Operation<Index>;
      using Width = typename Plan::template InputWidth<Index>;
      using Behind = backend::ChainAt<Plan, Index + 1>;
      constexpr std::size_t layer = Plan::first_layer[Index];
      const backend::ForwardArguments<Scalar> of_operation{arguments.parameters + M::parameter_offset(layer),
                                                           arguments.buffers + M::buffer_offset(layer),
                                                           current,
                                                           output,
                                                           arguments.batch,
                                                           arguments.random.after(layer)};
      if constexpr (backend::FusesForward<Backend, Operation, Behind, Width, Scalar>) {
        forward(backend, Operation{}, Behind{}, Width{}, of_operation,
                arguments.output + output_offset<M>(Index + 1, capacity));
        done = true;
      } else {
        forward(backend, Operation{}, Width{}, of_operation);
      }
    } else {
      done = false;
    }
    current = output;
  });
  return current;
}

/// Fills arguments.parameter_gradients after run_forward with the same parameters, input, batch, random and `capacity`;
/// arguments.output is what that filled, output_gradient (batch, out) the logits' and input_gradient (batch, in) the
/// model's. Operations before the first that learns are left out, unless input_gradient is not null. `scratch` holds
/// pass_scratch_size(batch) elements. `add.operator()<Index>(gradient)` may add to the gradient (batch, out) of a
/// hidden operation `Index`'s output.
template <Model M, typename Backend, typename Scalar, typename Add = NothingAdded>
void run_backward(const Backend& backend, const backend::BackwardArguments<Scalar>& arguments, std::size_t capacity,
                  Scalar* scratch, const Add& add = {}) {
  using Plan = backend::Plan<M>;
  const std::array<Scalar*, 2> halves{scratch, scratch + aligned_extent(arguments.batch * Plan::widest)};
  const Scalar* output_gradient = arguments.output_gradient;
  for_each_index_reversed<Plan::size>([&]<std::size_t Index>() {
    const bool wants_all = arguments.input_gradient != nullptr;
    if (Index < Plan::first_trained && !wants_all) {
      return;
    }
    if constexpr (Index + 1 < Plan::size) {
      add.template operator()<Index>(halves[(Index + 1) % 2]);  // where the operation after it wrote it
    }
    Scalar* input_gradient = nullptr;
    if (Index > Plan::first_trained || wants_all) {
      input_gradient = Index == 0 ? arguments.input_gradient : halves[Index % 2];
    }
    const Scalar* input = arguments.input;
    if constexpr (Index > 0) {
      input = arguments.output + output_offset<M>(Index - 1, capacity);
    }
    constexpr std::size_t layer = Plan::first_layer[Index];
    backward(backend, typename Plan::template Operation<Index>{}, typename Plan::template InputWidth<Index>{},
             backend::BackwardArguments<Scalar>{
                 arguments.parameters + M::parameter_offset(layer), input,
                 arguments.output + output_offset<M>(Index, capacity), output_gradient, input_gradient,
                 arguments.parameter_gradients + M::parameter_offset(layer), arguments.batch,
                 arguments.random.after(layer), arguments.buffers + M::buffer_offset(layer)});
    output_gradient = input_gradient;
  });
}

}  // namespace retort::inline RETORT_INSTRUCTION_SET::internal
