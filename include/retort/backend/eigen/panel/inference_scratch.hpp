// SPDX-License-Identifier: MIT
#pragma once
/// @file
/// Memory for inference on panels, kept by each thread: one place for whole panels, split panels and single samples, so
/// that a thread that has answered a batch allocates nothing for a smaller one.

#include <cstddef>
#include <type_traits>

#include "retort/backend/eigen/panel/panel.hpp"
#include "retort/backend/eigen/product.hpp"
#include "retort/backend/plan.hpp"
#include "retort/core/instruction_set.hpp"

namespace retort::inline RETORT_INSTRUCTION_SET::backend::panel {

template <Model M>
struct InferenceTag;  // of the memory that all of a model's inference shares

/// Where panels are while they run through a model: what enters an operation and what leaves it, each with room for the
/// widest layer, and the model's inputs, which enter the first operation unless they are made of other elements.
template <Model M, typename Scalar, typename Element = Scalar>
struct InferenceScratch {
  /// The calling thread's, for as long as it asks for no other.
  explicit InferenceScratch(std::size_t panels) {
    const std::size_t half = panels * Plan<M>::widest * width<Scalar>;
    current = backend::detail::thread_scratch<Scalar, InferenceTag<M>>(2 * half);
    other = current + half;
    if constexpr (std::is_same_v<Element, Scalar>) {
      inputs = current;
    } else {
      inputs = backend::detail::thread_scratch<Element, InferenceTag<M>>(panels * M::input_size * width<Scalar>);
    }
  }

  Scalar* current;
  Scalar* other;
  Element* inputs;
};

}  // namespace retort::inline RETORT_INSTRUCTION_SET::backend::panel
