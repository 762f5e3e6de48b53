#pragma once
/// @file
/// The gradients of the weights, and the optimizer's step: a tile of weights is one thread's, with its moments.

#include <cstddef>

#include "retort/backend/cuda/chip/job.hpp"
#include "retort/backend/cuda/chip/layout.hpp"
#include "retort/backend/cuda/chip/operands.hpp"
#include "retort/backend/cuda/chip/passes.hpp"
#include "retort/core/host_device.hpp"
#include "retort/data/gather.hpp"

namespace retort::backend::chip {

/// A thread's moments for as long as a job lasts; empty where they stay in global memory.
template <typename Layout, std::size_t Moments, typename Scalar,
          bool in_registers = Layout::template moments_in_registers<Moments>>
struct KeptMoments {
  Scalar weights[Layout::slots][Moments > 0 ? Moments : 1][Layout::tile_size]{};
  Scalar biases[Moments > 0 ? Moments : 1]{};
};
template <typename Layout, std::size_t Moments, typename Scalar>
struct KeptMoments<Layout, Moments, Scalar, false> {};

namespace detail {

/// Calls function.template operator()<Index>(slot, tile, first output, quad) for each tile of weights of a thread.
template <typename Layout, typename Function>
RETORT_HOST_DEVICE void for_each_tile(std::size_t thread, const Function& function) {
  RETORT_UNROLL for (std::size_t slot = 0; slot < Layout::slots; ++slot) {
    const std::size_t tile = thread + slot * Layout::threads;
    for_each_stage<typename Layout::Model>([&]<std::size_t Index>() {
      using S = Stage<typename Layout::Model, Index>;
      const std::size_t own = tile - Layout::template first_tile<Index>;  // huge for a tile of an earlier stage
      if (own < S::weight_tiles) {
        function.template operator()<Index>(slot, own / S::quads * S::out_tile, own % S::quads);
      }
    });
  }
}

/// Calls function(where in the parameters, the gradients of the stage's sums of that output) for each bias of a thread.
template <typename Layout, typename Scalar, typename Function>
RETORT_HOST_DEVICE void for_each_bias(std::size_t thread, const Scalar* memory, const Function& function) {
  for (std::size_t slot = 0; slot < Layout::bias_slots; ++slot) {
    const std::size_t bias = thread + slot * Layout::threads;
    for_each_stage<typename Layout::Model>([&]<std::size_t Index>() {
      using S = Stage<typename Layout::Model, Index>;
      if constexpr (S::has_bias) {
        const std::size_t own = bias - Layout::template first_bias<Index>;
        if (own < S::out) {
          function(S::bias + own, memory + Layout::template sums<Index> + own * Layout::stride);
        }
      }
    });
  }
}

/// The sum of a feature's samples, a multiple of four.
template <typename Scalar>
RETORT_HOST_DEVICE Scalar sum_samples(const Scalar* values, std::size_t samples) {
  Quad<Scalar> sums{};
  for (std::size_t sample = 0; sample < samples; sample += quad) {
    const Quad<Scalar> next = load_quad(values + sample);
    for (std::size_t j = 0; j < quad; ++j) {
      sums.values[j] += next.values[j];
    }
  }
  return (sums.values[0] + sums.values[1]) + (sums.values[2] + sums.values[3]);
}

/// sums[o][f] = sum over the samples of output_gradient[first + o] input[4 q + f].
template <typename Layout, std::size_t Index, typename Input, typename Scalar>
RETORT_HOST_DEVICE void tile_gradient(const Input& input, const data::GatherConstants<Scalar>& constants,
                                      const Scalar* output_gradient, std::size_t first, std::size_t q,
                                      std::size_t samples,
                                      Scalar (&sums)[Stage<typename Layout::Model, Index>::out_tile][quad]) {
  using S = Stage<typename Layout::Model, Index>;
  const auto row = [&](std::size_t o) {
    return output_gradient +
           (S::out % S::out_tile == 0 || first + o < S::out ? first + o : S::out - 1) * Layout::stride;
  };
  for (std::size_t sample = 0; sample < samples; sample += quad) {
    Scalar values[quad][quad];
    input.square(q, sample, values);
    for (std::size_t o = 0; o < S::out_tile; ++o) {
      const Quad<Scalar> factors = load_quad(row(o) + sample);
      for (std::size_t f = 0; f < quad; ++f) {
        for (std::size_t j = 0; j < quad; ++j) {
          sums[o][f] += factors.values[j] * values[f][j];
        }
      }
    }
  }
  if constexpr (Index == 0 && Layout::input_kind == InputKind::bytes) {
    for (std::size_t o = 0; o < S::out_tile; ++o) {
      const Scalar offset = has_offset<Layout>(constants) ? constants.offset * sum_samples(row(o), samples) : Scalar{0};
      for (std::size_t f = 0; f < quad; ++f) {
        sums[o][f] = sums[o][f] * constants.scale + offset;
      }
    }
  }
}

/// The gradients of a thread's weights and biases over a chunk: on_tile.template operator()<Index>(slot, first, q,
/// sums) and on_bias(place, gradient).
template <typename Layout, typename Job, typename Scalar, typename OnTile, typename OnBias>
RETORT_HOST_DEVICE void for_each_gradient(std::size_t thread, const Job& job, const Chunk& chunk, const Scalar* memory,
                                          const Scalar* inputs, const OnTile& on_tile, const OnBias& on_bias) {
  const std::size_t samples = (chunk.size + quad - 1) / quad * quad;
  for_each_tile<Layout>(thread, [&]<std::size_t Index>(std::size_t slot, std::size_t first, std::size_t q) {
    Scalar sums[Stage<typename Layout::Model, Index>::out_tile][quad] = {};
    tile_gradient<Layout, Index>(stage_input<Layout, Index>(memory, inputs), job.training.constants,
                                 memory + Layout::template sums<Index>, first, q, samples, sums);
    on_tile.template operator()<Index>(slot, first, q, sums);
  });
  for_each_bias<Layout>(thread, memory, [&](std::size_t place, const Scalar* gradients) {
    on_bias(place, sum_samples(gradients, samples));
  });
}

/// Calls function(o, place of the first of its elements, their count) for each row of a tile that is inside the weight:
/// a quad, or what there is before the row's end.
template <typename S, typename Function>
RETORT_HOST_DEVICE void for_each_row(std::size_t first, std::size_t q, const Function& function) {
  const std::size_t count = S::in % quad == 0 || quad * q + quad <= S::in ? quad : S::in - quad * q;
  RETORT_UNROLL for (std::size_t o = 0; o < S::out_tile; ++o) {
    if (S::out % S::out_tile == 0 || first + o < S::out) {
      function(o, S::weight + (first + o) * S::in + quad * q, count);
    }
  }
}

/// The elements of a row, as for_each_row has them. Behind the row's end nothing is read or written.
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

template <std::size_t Moments, typename Rule, typename Scalar>
RETORT_HOST_DEVICE void apply_rule(const Rule& rule, Scalar& parameter, Scalar gradient, Scalar& first,
                                   Scalar& second) {
  static_assert(Moments <= 2, "retort: the CUDA backend knows optimizers of up to two moments");
  if constexpr (Moments == 0) {
    rule(parameter, gradient);
  } else if constexpr (Moments == 1) {
    rule(parameter, gradient, first);
  } else {
    rule(parameter, gradient, first, second);
  }
}

}  // namespace detail

/// Between a thread's moments in registers and the job's. `Load`: into the registers, else out of them.
template <bool Load, typename Layout, std::size_t Moments, typename L, typename Rule, typename Scalar>
RETORT_HOST_DEVICE void move_moments(std::size_t thread, const TrainingJob<Scalar, Moments, L, Rule>& job,
                                     const Scalar* memory, KeptMoments<Layout, Moments, Scalar>& kept) {
  if constexpr (Moments > 0 && Layout::template moments_in_registers<Moments>) {
    RETORT_UNROLL for (std::size_t i = 0; i < Moments; ++i) {
      detail::for_each_tile<Layout>(thread, [&]<std::size_t Index>(std::size_t slot, std::size_t first, std::size_t q) {
        using S = Stage<typename Layout::Model, Index>;
        detail::for_each_row<S>(first, q, [&](std::size_t o, std::size_t place, std::size_t count) {
          Quad<Scalar> row{};
          if constexpr (Load) {
            row = detail::load_row<S>(job.moments[i] + place, count);
          }
          RETORT_UNROLL for (std::size_t f = 0; f < quad; ++f) {
            if constexpr (Load) {
              kept.weights[slot][i][o * quad + f] = row.values[f];
            } else {
              row.values[f] = kept.weights[slot][i][o * quad + f];
            }
          }
          if constexpr (!Load) {
            detail::store_row<S>(row, count, job.moments[i] + place);
          }
        });
      });
      detail::for_each_bias<Layout>(thread, memory, [&](std::size_t place, const Scalar*) {
        if constexpr (Load) {
          kept.biases[i] = job.moments[i][place];
        } else {
          job.moments[i][place] = kept.biases[i];
        }
      });
    }
  }
}

/// Applies the optimizer's rule to a thread's parameters in the block's memory.
template <typename Layout, std::size_t Moments, typename L, typename Rule, typename Scalar>
struct Updater {
  static constexpr bool in_registers = Layout::template moments_in_registers<Moments>;
  static constexpr std::size_t second = Moments > 1 ? 1 : 0;

