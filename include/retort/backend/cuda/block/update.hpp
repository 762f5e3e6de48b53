// SPDX-License-Identifier: MIT
#pragma once
/// @file
/// The optimizer's step: each weight belongs to one thread (gradients.hpp), and so do its moments.

#include <cstddef>
#include <cstdint>
#include <type_traits>

#include "retort/backend/cuda/block/gradients.hpp"
#include "retort/backend/cuda/block/job.hpp"
#include "retort/backend/cuda/block/layout.hpp"
#include "retort/backend/cuda/block/moments.hpp"
#include "retort/backend/cuda/block/tensor_stage.hpp"
#include "retort/backend/cuda/block/tiles.hpp"
#include "retort/backend/cuda/vector_access.hpp"
#include "retort/backend/generic/apply_rule.hpp"
#include "retort/core/host_device.hpp"
#include "retort/core/instruction_set.hpp"

namespace retort::inline RETORT_INSTRUCTION_SET::backend::block {

/// Applies the optimizer's rule to a thread's parameters in the block's memory.
template <typename Layout, std::size_t Moments, typename L, typename Rule, typename Scalar>
struct Updater {
  static constexpr bool in_registers = Layout::template moments_in_registers<Moments>;
  static constexpr bool tiles_in_registers = in_registers && !Layout::on_tensor_cores;

  const TrainingJob<Scalar, Moments, L, Rule>& job;
  const Rule& rule;
  Scalar* memory;
  KeptMoments<Layout, Moments, Scalar>& kept;

  /// A row of a tile: see detail::for_each_row. `index`: the number of its first weight among the thread's.
  template <typename S>
  RETORT_HOST_DEVICE void row(std::size_t index, std::size_t place, std::size_t count,
                              const Scalar (&gradients)[quad]) const {
    Scalar* weights = memory + Layout::parameters + place;
    Quad<Scalar> parameters = detail::load_row<S>(static_cast<const Scalar*>(weights), count);
    if constexpr (tiles_in_registers || Moments == 0) {
      apply_kept(parameters, gradients, index);
    } else {
      Quad<Scalar> moments[Moments];
      RETORT_UNROLL for (std::size_t i = 0; i < Moments; ++i) {
        moments[i] = detail::load_row<S>(static_cast<const Scalar*>(elsewhere(i)) + place, count);
      }
      apply(parameters, gradients, [&](std::size_t i) -> Quad<Scalar>& { return moments[i]; });
      RETORT_UNROLL for (std::size_t i = 0; i < Moments; ++i) {
        detail::store_row<S>(moments[i], count, elsewhere(i) + place);
      }
    }
    detail::store_row<S>(parameters, count, weights);
  }

  /// Several pairs of the first stage's weights at once: the rule's chain of operations is long, and all can go through
  /// it together.
  template <std::size_t Count>
  RETORT_HOST_DEVICE void pairs(const detail::WeightPair (&places)[Count], const Scalar (&gradients)[Count][2]) const {
    using S = TiledStage<typename Layout::Model, 0>;
    Pair<Scalar> parameters[Count];
    load_pairs<S, &detail::WeightPair::element>(places, static_cast<const Scalar*>(memory), parameters);
    if constexpr (in_registers) {
      RETORT_UNROLL for (std::size_t i = 0; i < Count; ++i) {
        if (places[i].count > 0) {
          apply_kept(parameters[i], gradients[i], places[i].index);
        }
      }
    } else {
      Pair<Scalar> moments[Moments][Count];
      RETORT_UNROLL for (std::size_t i = 0; i < Moments; ++i) {
        load_pairs<S, &detail::WeightPair::place>(places, static_cast<const Scalar*>(job.moments[i]), moments[i]);
      }
      RETORT_UNROLL for (std::size_t pair = 0; pair < Count; ++pair) {
        apply(parameters[pair], gradients[pair], [&](std::size_t i) -> Pair<Scalar>& { return moments[i][pair]; });
      }
      RETORT_UNROLL for (std::size_t i = 0; i < Moments; ++i) {
        store_pairs<S, &detail::WeightPair::place>(places, moments[i], job.moments[i]);
      }
    }
    store_pairs<S, &detail::WeightPair::element>(places, parameters, memory);
  }

