// SPDX-License-Identifier: MIT
#pragma once
/// @file
/// What the blocks of a cluster send each other in a step:
///
/// 1. each block's part of the first stage's sums, to the block that has the samples;
/// 2. the gradients of those sums, to all blocks, and each block's part of the gradients of the parameters after the
///    first weight, to the block that has the parameters in its share;
/// 3. those parameters, updated, to all blocks.
///
/// A step has two barriers of the cluster: the first behind 1, the second behind 2. The next step's first one is also
/// behind 3. No place is needed twice, since between two barriers it is either read or written:
///
/// | | sums | gradients | parameters |
/// |---|---|---|---|
/// | from the first barrier to the second | read | written | read |
/// | from the second to the next first | written | read | written; read by the one block that has them in its share |

#include <cstddef>
#include <cstdint>

#include "retort/backend/cuda/block/cluster.hpp"
#include "retort/backend/cuda/block/gather.hpp"
#include "retort/backend/cuda/block/job.hpp"
#include "retort/backend/cuda/block/layout.hpp"
#include "retort/backend/cuda/block/ownership.hpp"
#include "retort/backend/cuda/block/stages.hpp"
#include "retort/backend/cuda/block/team.hpp"
#include "retort/backend/cuda/vector_access.hpp"
#include "retort/backend/generic/apply_rule.hpp"
#include "retort/core/host_device.hpp"
#include "retort/core/instruction_set.hpp"

