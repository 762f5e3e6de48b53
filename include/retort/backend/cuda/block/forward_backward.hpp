// SPDX-License-Identifier: MIT
#pragma once
/// @file
/// The stages of a model forward and backward over a chunk. A product is one phase; a second phase adds its slices and
/// applies what follows. A narrow product (products.hpp) does both in one.

#include <cstddef>
#include <cstdint>
#include <type_traits>

#include "retort/backend/arguments.hpp"
#include "retort/backend/chain.hpp"
#include "retort/backend/cuda/block/gather.hpp"
#include "retort/backend/cuda/block/groups.hpp"
#include "retort/backend/cuda/block/job.hpp"
#include "retort/backend/cuda/block/layout.hpp"
#include "retort/backend/cuda/block/products.hpp"
#include "retort/backend/cuda/block/tensor_forward.hpp"
#include "retort/backend/cuda/vector_access.hpp"
#include "retort/core/host_device.hpp"
#include "retort/core/instruction_set.hpp"

namespace retort::inline RETORT_INSTRUCTION_SET::backend::block {

/// The phases of a stage's wide product, in slices, before bias and scale.
template <typename Layout, std::size_t Index, typename Team, typename Scalar>
RETORT_HOST_DEVICE void wide_forward_product(Team& team, const InputConstants<Scalar>& constants, Scalar* memory,
                                             const Scalar* inputs) {
  if constexpr (Index == 0 && Layout::on_tensor_cores) {
    detail::tensor_forward_product<Layout>(team, constants, memory, inputs);
  } else {
    team([&](std::size_t thread) {
      detail::forward_product<Layout, Index>(thread, memory, inputs);
      if constexpr (Index == 0 && Layout::has_row_sums) {
        if (has_offset<Layout>(constants)) {
          sum_rows<Layout>(thread, constants.offset, memory);
        }
      }
    });
  }
}

/// All stages forward, in training or outside of it. `random` is that of layer 0.
template <typename Layout, bool training, typename Team, typename Scalar>
RETORT_HOST_DEVICE void forward(Team& team, const InputConstants<Scalar>& constants, const LayerRandom& random,
                                const Chunk& chunk, Scalar* memory, const Scalar* inputs) {
  using M = typename Layout::Model;
  constexpr auto stride = static_cast<std::uint32_t>(Layout::stride);
  for_each_stage<M>([&]<std::size_t Index>() {
    using S = TiledStage<M, Index>;
    // Applies to a group what follows its product: bias and chain.
    const auto finish = [&](const auto& group, auto& sums) {
      constexpr std::size_t width = std::remove_cvref_t<decltype(group)>::width;
      const auto at = [&](std::size_t i) { return group.places[i].feature * stride + group.places[i].sample; };
      RETORT_UNROLL for (std::size_t i = 0; i < quad; ++i) {
        if (i < group.count) {
          if (S::has_bias) {
            const Scalar bias = memory[Layout::parameters + S::bias + group.places[i].feature];
            RETORT_UNROLL for (std::size_t j = 0; j < width; ++j) { sums.values[j][i] += bias; }
          }
          if constexpr (S::has_chain) {
            sums.store(i, memory + Layout::template sums<Index> + at(i));
          }
        }
      }
      if constexpr (S::has_chain) {
        RETORT_UNROLL for (std::size_t j = 0; j < width; ++j) {
          apply_chain<training, false>(typename S::Chain{}, LayerRandom{random.seed, random.step, S::chain_layer},
                                       group.numbers[j], sums.values[j]);
        }
      }
      RETORT_UNROLL for (std::size_t i = 0; i < quad; ++i) {
        if (i < group.count) {
          sums.store(i, memory + Layout::template outputs<Index> + at(i));
        }
      }
    };
    if constexpr (detail::narrow_forward<Layout, Index>) {
      team([&](std::size_t thread) {
        detail::for_each_group<Layout, S::out, S::has_chain>(thread, chunk, [&](const auto& group) {
          detail::GroupValues<Scalar, std::remove_cvref_t<decltype(group)>::width> sums;
          detail::multiply_group<Layout, Index>(static_cast<const Scalar*>(memory), group, sums);
          finish(group, sums);
        });
      });
    } else {
      constexpr bool has_row_sums = Index == 0 && Layout::has_row_sums;
      wide_forward_product<Layout, Index>(team, constants, memory, inputs);
      constexpr std::size_t slices = Layout::template forward_slices<Index>;
      const Scalar* partial_sums = memory + Layout::partial_sums;
      team([&](std::size_t thread) {
        const bool of_bytes = Index == 0 && Layout::input_kind == InputKind::bytes;
        const Scalar scale = of_bytes ? constants.scale * Layout::sum_unit : Scalar{1};
        const bool offset = has_row_sums && has_offset<Layout>(constants);
        detail::for_each_group<Layout, S::out, S::has_chain>(thread, chunk, [&](const auto& group) {
          constexpr std::size_t width = std::remove_cvref_t<decltype(group)>::width;
          detail::GroupValues<Scalar, width> sums;
          RETORT_UNROLL for (std::size_t i = 0; i < quad; ++i) {
            if (i < group.count) {
              const auto [feature, sample] = group.places[i];
              constexpr auto slice_stride = static_cast<std::uint32_t>(Layout::template slice_stride<Index>);
              detail::sum_slices<slices, S::out * slice_stride>(partial_sums + feature * slice_stride + sample, i,
                                                                sums);
              const Scalar more = offset ? memory[Layout::row_sums + feature] : Scalar{0};
              RETORT_UNROLL for (std::size_t j = 0; j < width; ++j) {
                sums.values[j][i] = scale * sums.values[j][i] + more;
              }
            }
          }
          finish(group, sums);
        });
      });
    }
  });
}

/// All stages backward. Begins with the gradient of the last stage's outputs, which stands in their place, and puts the
/// gradient of each stage's sums in the place of those sums.
template <typename Layout, typename Team, typename Scalar>
RETORT_HOST_DEVICE void backward(Team& team, const LayerRandom& random, const Chunk& chunk, Scalar* memory) {
  using M = typename Layout::Model;
  constexpr auto stride = static_cast<std::uint32_t>(Layout::stride);
  for_each_stage_reversed<M>([&]<std::size_t Index>() {
    using S = TiledStage<M, Index>;
    constexpr bool last = S::is_last;
    constexpr bool narrow = [] {
      if constexpr (last) {
        return false;
      } else {
        return detail::narrow_backward<Layout, Index + 1>;
      }
    }();
    if constexpr (!last && !narrow) {
      team([&](std::size_t thread) { detail::backward_product<Layout, Index + 1>(thread, memory); });
    }
    if constexpr (!last || S::has_chain) {
      team([&](std::size_t thread) {
        detail::for_each_group<Layout, S::out, S::has_chain>(thread, chunk, [&](const auto& group) {
          constexpr std::size_t width = std::remove_cvref_t<decltype(group)>::width;
          const auto at = [&](std::size_t i) { return group.places[i].feature * stride + group.places[i].sample; };
          detail::GroupValues<Scalar, width> values;
          detail::GroupValues<Scalar, width> gradients;
          if constexpr (narrow) {
            detail::multiply_group_back<Layout, Index + 1>(static_cast<const Scalar*>(memory), group, gradients);
          }
          RETORT_UNROLL for (std::size_t i = 0; i < quad; ++i) {
            if (i < group.count) {
              if constexpr (S::has_chain) {
                values.load(i, memory + Layout::template sums<Index> + at(i));
              }
              if constexpr (last) {
                gradients.load(i, memory + Layout::template outputs<Index> + at(i));
              } else if constexpr (!narrow) {
                detail::sum_slices<Layout::template backward_slices<Index + 1>, S::out * Layout::stride>(
                    static_cast<const Scalar*>(memory) + Layout::partial_sums + at(i), i, gradients);
              }
            }
          }
          if constexpr (S::has_chain) {
            RETORT_UNROLL for (std::size_t j = 0; j < width; ++j) {
              apply_chain<true, true>(typename S::Chain{}, LayerRandom{random.seed, random.step, S::chain_layer},
                                      group.numbers[j], values.values[j], gradients.values[j]);
            }
          }
          RETORT_UNROLL for (std::size_t i = 0; i < quad; ++i) {
            if (i < group.count) {
              gradients.store(i, memory + Layout::template sums<Index> + at(i));
            }
          }
        });
      });
    }
  });
}

/// How many samples of a chunk the sums over samples add up: on tensor cores always as many as a chunk has room for, so
/// that loops can be unrolled.
template <typename Layout>
RETORT_HOST_DEVICE std::size_t summed_samples(const Chunk& chunk) {
  return Layout::on_tensor_cores ? Layout::samples : (chunk.size + quad - 1) / quad * quad;
}

/// Zeros for the gradients of the samples that a chunk lacks, where the sums over samples read them, and where they
/// begin: what flows back from there is zero then.
template <typename Layout, typename Scalar>
RETORT_HOST_DEVICE void clear_missing(std::size_t thread, const Chunk& chunk, Scalar* memory) {
  using M = typename Layout::Model;
  const std::size_t end = summed_samples<Layout>(chunk);
  if (end == chunk.size) {
    return;
  }
  for_each_stage<M>([&]<std::size_t Index>() {
    using S = TiledStage<M, Index>;
    const auto clear = [&](Scalar* matrix) {
      for (std::size_t feature = thread; feature < S::out; feature += Layout::threads) {
        for (std::size_t sample = chunk.size; sample < end; ++sample) {
          matrix[feature * Layout::stride + sample] = 0;
        }
      }
    };
    clear(memory + Layout::template sums<Index>);
    if constexpr (S::is_last && S::has_chain) {
      clear(memory + Layout::template outputs<Index>);
    }
  });
}

}  // namespace retort::inline RETORT_INSTRUCTION_SET::backend::block