  RETORT_HOST_DEVICE void bias(std::size_t place, Scalar gradient) const {
    Scalar& parameter = memory[Layout::parameters + place];
    if constexpr (tiles_in_registers || Moments == 0) {
      internal::apply_rule<Moments>(rule, parameter, gradient,
                                    [&](std::size_t i) -> Scalar& { return kept.biases[i]; });
    } else {
      internal::apply_rule<Moments>(rule, parameter, gradient,
                                    [&](std::size_t i) -> Scalar& { return elsewhere(i)[place]; });
    }
  }

 private:
  RETORT_HOST_DEVICE Scalar* elsewhere(std::size_t i) const { return moments_by_place<Layout>(job, i, memory); }

  template <typename Values, std::size_t Count>
  RETORT_HOST_DEVICE void apply_kept(Values& parameters, const Scalar (&gradients)[Count], std::size_t index) const {
    RETORT_UNROLL for (std::size_t f = 0; f < Count; ++f) {
      internal::apply_rule<Moments>(rule, parameters.values[f], gradients[f],
                                    [&](std::size_t i) -> Scalar& { return kept.weights[i][index + f]; });
    }
  }
  template <typename Values, std::size_t Count, typename MomentsOf>
  RETORT_HOST_DEVICE void apply(Values& parameters, const Scalar (&gradients)[Count], const MomentsOf& moments) const {
    RETORT_UNROLL for (std::size_t f = 0; f < Count; ++f) {
      internal::apply_rule<Moments>(rule, parameters.values[f], gradients[f],
                                    [&](std::size_t i) -> Scalar& { return moments(i).values[f]; });
    }
  }

