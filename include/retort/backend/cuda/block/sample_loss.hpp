// SPDX-License-Identifier: MIT
#pragma once
/// @file
/// The loss of one sample in a block's memory.

#include <cstddef>
#include <cstdint>
#include <type_traits>

#include "retort/backend/cuda/block/job.hpp"
#include "retort/backend/generic/loss_row.hpp"
#include "retort/core/host_device.hpp"
#include "retort/core/instruction_set.hpp"
#include "retort/loss/loss.hpp"
#include "retort/loss/row_lanes.hpp"

namespace retort::inline RETORT_INSTRUCTION_SET::backend::block {

/// The lanes that compute the loss of a sample together: several where the loss takes them and there is `Room`. Not on
/// scalar units, whose kernels would spill more registers.
template <typename Layout, typename Team, Loss L, typename Scalar, std::size_t Room>
using LanesOfSample =
    std::conditional_t<shares_rows<L> && Layout::on_tensor_cores && std::is_same_v<Scalar, float> &&
                           Layout::Model::output_size % Team::RowLanes::count == 0 && Team::RowLanes::count <= Room,
                       typename Team::RowLanes, WholeRow>;

/// A lane's part of the loss of sample `row` of a chunk. Its logits are `stride` apart; their gradients take their
/// place. `exists`: false for a sample that the chunk lacks, of which nothing is read or written. Lanes that share rows
/// stay together: all of them call this, be there a sample or not. `targets`: see gather_targets().
template <typename Layout, typename Lanes, Loss L, std::size_t Moments, typename Rule, typename Scalar>
RETORT_HOST_DEVICE void evaluate_sample(const TrainingJob<Scalar, Moments, L, Rule>& job, const Chunk& chunk,
                                        std::size_t row, bool exists, const Lanes& lanes, const Scalar* targets,
                                        Scalar* logits, std::size_t stride) {
  constexpr std::size_t all_classes = Layout::Model::output_size;
  constexpr std::size_t classes = all_classes / Lanes::count;  // of a lane
  const std::size_t first = lanes.index() * classes;
  std::uint32_t label = 0;
  Scalar student[classes] = {};
  Scalar teacher[classes] = {};
  if (exists) {
    label = reinterpret_cast<const std::uint32_t*>(targets)[row];
    for (std::size_t k = 0; k < classes; ++k) {
      student[k] = logits[(first + k) * stride];
      if constexpr (L::needs_teacher) {
        teacher[k] = targets[Layout::label_elements + (first + k) * Layout::samples + row];
      }
    }
  } else if (Lanes::count == 1) {
    return;
  }
  const Scalar gradient_scale = Scalar{1} / static_cast<Scalar>(chunk.batch_size);
  Scalar gradient[classes];
  const auto result = internal::evaluate_row<all_classes>(
      job.loss, static_cast<const Scalar*>(student), static_cast<const Scalar*>(L::needs_teacher ? teacher : nullptr),
      label, gradient_scale, static_cast<Scalar*>(gradient), lanes);
  if (exists) {
    if (first == 0) {
      job.losses[chunk.first + row] = result.loss;
      job.correct[chunk.first + row] = result.correct;
    }
    for (std::size_t k = 0; k < classes; ++k) {
      logits[(first + k) * stride] = gradient[k];
    }
  }
}

}  // namespace retort::inline RETORT_INSTRUCTION_SET::backend::block
