// SPDX-License-Identifier: MIT
#pragma once
/// @file
/// What the work of a training step depends on, besides its arguments: while it stays the same, a record of the work
/// can be run again.

#include <array>
#include <cstddef>

#include "retort/backend/arguments.hpp"
#include "retort/backend/training_step.hpp"
#include "retort/core/instruction_set.hpp"
#include "retort/data/dataset_view.hpp"

namespace retort::inline RETORT_INSTRUCTION_SET::backend::graph {

namespace detail {

/// An address for each list of types.
template <typename... Types>
inline constexpr char type_tag = 0;

}  // namespace detail

/// Equal keys, equal work. Leaves out the values of loss, optimizer, clipping and augmentation, and the places of
/// moments: kernels read them.
struct StepKey {
  const void* types = nullptr;  // of loss, rule and moments
  std::size_t batch = 0;
  bool clips = false;
  bool distorted = false;
  const void* parameters = nullptr;
  const void* teacher_logits = nullptr;
  bool teacher_by_sample = false;
  const void* bytes = nullptr;
  const void* reals = nullptr;
  const void* labels = nullptr;
  data::ImageShape image{};
  data::Normalization normalization{};

  friend bool operator==(const StepKey&, const StepKey&) = default;
};

template <typename L, typename Rule, typename Scalar, std::size_t Moments>
StepKey make_step_key(const TrainingBatch& batch, const TrainingState<Scalar, Moments>& state) {
  return {.types = &detail::type_tag<L, Rule, std::array<Scalar, Moments>>,
          .batch = batch.size,
          .clips = state.clipping.has_value(),
          .distorted = batch.view.augmentation.distorts(),
          .parameters = state.parameters,
          .teacher_logits = state.teacher.logits,
          .teacher_by_sample = state.teacher.by_sample,
          .bytes = batch.data.bytes,
          .reals = batch.data.reals,
          .labels = batch.data.labels,
          .image = batch.data.image,
          .normalization = batch.data.normalization};
}

}  // namespace retort::inline RETORT_INSTRUCTION_SET::backend::graph