  const TrainingJob<Scalar, Moments, L, Rule>& job;
  const Rule& rule;
  Scalar* memory;
  KeptMoments<Layout, Moments, Scalar>& kept;

  /// A row of a tile: see detail::for_each_row.
  template <typename S>
  RETORT_HOST_DEVICE void row(std::size_t slot, std::size_t o, std::size_t place, std::size_t count,
                              const Scalar (&gradients)[quad]) const {
    Scalar* weights = memory + Layout::parameters + place;
    Quad<Scalar> parameters = detail::load_row<S>(static_cast<const Scalar*>(weights), count);
    if constexpr (in_registers) {
      RETORT_UNROLL for (std::size_t f = 0; f < quad; ++f) {
        detail::apply_rule<Moments>(rule, parameters.values[f], gradients[f], kept.weights[slot][0][o * quad + f],
                                    kept.weights[slot][second][o * quad + f]);
      }
    } else {
      Quad<Scalar> means = detail::load_row<S>(static_cast<const Scalar*>(job.moments[0]) + place, count);
      Quad<Scalar> squares = detail::load_row<S>(static_cast<const Scalar*>(job.moments[second]) + place, count);
      for (std::size_t f = 0; f < quad; ++f) {
        detail::apply_rule<Moments>(rule, parameters.values[f], gradients[f], means.values[f], squares.values[f]);
      }
      detail::store_row<S>(means, count, job.moments[0] + place);
      if constexpr (second != 0) {
        detail::store_row<S>(squares, count, job.moments[second] + place);
      }
    }
    detail::store_row<S>(parameters, count, weights);
  }

