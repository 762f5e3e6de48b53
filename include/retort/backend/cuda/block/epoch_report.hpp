// SPDX-License-Identifier: MIT
#pragma once
/// @file
/// The block itself sums up the result of a job: a sweep reads one report of each student, and nothing else.

#include <cstddef>
#include <cstdint>

#include "retort/backend/arguments.hpp"
#include "retort/backend/cuda/block/forward_backward.hpp"
#include "retort/backend/cuda/block/gather.hpp"
#include "retort/backend/cuda/block/job.hpp"
#include "retort/backend/cuda/block/layout.hpp"
#include "retort/backend/cuda/block/thread_sums.hpp"
#include "retort/backend/generic/loss_row.hpp"
#include "retort/core/float_bits.hpp"
#include "retort/core/host_device.hpp"
#include "retort/core/instruction_set.hpp"

namespace retort::inline RETORT_INSTRUCTION_SET::backend::block {

namespace detail {

/// A thread's part of a report. The counts are exact as doubles.
struct ReportSums {
  double loss = 0.0;
  double correct = 0.0;
  double validation_loss = 0.0;
  double validation_errors = 0.0;
  double not_finite = 0.0;
};

/// Adds a chunk of validation samples, whose logits stand in their matrix.
template <typename Layout, typename Scalar>
RETORT_HOST_DEVICE void add_evaluation(std::size_t thread, const InputSource<Scalar>& source, const Chunk& chunk,
                                       const Scalar* memory, ReportSums& sums) {
  using M = typename Layout::Model;
  constexpr std::size_t classes = M::output_size;
  const Scalar* matrix = memory + Layout::template outputs<stage_count<M> - 1>;
  for (std::size_t row = thread; row < chunk.size; row += Layout::threads) {
    Scalar logits[classes];
    for (std::size_t k = 0; k < classes; ++k) {
      logits[k] = matrix[k * Layout::stride + row];
    }
    const std::uint32_t label = source.data.labels[source.sample(chunk.first + row)];
    internal::add_evaluated_row<classes>(static_cast<const Scalar*>(logits), label, sums.validation_loss,
                                         sums.validation_errors);
  }
}

}  // namespace detail

/// Sums the losses and answers of a job's steps, evaluates, and writes the report. The parameters stay as they are.
template <typename Layout, typename Team, typename Job, typename Scalar>
RETORT_HOST_DEVICE void report(Team& team, const Job& job, Scalar* memory) {
  typename Team::template PerThread<detail::ReportSums> sums;
  team([&](std::size_t thread) {
    detail::ReportSums own;
    for (std::size_t i = thread; i < job.training.size; i += Layout::threads) {
      own.loss += static_cast<double>(job.losses[i]);
      own.correct += job.correct[i];
    }
    for (std::size_t i = thread; i < Layout::row_sums; i += Layout::threads) {
      own.not_finite += is_finite(memory[i]) ? 0.0 : 1.0;
    }
    sums[thread] = own;
  });

  const InputSource<Scalar>& source = job.validation;
  Scalar* inputs = memory + Layout::inputs;
  for (std::size_t first = 0; first < source.size; first += Layout::samples) {
    const Chunk chunk = Chunk::at_batch(static_cast<std::uint32_t>(first / Layout::samples), Layout::samples,
                                        source.size, Layout::samples);
    team([&](std::size_t thread) {
      gather<Layout>(
          Fetcher<Team>{team, thread}, source, chunk, [&](std::size_t row) { return source.sample(chunk.first + row); },
          inputs);
      team.await_copies(thread);
    });
    block::forward<Layout, false>(team, source.constants, LayerRandom{}, chunk, memory,
                                  static_cast<const Scalar*>(inputs));
    team([&](std::size_t thread) {
      detail::add_evaluation<Layout>(thread, source, chunk, static_cast<const Scalar*>(memory), sums[thread]);
    });
  }

  // Takes the place of the inputs, which are no longer needed.
  auto* shared = reinterpret_cast<double*>(inputs);
  team([&](std::size_t thread) {
    const detail::ReportSums& own = sums[thread];
    const double values[report_sums] = {own.loss, own.correct, own.validation_loss, own.validation_errors,
                                        own.not_finite};
    for (std::size_t i = 0; i < report_sums; ++i) {
      shared[i * Layout::threads + thread] = values[i];
    }
  });
  add_up_strands(team, report_sums, shared);
  team([&](std::size_t thread) {
    if (thread != 0) {
      return;
    }
    const auto sum = [&](std::size_t i) { return sum_of_strands(shared + i * Layout::threads); };
    const auto count = [&](std::size_t i) { return static_cast<std::size_t>(sum(i)); };
    *job.report = {
        .sum = {sum(0), count(1)}, .validation_loss = sum(2), .validation_errors = count(3), .not_finite = count(4)};
  });
}

}  // namespace retort::inline RETORT_INSTRUCTION_SET::backend::block