  template <typename S, std::uint32_t detail::WeightPair::* where, std::size_t Count>
  RETORT_HOST_DEVICE static void load_pairs(const detail::WeightPair (&places)[Count], const Scalar* from,
                                            Pair<Scalar> (&pairs)[Count]) {
    RETORT_UNROLL for (std::size_t i = 0; i < Count; ++i) {
      pairs[i].values[0] = 0;
      pairs[i].values[1] = 0;
      if (places[i].count > 0) {
        pairs[i] = detail::load_places<S>(from + places[i].*where, places[i].count);
      }
    }
  }
  template <typename S, std::uint32_t detail::WeightPair::* where, std::size_t Count>
  RETORT_HOST_DEVICE static void store_pairs(const detail::WeightPair (&places)[Count],
                                             const Pair<Scalar> (&pairs)[Count], Scalar* to) {
    RETORT_UNROLL for (std::size_t i = 0; i < Count; ++i) {
      if (places[i].count > 0) {
        detail::store_places<S>(pairs[i], places[i].count, to + places[i].*where);
      }
    }
  }
};

/// The team's part of a step whose batch is a single chunk: the gradients never leave the registers.
/// `updater_of(thread)` is the thread's Updater. A phase, on tensor cores two, after which copies have arrived. What
/// else there is to do beside it, in the first of them, is `beside(thread)`.
template <typename Layout, typename Team, typename Job, typename Scalar, typename UpdaterOf, typename Beside>
RETORT_HOST_DEVICE void update(Team& team, const Job& job, const Chunk& chunk, Scalar* memory, const Scalar* inputs,
                               const UpdaterOf& updater_of, const Beside& beside) {
  detail::for_each_gradient<Layout>(
      team, job, chunk, memory, inputs,
      detail::GradientSink{
          [&]<std::size_t Index>(std::size_t thread, const detail::WeightTile& tile, const auto& sums) {
            const auto updater = updater_of(thread);
            detail::for_each_row<Layout, Index>(tile, [&](std::size_t o, std::size_t place, std::size_t count) {
              updater.template row<TiledStage<typename Layout::Model, Index>>(tile.index + o * quad, place, count,
                                                                              sums[o]);
            });
          },
          [&](std::size_t thread, const auto& pairs, const auto& gradients) {
            updater_of(thread).pairs(pairs, gradients);
          },
          [&](std::size_t thread, std::size_t place, Scalar gradient) { updater_of(thread).bias(place, gradient); }},
      beside);
}

/// The team's part of the gradients of a batch that is cut into chunks or will be clipped: they are added up outside of
/// the block's memory. Takes the phases of update().
template <typename Layout, typename Team, std::size_t Moments, typename L, typename Rule, typename Scalar>
RETORT_HOST_DEVICE void store_gradients(Team& team, const TrainingJob<Scalar, Moments, L, Rule>& job,
                                        const Chunk& chunk, Scalar* memory, const Scalar* inputs) {
  const auto add = [&](std::size_t place, Scalar gradient) {
    job.gradients[place] = chunk.begins_batch() ? gradient : job.gradients[place] + gradient;
  };
  detail::for_each_gradient<Layout>(
      team, job, chunk, memory, inputs,
      detail::GradientSink{
          [&]<std::size_t Index>(std::size_t, const detail::WeightTile& tile, const auto& sums) {
            detail::for_each_row<Layout, Index>(tile, [&](std::size_t o, std::size_t place, std::size_t count) {
              for (std::size_t f = 0; f < count; ++f) {
                add(place + f, sums[o][f]);
              }
            });
          },
          [&](std::size_t, const auto& pairs, const auto& gradients) {
            RETORT_UNROLL for (std::size_t i = 0; i < std::extent_v<std::remove_reference_t<decltype(pairs)>>; ++i) {
              for (std::uint32_t f = 0; f < pairs[i].count; ++f) {
                add(pairs[i].place + f, gradients[i][f]);
              }
            }
          },
          [&](std::size_t, std::size_t place, Scalar gradient) { add(place, gradient); }},
      [](std::size_t) {});
}

/// The sum of the squares of a thread's stored gradients.
template <typename Layout, typename Job, typename Scalar>
RETORT_HOST_DEVICE double squared_norm(std::size_t thread, const Job& job, const Scalar* memory) {
  double sum = 0.0;
  const auto add = [&](std::size_t place, std::size_t count) {
    for (std::size_t f = 0; f < count; ++f) {
      const auto gradient = static_cast<double>(job.gradients[place + f]);
      sum += gradient * gradient;
    }
  };
  detail::for_each_tile<Layout>(thread, [&]<std::size_t Index>(const detail::WeightTile& tile) {
    detail::for_each_row<Layout, Index>(tile,
                                        [&](std::size_t, std::size_t place, std::size_t count) { add(place, count); });
  });
  detail::for_each_pair<Layout>(thread, [&](const detail::WeightPair& own) { add(own.place, own.count); });
  detail::for_each_bias<Layout>(thread, memory, [&](std::size_t place, const Scalar*) { add(place, 1); });
  return sum;
}

/// One thread's part of the optimizer's step on gradients that were stored, each times `factor`.
template <typename Layout, std::size_t Moments, typename L, typename Rule, typename Scalar>
RETORT_HOST_DEVICE void update_from_stored(std::size_t thread, const Updater<Layout, Moments, L, Rule, Scalar>& updater,
                                           Scalar factor) {
  const Scalar* stored = updater.job.gradients;
  detail::for_each_tile<Layout>(thread, [&]<std::size_t Index>(const detail::WeightTile& tile) {
    detail::for_each_row<Layout, Index>(tile, [&](std::size_t o, std::size_t place, std::size_t count) {
      Scalar gradients[quad] = {};
      for (std::size_t f = 0; f < count; ++f) {
        gradients[f] = stored[place + f] * factor;
      }
      updater.template row<TiledStage<typename Layout::Model, Index>>(tile.index + o * quad, place, count, gradients);
    });
  });
  detail::for_each_pair<Layout>(thread, [&](const detail::WeightPair& own) {
    const detail::WeightPair pairs[1] = {own};
    Scalar gradients[1][2] = {};
    for (std::uint32_t f = 0; f < own.count; ++f) {
      gradients[0][f] = stored[own.place + f] * factor;
    }
    updater.pairs(pairs, gradients);
  });
  detail::for_each_bias<Layout>(thread, static_cast<const Scalar*>(updater.memory),
                                [&](std::size_t place, const Scalar*) { updater.bias(place, stored[place] * factor); });
}

}  // namespace retort::inline RETORT_INSTRUCTION_SET::backend::block