  RETORT_HOST_DEVICE void bias(std::size_t place, Scalar gradient) const {
    Scalar& parameter = memory[Layout::parameters + place];
    if constexpr (in_registers) {
      detail::apply_rule<Moments>(rule, parameter, gradient, kept.biases[0], kept.biases[second]);
    } else {
      detail::apply_rule<Moments>(rule, parameter, gradient, job.moments[0][place], job.moments[second][place]);
    }
  }
};

/// One thread's part of a step whose batch is this one chunk: the gradients never leave the registers.
template <typename Layout, std::size_t Moments, typename L, typename Rule, typename Scalar>
RETORT_HOST_DEVICE void update(std::size_t thread, const TrainingJob<Scalar, Moments, L, Rule>& job, const Chunk& chunk,
                               const Rule& rule, Scalar* memory, const Scalar* inputs,
                               KeptMoments<Layout, Moments, Scalar>& kept) {
  const Updater<Layout, Moments, L, Rule, Scalar> updater{job, rule, memory, kept};
  detail::for_each_gradient<Layout>(
      thread, job, chunk, static_cast<const Scalar*>(memory), inputs,
      [&]<std::size_t Index>(std::size_t slot, std::size_t first, std::size_t q, const auto& sums) {
        using S = Stage<typename Layout::Model, Index>;
        detail::for_each_row<S>(first, q, [&](std::size_t o, std::size_t place, std::size_t count) {
          updater.template row<S>(slot, o, place, count, sums[o]);
        });
      },
      [&](std::size_t place, Scalar gradient) { updater.bias(place, gradient); });
}

/// One thread's part of the gradients of a batch that is cut into chunks, or is to be clipped: added up outside of the
/// block's memory.
template <typename Layout, std::size_t Moments, typename L, typename Rule, typename Scalar>
RETORT_HOST_DEVICE void store_gradients(std::size_t thread, const TrainingJob<Scalar, Moments, L, Rule>& job,
                                        const Chunk& chunk, const Scalar* memory, const Scalar* inputs) {
  const auto add = [&](std::size_t place, Scalar gradient) {
    job.gradients[place] = chunk.begins_batch() ? gradient : job.gradients[place] + gradient;
  };
  detail::for_each_gradient<Layout>(
      thread, job, chunk, memory, inputs,
      [&]<std::size_t Index>(std::size_t, std::size_t first, std::size_t q, const auto& sums) {
        detail::for_each_row<Stage<typename Layout::Model, Index>>(
            first, q, [&](std::size_t o, std::size_t place, std::size_t count) {
              for (std::size_t f = 0; f < count; ++f) {
                add(place + f, sums[o][f]);
              }
            });
      },
      add);
}

/// The sum of the squares of a thread's stored gradients.
template <typename Layout, typename Job, typename Scalar>
RETORT_HOST_DEVICE double squared_norm(std::size_t thread, const Job& job, const Scalar* memory) {
  double sum = 0.0;
  const auto add = [&](std::size_t place) {
    const auto gradient = static_cast<double>(job.gradients[place]);
    sum += gradient * gradient;
  };
  detail::for_each_tile<Layout>(thread, [&]<std::size_t Index>(std::size_t, std::size_t first, std::size_t q) {
    detail::for_each_row<Stage<typename Layout::Model, Index>>(first, q,
                                                               [&](std::size_t, std::size_t place, std::size_t count) {
                                                                 for (std::size_t f = 0; f < count; ++f) {
                                                                   add(place + f);
                                                                 }
                                                               });
  });
  detail::for_each_bias<Layout>(thread, memory, [&](std::size_t place, const Scalar*) { add(place); });
  return sum;
}

/// One thread's part of the optimizer's step on gradients that were stored, each times `factor`.
template <typename Layout, std::size_t Moments, typename L, typename Rule, typename Scalar>
RETORT_HOST_DEVICE void update_from_stored(std::size_t thread, const TrainingJob<Scalar, Moments, L, Rule>& job,
                                           const Rule& rule, Scalar factor, Scalar* memory,
                                           KeptMoments<Layout, Moments, Scalar>& kept) {
  const Updater<Layout, Moments, L, Rule, Scalar> updater{job, rule, memory, kept};
  detail::for_each_tile<Layout>(thread, [&]<std::size_t Index>(std::size_t slot, std::size_t first, std::size_t q) {
    using S = Stage<typename Layout::Model, Index>;
    detail::for_each_row<S>(first, q, [&](std::size_t o, std::size_t place, std::size_t count) {
      Scalar gradients[quad] = {};
      for (std::size_t f = 0; f < count; ++f) {
        gradients[f] = job.gradients[place + f] * factor;
      }
      updater.template row<S>(slot, o, place, count, gradients);
    });
  });
  detail::for_each_bias<Layout>(thread, static_cast<const Scalar*>(memory), [&](std::size_t place, const Scalar*) {
    updater.bias(place, job.gradients[place] * factor);
  });
}

}  // namespace retort::backend::chip
