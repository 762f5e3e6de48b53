// SPDX-License-Identifier: MIT
#pragma once
/// @file
/// The loss of a chunk, a sample to a thread.

#include <cstddef>
#include <cstdint>

#include "retort/backend/cuda/block/job.hpp"
#include "retort/backend/cuda/block/layout.hpp"
#include "retort/backend/generic/loss_row.hpp"
#include "retort/core/host_device.hpp"
#include "retort/core/instruction_set.hpp"
#include "retort/loss/loss.hpp"

namespace retort::inline RETORT_INSTRUCTION_SET::backend::block {

/// One thread's part: the gradient takes the place of the logits. `records`: whether the block is the one that writes
/// losses and answers.
template <typename Layout, Loss L, std::size_t Moments, typename Rule, typename Scalar>
RETORT_HOST_DEVICE void evaluate_loss(std::size_t thread, const TrainingJob<Scalar, Moments, L, Rule>& job,
                                      const Chunk& chunk, bool records, Scalar* memory) {
  using M = typename Layout::Model;
  constexpr std::size_t classes = M::output_size;
  Scalar* matrix = memory + Layout::template outputs<stage_count<M> - 1>;
  const Scalar gradient_scale = Scalar{1} / static_cast<Scalar>(chunk.batch_size);
  for (std::size_t row = thread; row < chunk.size; row += Layout::threads) {
    const std::size_t position = chunk.first + row;
    const std::uint32_t sample = job.training.sample(position);
    const std::uint32_t label = job.training.data.labels[sample];
    Scalar student[classes];
    for (std::size_t k = 0; k < classes; ++k) {
      student[k] = matrix[k * Layout::stride + row];
    }
    const Scalar* teacher = nullptr;
    if constexpr (L::needs_teacher) {
      teacher = job.teacher.logits + (job.teacher.by_sample ? sample : position) * classes;
    }
    Scalar gradient[classes];
    const Scalar loss = job.loss.template row<classes>(StudentLogits<Scalar>{student}, TeacherLogits<Scalar>{teacher},
                                                       label, gradient_scale, gradient);
    if (records) {
      job.losses[position] = loss;
      job.correct[position] = predicted_class<classes>(student) == label ? 1 : 0;
    }
    for (std::size_t k = 0; k < classes; ++k) {
      matrix[k * Layout::stride + row] = gradient[k];
    }
  }
}

}  // namespace retort::inline RETORT_INSTRUCTION_SET::backend::block