namespace retort::inline RETORT_INSTRUCTION_SET::backend::block {

namespace detail {

/// Calls function(the same place in a block's memory) for all blocks. Each block begins with another one.
template <typename Layout, typename Team, typename Scalar, typename Function>
RETORT_HOST_DEVICE void in_all_blocks(const Team& team, Scalar* place, const Function& function) {
  constexpr auto blocks = static_cast<std::uint32_t>(Layout::blocks);
  const auto block = static_cast<std::uint32_t>(team.block());
  RETORT_UNROLL for (std::uint32_t i = 0; i < blocks; ++i) {
    function(team.in_block(block + i < blocks ? block + i : block + i - blocks, place));
  }
}

}  // namespace detail

/// A phase after which a block has all parts of the first stage's sums of its samples, scaled and with the input
/// offset.
template <typename Layout, typename Team, typename Scalar>
RETORT_HOST_DEVICE void send_sums(Team& team, const InputConstants<Scalar>& constants, Scalar* memory) {
  using First = typename Layout::First;
  constexpr auto at_once = static_cast<std::uint32_t>(samples_at_once);
  constexpr auto pairs = static_cast<std::uint32_t>(Layout::samples / at_once);  // of a feature
  constexpr auto own_pairs = static_cast<std::uint32_t>(Layout::own_samples / at_once);
  constexpr auto out = static_cast<std::uint32_t>(First::out);
  constexpr auto slice_stride = static_cast<std::uint32_t>(Layout::template slice_stride<0>);
  const auto block = static_cast<std::uint32_t>(team.block());
  team.cluster([&](std::size_t thread) {
    for (auto item = static_cast<std::uint32_t>(thread); item < out * pairs;
         item += static_cast<std::uint32_t>(Layout::threads)) {
      const std::uint32_t feature = item / pairs;
      const std::uint32_t pair = item % pairs;
      const Scalar* slices = memory + Layout::partial_sums + feature * slice_stride + pair * at_once;
      Pair<Scalar> sums = load_pair(slices);
      RETORT_UNROLL for (std::size_t slice = 1; slice < Layout::template forward_slices<0>; ++slice) {
        const Pair<Scalar> next = load_pair(slices + slice * First::out * slice_stride);
        sums.values[0] += next.values[0];
        sums.values[1] += next.values[1];
      }
      if constexpr (Layout::input_kind == InputKind::bytes) {
        const Scalar offset =
            Layout::has_row_sums && has_offset<Layout>(constants) ? memory[Layout::row_sums + feature] : Scalar{0};
        const Scalar scale = constants.scale * Layout::sum_unit;
        sums.values[0] = sums.values[0] * scale + offset;
        sums.values[1] = sums.values[1] * scale + offset;
      }
      Scalar* to = memory + Layout::sums_of_blocks +
                   (block * out + feature) * static_cast<std::uint32_t>(Layout::own_stride) +
                   pair % own_pairs * at_once;
      store_pair(sums, team.in_block(pair / own_pairs, to));
    }
  });
}

/// A phase after which a block has all parts of the gradients of its share. A thread has two outputs by two inputs of a
/// weight, or a bias.
template <typename Layout, typename Team, typename Scalar>
RETORT_HOST_DEVICE void send_gradients(Team& team, Scalar* memory) {
  using M = typename Layout::Model;
  const auto send = [&](std::size_t place, const auto& values, const auto& store) {
    constexpr auto share = static_cast<std::uint32_t>(Layout::share);
    const auto other = static_cast<std::uint32_t>(place - Layout::others_in_block);
    const auto block = static_cast<std::uint32_t>(team.block());
    store(values, team.in_block(other / share, memory + Layout::gradients_of_blocks + block * share + other % share));
  };
  const auto send_one = [&](std::size_t place, Scalar value) {
    send(place, value, [](Scalar gradient, Scalar* to) { *to = gradient; });
  };
  const auto send_pair = [&](std::size_t place, const Pair<Scalar>& pair) {
    send(place, pair, [](const Pair<Scalar>& gradients, Scalar* to) { store_pair(gradients, to); });
  };
  team.cluster([&](std::size_t thread) {
    for (auto item = static_cast<std::uint32_t>(thread); item < Layout::gradient_items;
         item += static_cast<std::uint32_t>(Layout::threads)) {
      for_each_stage<M>([&]<std::size_t Index>() {
        using S = TiledStage<M, Index>;
        constexpr auto row = static_cast<std::uint32_t>(Layout::template row<Index>);
        constexpr auto samples = static_cast<std::uint32_t>(Layout::own_samples);
        const Scalar* gradients = memory + Layout::template own_sums<Index>;
        if constexpr (Index > 0) {
          constexpr auto input_row = static_cast<std::uint32_t>(Layout::template row<Index - 1>);
          constexpr auto input_pairs = static_cast<std::uint32_t>((S::in + 1) / 2);
          const std::uint32_t own = item - static_cast<std::uint32_t>(Layout::template first_weight_item<Index>);
          if (own < Layout::template weight_items<Index>) {  // it is huge for an item of an earlier stage
            const std::uint32_t output = own / input_pairs * 2;
            const std::uint32_t input = own % input_pairs * 2;
            const Scalar* inputs = memory + Layout::template own_outputs<Index - 1> + input;
            Pair<Scalar> sums[2]{};
            RETORT_UNROLL for (std::uint32_t sample = 0; sample < samples; ++sample) {
              const Pair<Scalar> factors = load_pair(gradients + sample * row + output);
              const Pair<Scalar> values = load_pair(inputs + sample * input_row);
              RETORT_UNROLL for (std::uint32_t o = 0; o < 2; ++o) {
                RETORT_UNROLL for (std::uint32_t f = 0; f < 2; ++f) {
                  sums[o].values[f] += factors.values[o] * values.values[f];
                }
              }
            }
            RETORT_UNROLL for (std::uint32_t o = 0; o < 2; ++o) {
              if (S::out % 2 == 0 || output + o < S::out) {
                const std::size_t place = S::weight + (output + o) * S::in + input;
                if constexpr (S::in % 2 == 0) {
                  send_pair(place, sums[o]);
                } else {
                  RETORT_UNROLL for (std::uint32_t f = 0; f < 2; ++f) {
                    if (input + f < S::in) {
                      send_one(place + f, sums[o].values[f]);
                    }
                  }
                }
              }
            }
          }
        }
        if constexpr (S::has_bias) {
          const std::uint32_t own = item - static_cast<std::uint32_t>(Layout::template first_bias_item<Index>);
          if (own < S::out) {
            Scalar sum = 0;
            RETORT_UNROLL for (std::uint32_t sample = 0; sample < samples; ++sample) {
              sum += gradients[sample * row + own];
            }
            send_one(S::bias + own, sum);
          }
        }
      });
    }
  });
}

/// One thread's part of the update of a block's share. `sends`: to all blocks, not to this one alone.
template <typename Layout, std::size_t Moments, typename Team, typename Rule, typename Scalar>
RETORT_HOST_DEVICE void update_share(const Team& team, std::size_t thread, const Rule& rule, bool sends,
                                     Scalar* memory) {
  const std::size_t block = team.block();
  // Begins with the last thread: the first ones may have more of other work.
  for (std::size_t i = Layout::threads - 1 - thread; i < Layout::share; i += Layout::threads) {
    const std::size_t place = Layout::others_in_block + block * Layout::share + i;
    if (place < Layout::Model::parameter_arena_size) {
      Scalar gradient = memory[Layout::gradients_of_blocks + i];
      RETORT_UNROLL for (std::size_t other = 1; other < Layout::blocks; ++other) {
        gradient += memory[Layout::gradients_of_blocks + other * Layout::share + i];
      }
      Scalar* to = memory + Layout::parameters + place;
      Scalar parameter = *to;
      internal::apply_rule<Moments>(rule, parameter, gradient, [&](std::size_t moment) -> Scalar& {
        return memory[Layout::share_moments + moment * Layout::share + i];
      });
      if (sends) {
        detail::in_all_blocks<Layout>(team, to, [&](Scalar* there) { *there = parameter; });
      } else {
        *to = parameter;
      }
    }
  }
}

/// Moves the moments of a block's share from the job (`Load`) or to it.
template <bool Load, typename Layout, std::size_t Moments, typename L, typename Rule, typename Scalar>
RETORT_HOST_DEVICE void move_share_moments(std::size_t thread, std::size_t block,
                                           const TrainingJob<Scalar, Moments, L, Rule>& job, Scalar* memory) {
  for (std::size_t i = thread; i < Layout::share; i += Layout::threads) {
    const std::size_t place = Layout::others_in_block + block * Layout::share + i;
    if (place < Layout::Model::parameter_arena_size) {
      for (std::size_t moment = 0; moment < Moments; ++moment) {
        Scalar& here = memory[Layout::share_moments + moment * Layout::share + i];
        Scalar& in_job = job.moments[moment][Layout::model_place(block, place)];
        if constexpr (Load) {
          here = in_job;
        } else {
          in_job = here;
        }
      }
    }
  }
}

}  // namespace retort::inline RETORT_INSTRUCTION_SET::backend::block
