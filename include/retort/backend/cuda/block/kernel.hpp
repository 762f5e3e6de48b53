// SPDX-License-Identifier: MIT
#pragma once
/// @file
/// All of a block's work: steps of one model's training, with everything they need in the block's memory.

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstring>

#include "retort/backend/arguments.hpp"
#include "retort/backend/cuda/block/cluster_exchange.hpp"
#include "retort/backend/cuda/block/cluster_step.hpp"
#include "retort/backend/cuda/block/epoch_report.hpp"
#include "retort/backend/cuda/block/forward_backward.hpp"
#include "retort/backend/cuda/block/gather.hpp"
#include "retort/backend/cuda/block/job.hpp"
#include "retort/backend/cuda/block/layout.hpp"
#include "retort/backend/cuda/block/moments.hpp"
#include "retort/backend/cuda/block/sample_loss.hpp"
#include "retort/backend/cuda/block/thread_sums.hpp"
#include "retort/backend/cuda/block/update.hpp"
#include "retort/core/host_device.hpp"
#include "retort/core/instruction_set.hpp"
#include "retort/loss/loss.hpp"
#include "retort/optim/gradient_clipping.hpp"

namespace retort::inline RETORT_INSTRUCTION_SET::backend::block {

/// One thread's part of a chunk's loss, Lanes::count threads a sample: the gradient takes the place of the logits.
template <typename Layout, typename Lanes, typename Job, typename Scalar>
RETORT_HOST_DEVICE void evaluate_loss(std::size_t thread, const Job& job, const Chunk& chunk, const Scalar* targets,
                                      Scalar* memory) {
  const Lanes lanes{static_cast<std::uint32_t>(thread % Lanes::count)};
  Scalar* matrix = memory + Layout::template outputs<stage_count<typename Layout::Model> - 1>;
  const std::size_t rows = Lanes::count > 1 ? Layout::samples : chunk.size;
  for (std::size_t row = thread / Lanes::count; row < rows; row += Layout::threads / Lanes::count) {
    const bool exists = Lanes::count == 1 || row < chunk.size;
    evaluate_sample<Layout>(job, chunk, row, exists, lanes, targets, matrix + row, Layout::stride);
  }
}

/// Takes all steps of a job that fits `batches`, and reports. `memory`: Layout::size elements that the team shares,
/// aligned to 16 bytes. The same job gives the same bits on every run of a system. All blocks of a cluster call it
/// together; they take single chunks, keep their moments, and write no report.
template <typename Layout, Batches batches, typename Team, std::size_t Moments, typename L, typename Rule,
          typename Scalar>
RETORT_KERNEL_WORK void train(Team& team, const TrainingJob<Scalar, Moments, L, Rule>& job, Scalar* memory) {
  static_assert(Team::threads == Layout::threads);
  static_assert(Layout::blocks == 1 || (batches == Batches::single_chunks && Layout::template keeps_moments<Moments>));
  using M = typename Layout::Model;
  const std::size_t block = Layout::blocks > 1 ? team.block() : 0;
  typename Team::template PerThread<KeptMoments<Layout, Moments, Scalar>> kept;
  auto* squared_norms = reinterpret_cast<double*>(memory + Layout::partial_sums);

  const InputSource<Scalar>& source = job.training;
  const auto after = [&](const Chunk& other) { return other.next(job.batch_size, source.size, Layout::samples); };
  Chunk chunk = Chunk::at_batch(0, job.batch_size, source.size, Layout::samples);
  Chunk next = after(chunk);
  std::uint32_t buffer = 0;  // of this chunk's inputs and targets
  std::uint32_t slot = 0;    // of its samples' numbers
  const auto inputs = [&](std::uint32_t number) { return memory + Layout::inputs + number * Layout::input_elements; };
  const auto targets = [&](std::uint32_t number) {
    return memory + Layout::targets + number * Layout::target_elements;
  };
  const auto numbers = [&](std::uint32_t number) {
    return reinterpret_cast<std::uint32_t*>(memory + Layout::numbers) + number * Layout::samples;
  };
  const auto fetch = [&](const auto& fetcher, const Chunk& other, std::uint32_t of_slot, std::uint32_t to) {
    const auto samples = [its_numbers = numbers(of_slot)](std::size_t row) { return its_numbers[row]; };
    gather<Layout>(fetcher, source, other, samples, inputs(to));
    const Chunk own = Layout::own_part(other, block);
    gather_targets<Layout>(
        fetcher, source, L::needs_teacher ? job.teacher : TeacherTable<Scalar>{}, own,
        [&](std::size_t row) { return samples(own.first - other.first + row); }, targets(to));
    gather_rule<Layout>(fetcher, job, other, targets(to));
  };
  const auto updater = [&](std::size_t thread, const Rule& rule) {
    return Updater<Layout, Moments, L, Rule, Scalar>{job, rule, memory, kept[thread]};
  };
  const auto rule_of = [&](const Chunk& of, const Scalar* its_targets) {
    if (job.rules == nullptr) {
      return job.rule;
    }
    if constexpr (detail::fetches_rule<Rule>) {
      Rule rule = job.rule;
      std::memcpy(&rule, its_targets + Layout::rule_in_targets, sizeof(rule));
      return rule;
    } else {
      return job.rules[of.batch];
    }
  };
  // A short first chunk multiplies elements that were never written by zeros: they must be numbers.
  const auto begin = [&](std::size_t thread) {
    for (std::size_t i = thread; i < Layout::size; i += Layout::threads) {
      const std::size_t place = Layout::place_of(i);
      memory[i] = Layout::is_parameter(place) ? job.parameters[Layout::model_place(block, place)] : Scalar{0};
    }
  };
  if constexpr (Layout::blocks > 1) {
    team.cluster(begin);  // no block sends to another before this
  } else {
    team(begin);
  }
  team([&](std::size_t thread) {
    move_moments<true, Layout>(thread, block, job, memory, kept[thread]);
    if constexpr (Layout::blocks > 1) {
      move_share_moments<true, Layout>(thread, block, job, memory);
    }
    fetch_numbers(Fetcher<Team>{team, thread}, source, chunk, numbers(0));
    fetch_numbers(Fetcher<Team>{team, thread}, source, next, numbers(1));
    team.await_copies(thread);
  });
  team([&](std::size_t thread) {
    fetch(Fetcher<Team>{team, thread}, chunk, slot, buffer);
    team.await_copies(thread);
  });

  while (chunk.size > 0) {
    const Chunk after_next = after(next);
    constexpr bool ahead = Layout::input_buffers > 1;
    const std::uint32_t next_buffer = ahead ? 1 - buffer : 0;
    const Scalar* values = inputs(buffer);
    const LayerRandom random{job.seed, job.first_step + chunk.batch};
    // While a chunk is computed, the inputs and targets of the next are fetched, if there are two buffers for them, and
    // the sample numbers of the one after it.
    const auto fetch_next = [&](const auto& fetcher) {
      fetch(fetcher, next, 1 - slot, next_buffer);
      fetch_numbers(fetcher, source, after_next, numbers(slot));
    };
    const auto find_gradients = [&] {
      block::forward<Layout, true>(team, source.constants, random, chunk, memory, values);
      team([&](std::size_t thread) {
        // Half of the threads are left for the next chunk.
        using Lanes = LanesOfSample<Layout, Team, L, Scalar, Layout::threads / (2 * Layout::samples)>;
        constexpr std::size_t first = Layout::samples * Lanes::count;  // threads from here on have no loss to compute
        static_assert(Layout::threads > first);
        evaluate_loss<Layout, Lanes>(thread, job, chunk, static_cast<const Scalar*>(targets(buffer)), memory);
        clear_missing<Layout>(thread, chunk, memory);
        if (ahead && next.size > 0 && thread >= first) {
          fetch_next(Fetcher<Team, first>{team, thread});
        }
      });
      block::backward<Layout>(team, random, chunk, memory);
    };

    if constexpr (Layout::blocks > 1) {
      const Rule rule = rule_of(chunk, targets(buffer));
      take_step_of_cluster<Layout>(
          team, job, rule, random, chunk, next.size == 0, static_cast<const Scalar*>(targets(buffer)), values, memory,
          [&](std::size_t thread) { return updater(thread, rule); },
          [&](const auto& fetcher) {
            if (ahead && next.size > 0) {
              fetch_next(fetcher);
            }
          });
    } else if constexpr (batches == Batches::single_chunks) {
      find_gradients();
      const Rule rule = rule_of(chunk, targets(buffer));
      update<Layout>(
          team, job, chunk, memory, values, [&](std::size_t thread) { return updater(thread, rule); },
          [](std::size_t) {});
    } else {
      find_gradients();
      store_gradients<Layout>(team, job, chunk, memory, values);
      if (chunk.ends_batch()) {
        const Rule rule = rule_of(chunk, targets(buffer));
        if (job.max_norm > 0.0) {
          team([&](std::size_t thread) {
            squared_norms[thread] = squared_norm<Layout>(thread, job, static_cast<const Scalar*>(memory));
          });
          add_up_strands(team, 1, squared_norms);
        }
        team([&](std::size_t thread) {
          const double factor =
              job.max_norm > 0.0 ? GradientClipping{job.max_norm}.clip_factor(std::sqrt(sum_of_strands(squared_norms)))
                                 : 1.0;
          update_from_stored(thread, updater(thread, rule), static_cast<Scalar>(factor));
        });
      }
    }
    if (!ahead && next.size > 0) {
      team([&](std::size_t thread) {
        fetch_next(Fetcher<Team>{team, thread});
        team.await_copies(thread);
      });
    }
    chunk = next;
    next = after_next;
    buffer = next_buffer;
    slot = 1 - slot;
  }

  team([&](std::size_t thread) {
    for (std::size_t i = thread; i < M::parameter_arena_size; i += Layout::threads) {
      if (Layout::is_written_by(block, i)) {
        job.parameters[Layout::model_place(block, i)] = memory[Layout::element_of(i)];
      }
    }
    move_moments<false, Layout>(thread, block, job, memory, kept[thread]);
    if constexpr (Layout::blocks > 1) {
      move_share_moments<false, Layout>(thread, block, job, memory);
    }
  });
  if constexpr (Layout::blocks == 1) {
    if (job.report != nullptr) {
      report<Layout>(team, job, memory);
    }
  }
}

}  // namespace retort::inline RETORT_INSTRUCTION_SET::backend::block
