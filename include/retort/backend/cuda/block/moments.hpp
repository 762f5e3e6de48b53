// SPDX-License-Identifier: MIT
#pragma once
/// @file
/// Where the optimizer's moments are during a job: in registers, in the block's memory, or where the job has them.

#include <cstddef>
#include <cstdint>

#include "retort/backend/cuda/block/gradients.hpp"
#include "retort/backend/cuda/block/job.hpp"
#include "retort/backend/cuda/block/layout.hpp"
#include "retort/backend/cuda/block/tensor_stage.hpp"
#include "retort/backend/cuda/block/tiles.hpp"
#include "retort/backend/cuda/vector_access.hpp"
#include "retort/core/host_device.hpp"
#include "retort/core/instruction_set.hpp"

namespace retort::inline RETORT_INSTRUCTION_SET::backend::block {

/// The moments that a thread keeps in registers (Layout::weights_per_thread); empty where they are elsewhere.
template <typename Layout, std::size_t Moments, typename Scalar,
          bool in_registers = Layout::template moments_in_registers<Moments>>
struct KeptMoments {
  Scalar weights[Moments > 0 ? Moments : 1][Layout::weights_per_thread]{};
  Scalar biases[Moments > 0 ? Moments : 1]{};
};
template <typename Layout, std::size_t Moments, typename Scalar>
struct KeptMoments<Layout, Moments, Scalar, false> {};

namespace detail {

/// The elements of a row, as for_each_row names them. Nothing beyond the row's end is read or written.
template <typename S, typename Scalar>
RETORT_HOST_DEVICE Quad<Scalar> load_row(const Scalar* from, std::size_t count) {
  if constexpr (S::in % quad == 0) {
    return load_quad(from);
  } else {
    Quad<Scalar> row{};
    for (std::size_t f = 0; f < count; ++f) {
      row.values[f] = from[f];
    }
    return row;
  }
}
template <typename S, typename Scalar>
RETORT_HOST_DEVICE void store_row(const Quad<Scalar>& row, std::size_t count, Scalar* to) {
  if constexpr (S::in % quad == 0) {
    store_quad(row, to);
  } else {
    for (std::size_t f = 0; f < count; ++f) {
      to[f] = row.values[f];
    }
  }
}

/// The same for a WeightPair.
template <typename S, typename Scalar>
RETORT_HOST_DEVICE Pair<Scalar> load_places(const Scalar* from, std::uint32_t count) {
  if constexpr (S::in % 2 == 0) {
    return load_pair(from);
  } else {
    Pair<Scalar> pair{};
    pair.values[0] = from[0];
    if (count > 1) {
      pair.values[1] = from[1];
    }
    return pair;
  }
}
template <typename S, typename Scalar>
RETORT_HOST_DEVICE void store_places(const Pair<Scalar>& pair, std::uint32_t count, Scalar* to) {
  if constexpr (S::in % 2 == 0) {
    store_pair(pair, to);
  } else {
    to[0] = pair.values[0];
    if (count > 1) {
      to[1] = pair.values[1];
    }
  }
}

}  // namespace detail

/// The i-th moments, by place, of the parameters whose moments are not in registers; on tensor cores, of those after
/// the first weight.
template <typename Layout, std::size_t Moments, typename L, typename Rule, typename Scalar>
RETORT_HOST_DEVICE Scalar* moments_by_place(const TrainingJob<Scalar, Moments, L, Rule>& job, std::size_t i,
                                            Scalar* memory) {
  if constexpr (Layout::template moments_in_memory<Moments>) {
    return memory + Layout::moments + i * Layout::other_parameters - Layout::first_other_parameter;
  } else {
    return job.moments[i];
  }
}

/// Moves a thread's moments from the job (`Load`) or to it. `block`: the block's number in its cluster.
template <bool Load, typename Layout, std::size_t Moments, typename L, typename Rule, typename Scalar>
RETORT_HOST_DEVICE void move_moments(std::size_t thread, std::size_t block,
                                     const TrainingJob<Scalar, Moments, L, Rule>& job, Scalar* memory,
                                     KeptMoments<Layout, Moments, Scalar>& kept) {
  if constexpr (Moments > 0) {
    RETORT_UNROLL for (std::size_t i = 0; i < Moments; ++i) {
      const auto in_job = [&](std::size_t place) { return job.moments[i] + Layout::model_place(block, place); };
      const auto writes = [&](std::size_t place) { return !Load && Layout::is_written_by(block, place); };
      if constexpr (Layout::template moments_in_registers<Moments> && !Layout::on_tensor_cores) {
        detail::for_each_tile<Layout>(thread, [&]<std::size_t Index>(const detail::WeightTile& tile) {
          using S = TiledStage<typename Layout::Model, Index>;
          detail::for_each_row<Layout, Index>(tile, [&](std::size_t o, std::size_t place, std::size_t count) {
            Quad<Scalar> row{};
            if constexpr (Load) {
              row = detail::load_row<S>(static_cast<const Scalar*>(in_job(place)), count);
            }
            RETORT_UNROLL for (std::size_t f = 0; f < quad; ++f) {
              if constexpr (Load) {
                kept.weights[i][tile.index + o * quad + f] = row.values[f];
              } else {
                row.values[f] = kept.weights[i][tile.index + o * quad + f];
              }
            }
            if (writes(place)) {
              detail::store_row<S>(row, count, in_job(place));
            }
          });
        });
        detail::for_each_bias<Layout>(thread, static_cast<const Scalar*>(memory),
                                      [&](std::size_t place, const Scalar*) {
                                        if constexpr (Load) {
                                          kept.biases[i] = *in_job(place);
                                        } else if (writes(place)) {
                                          *in_job(place) = kept.biases[i];
                                        }
                                      });
      }
      if constexpr (Layout::template moments_in_registers<Moments> && Layout::on_tensor_cores) {
        detail::for_each_pair<Layout>(thread, [&](const detail::WeightPair& own) {
          using S = TiledStage<typename Layout::Model, 0>;
          Pair<Scalar> pair{};
          if constexpr (Load) {
            pair = detail::load_places<S>(static_cast<const Scalar*>(in_job(own.place)), own.count);
          }
          RETORT_UNROLL for (std::uint32_t f = 0; f < 2; ++f) {
            if constexpr (Load) {
              kept.weights[i][own.index + f] = pair.values[f];
            } else {
              pair.values[f] = kept.weights[i][own.index + f];
            }
          }
          if (writes(own.place)) {
            detail::store_places<S>(pair, own.count, in_job(own.place));
          }
        });
      }
      if constexpr (Layout::template moments_in_memory<Moments>) {
        Scalar* here = moments_by_place<Layout>(job, i, memory);
        for (std::size_t place = Layout::first_other_parameter + thread; place < Layout::Model::parameter_arena_size;
             place += Layout::threads) {
          if constexpr (Load) {
            here[place] = *in_job(place);
          } else if (writes(place)) {
            *in_job(place) = here[place];
          }
        }
      }
    }
  }
}

}  // namespace retort::inline RETORT_INSTRUCTION_SET::backend::block
