#pragma once
/// @file
/// The three products of a Linear layer on panels. Each is cut along the rows of its result.

#include <array>
#include <cstddef>

#include "retort/backend/eigen/panel/panel.hpp"
#include "retort/nn/linear.hpp"
#include "retort/simd/tile.hpp"
#include "retort/simd/vector.hpp"

namespace retort::backend::panel {

/// Memory that will be read soon, and is fetched while a product runs: a cache line with each step along the depth.
struct Ahead {
  const std::byte* data = nullptr;  ///< null for nothing

  /// What the row tile that begins with `row` is to fetch, `in` lines: a panel of inputs has as many lines for each
  /// feature as a register tile has vectors, so that is how many tiles it takes.
  template <typename V>
  const std::byte* of_tile(std::size_t row, std::size_t in) const {
    const std::size_t tile = row / simd::tile_rows;
    return data == nullptr || tile >= simd::tile_vectors<V> ? nullptr : data + tile * in * sizeof(V);
  }
};

namespace detail {

/// Rows of output (out, samples) = weight (out, in) input (in, samples) + bias; null for no bias. `in` counts what
/// Multiply takes at once, also below.
template <typename V, std::size_t Rows, std::size_t Vectors, typename Multiply = simd::MultiplyElements>
RETORT_NOINLINE void forward_tile(const simd::ScalarOf<V>* weight, std::size_t weight_stride, std::size_t in,
                                  const simd::ScalarOf<V>* bias, const simd::ScalarOf<V>* input,
                                  simd::ScalarOf<V>* output, const std::byte* ahead) {
  using Scalar = simd::ScalarOf<V>;
  // Where nothing is to be fetched, the same line again and again costs next to nothing.
  const std::size_t step = ahead == nullptr ? 0 : sizeof(V);
  ahead = ahead == nullptr ? reinterpret_cast<const std::byte*>(output) : ahead;
  simd::Tile<V, Rows, Vectors> tile;
  simd::detail::unroll<Rows>([&](auto r) __attribute__((always_inline)) {
    const V initial(bias != nullptr ? bias[r] : Scalar{0});
    simd::detail::unroll<Vectors>([&](auto v) __attribute__((always_inline)) { tile.sums[r][v] = initial; });
  });
  simd::outer_tile<V, Rows, Vectors, Multiply>(
      tile, {weight, weight_stride, 1}, {input, simd::tile_width<V>},
      in, [&](std::size_t depth) __attribute__((always_inline)) {
        simd::prefetch<simd::PrefetchFor::reading>(ahead, depth * step);
      });
  simd::detail::unroll<Rows>([&](auto r) __attribute__((always_inline)) {
    simd::detail::unroll<Vectors>([&](auto v) __attribute__((always_inline)) {
      tile.sums[r][v].store_aligned(output + r * simd::tile_width<V> + v * simd::lanes<V>);
    });
  });
}

/// Fetches the weights that the tile behind the next one will read: a column of the matrix, which no processor
/// foresees.
template <typename Scalar>
struct PrefetchColumns {
  static constexpr std::size_t distance = arena_alignment / sizeof(Scalar) + 2 * simd::tile_rows;
  const Scalar* weight;
  std::size_t stride;
  RETORT_INLINE void operator()(std::size_t depth) const {
    simd::prefetch<simd::PrefetchFor::reading>(weight, (distance + depth * stride) * sizeof(Scalar));
  }
};

/// Rows of input_gradient (in, samples) = weight^T (in, out) output_gradient (out, samples), over `out` of the rows;
/// added to what stands there unless `first`.
template <typename V, std::size_t Rows, std::size_t Vectors, typename Multiply = simd::MultiplyElements,
          typename Prefetch>
RETORT_NOINLINE void input_gradient_tile(const simd::ScalarOf<V>* weight, std::size_t weight_stride, std::size_t out,
                                         bool first, const simd::ScalarOf<V>* output_gradient,
                                         simd::ScalarOf<V>* input_gradient, const Prefetch& prefetch) {
  using Scalar = simd::ScalarOf<V>;
  simd::Tile<V, Rows, Vectors> tile;
  const auto place = [&](std::size_t r, std::size_t v) __attribute__((always_inline)) {
    return input_gradient + r * simd::tile_width<V> + v * simd::lanes<V>;
  };
  if (first) {
    tile.fill(Scalar{0});
  } else {
    simd::detail::unroll<Rows>([&](auto r) __attribute__((always_inline)) {
      simd::detail::unroll<Vectors>([&](auto v) __attribute__((always_inline)) {
        tile.sums[r][v] = V::load_aligned(place(r, v));
      });
    });
  }
  simd::outer_tile<V, Rows, Vectors, Multiply>(tile, {weight, 1, weight_stride}, {output_gradient, simd::tile_width<V>},
                                               out, prefetch);
  simd::detail::unroll<Rows>([&](auto r) __attribute__((always_inline)) {
    simd::detail::unroll<Vectors>([&](auto v)
                                      __attribute__((always_inline)) { tile.sums[r][v].store_aligned(place(r, v)); });
  });
}

/// Fetches what the optimizer will change for the next tile of the same rows.
template <typename Scalar, typename Sink>
struct PrefetchSink {
  const Sink& sink;
  std::size_t offset;
  std::size_t stride;
  std::size_t rows;
  RETORT_INLINE void operator()(std::size_t depth) const {
    constexpr std::size_t line = arena_alignment / sizeof(Scalar);
    constexpr std::size_t lines = simd::tile_width<simd::Vector<Scalar>> / line;
    if (depth < lines * rows) {
      sink.prefetch(offset + depth / lines * stride + depth % lines * line);
    }
  }
};

/// A tile of weight_gradient (out, in) = output_gradient (out, batch) input (batch, in): sums over all samples, which
/// are handed to `sink` with the place of their first element and their count. `Together` samples are multiplied at
/// once, and lie so in both operands.
template <typename V, std::size_t Rows, std::size_t Vectors, typename Multiply, std::size_t Together, typename Sink>
[[gnu::noinline, gnu::flatten]] void weight_gradient_tile(const simd::ScalarOf<V>* output_gradient,
                                                          std::size_t panel_size, const simd::ScalarOf<V>* input,
                                                          std::size_t input_stride, std::size_t batch, std::size_t in,
                                                          std::size_t last_count, std::size_t offset,
                                                          const Sink& sink) {
  using Scalar = simd::ScalarOf<V>;
  simd::Tile<V, Rows, Vectors> tile;
  tile.fill(Scalar{0});
  for (std::size_t sample = 0; sample < batch; sample += width<Scalar>) {
    simd::outer_tile<V, Rows, Vectors, Multiply>(
        tile, {output_gradient, width<Scalar> / Together, 1}, {input + sample / Together * input_stride, input_stride},
        (std::min(width<Scalar>, batch - sample) + Together - 1) / Together,
        PrefetchSink<Scalar, Sink>{sink, offset + simd::tile_width<V>, in, Rows});
    output_gradient += panel_size;
  }
  simd::detail::unroll<Rows>([&](auto r) __attribute__((always_inline)) {
    simd::detail::unroll<Vectors>([&](auto v) __attribute__((always_inline)) {
      const std::size_t at = offset + r * in + v * simd::lanes<V>;
      if (decltype(v)::value + 1 < Vectors || last_count == simd::lanes<V>) {
        sink(at, tile.sums[r][v]);
      } else {
        sink(at, tile.sums[r][v], last_count);
      }
    });
  });
}

}  // namespace detail

/// Rows [begin, end) of one panel's output.
template <typename L, typename V>
void forward_rows(const simd::ScalarOf<V>* parameters, const simd::ScalarOf<V>* input, simd::ScalarOf<V>* output,
                  std::size_t begin, std::size_t end, std::size_t vectors, Ahead ahead = {}) {
  for_each_row_tile<L::output_size>(begin, end, [&]<std::size_t Rows>(std::size_t row) {
    const simd::ScalarOf<V>* bias = nullptr;
    if constexpr (L::has_bias) {
      bias = parameters + bias_offset<L> + row;
    }
    for_each_vector_tile<V>(vectors, [&]<std::size_t Vectors>(std::size_t vector) {
      detail::forward_tile<V, Rows, Vectors>(
          parameters + row * L::input_size, L::input_size, L::input_size, bias, input + vector * simd::lanes<V>,
          output + row * simd::tile_width<V> + vector * simd::lanes<V>, ahead.of_tile<V>(row, L::input_size));
    });
  });
}

/// Rows [begin, end) of one panel's input gradient.
template <typename L, typename V>
void input_gradient_rows(const simd::ScalarOf<V>* parameters, const simd::ScalarOf<V>* output_gradient,
                         simd::ScalarOf<V>* input_gradient, std::size_t begin, std::size_t end, std::size_t vectors) {
  using Scalar = simd::ScalarOf<V>;
  // Rows of the weight whose distance is a multiple of half a page meet in few sets of the cache: few at a time then.
  constexpr std::size_t step = L::input_size * sizeof(Scalar) % 2048 == 0 ? std::size_t{64} : L::output_size;
  for (std::size_t out = 0; out < L::output_size; out += step) {
    const std::size_t count = std::min(step, L::output_size - out);
    for_each_row_tile<L::input_size>(begin, end, [&]<std::size_t Rows>(std::size_t row) {
      const Scalar* weight = parameters + out * L::input_size + row;
      for_each_vector_tile<V>(vectors, [&]<std::size_t Vectors>(std::size_t vector) {
        detail::input_gradient_tile<V, Rows, Vectors>(
            weight, L::input_size, count, out == 0,
            output_gradient + out * simd::tile_width<V> + vector * simd::lanes<V>,
            input_gradient + row * simd::tile_width<V> + vector * simd::lanes<V>,
            detail::PrefetchColumns<Scalar>{weight, L::input_size});
      });
    });
  }
}

/// Rows [begin, end) of the gradient of the weight, summed over the batch and handed to `sink(offset, vector[, count])`
/// with offsets into the layer's parameters. `input` is sample-major.
template <typename L, typename V, typename Multiply = simd::MultiplyElements, std::size_t Together = 1, typename Sink>
void weight_gradient_rows(const simd::ScalarOf<V>* output_gradient, const simd::ScalarOf<V>* input,
                          std::size_t input_stride, std::size_t batch, std::size_t begin, std::size_t end,
                          const Sink& sink) {
  using Scalar = simd::ScalarOf<V>;
  constexpr std::size_t row_size = width<Scalar> / Together;
  constexpr std::size_t vectors = (L::input_size + simd::lanes<V> - 1) / simd::lanes<V>;
  constexpr std::size_t full = vectors / simd::tile_vectors<V>;
  constexpr std::size_t rest = vectors % simd::tile_vectors<V>;
  constexpr std::size_t last_count = L::input_size - (vectors - 1) * simd::lanes<V>;
  for_each_row_tile<L::output_size>(begin, end, [&]<std::size_t Rows>(std::size_t row) {
    const auto tile = [&]<std::size_t Vectors>(std::size_t strip, std::size_t count) {
      const std::size_t column = strip * simd::tile_width<V>;
      detail::weight_gradient_tile<V, Rows, Vectors, Multiply, Together>(
          output_gradient + row * row_size, L::output_size * row_size, input + column, input_stride, batch,
          L::input_size, count, row * L::input_size + column, sink);
    };
    for (std::size_t strip = 0; strip < full; ++strip) {
      tile.template operator()<simd::tile_vectors<V>>(strip,
                                                      rest == 0 && strip + 1 == full ? last_count : simd::lanes<V>);
    }
    if constexpr (rest > 0) {
      tile.template operator()<rest>(full, last_count);
    }
  });
}

/// The same of the bias.
template <typename L, typename V, typename Sink>
void bias_gradient_rows(const simd::ScalarOf<V>* output_gradient, std::size_t batch, std::size_t begin, std::size_t end,
                        const Sink& sink) {
  if constexpr (L::has_bias) {
    using Scalar = simd::ScalarOf<V>;
    constexpr std::size_t panel_size = L::output_size * width<Scalar>;
    alignas(arena_alignment) std::array<Scalar, simd::lanes<V>> sums;
    for (std::size_t row = begin; row < end; row += simd::lanes<V>) {
      const std::size_t rows = std::min(simd::lanes<V>, end - row);
      sums.fill(Scalar{0});
      for (std::size_t r = 0; r < rows; ++r) {
        V sum(Scalar{0});
        for (std::size_t sample = 0; sample < batch; sample += width<Scalar>) {
          const Scalar* values = output_gradient + sample / width<Scalar> * panel_size + (row + r) * width<Scalar>;
          simd::for_each_vector<V>(std::min(width<Scalar>, batch - sample), [&](std::size_t at, std::size_t count) {
            sum += count == simd::lanes<V> ? simd::load<V>(values + at) : simd::load_partial<V>(values + at, count);
          });
        }
        sums[r] = simd::sum_lanes(sum);
      }
      sink(bias_offset<L> + row, V::load_aligned(sums.data()), rows);
    }
  }
}

/// What becomes of a gradient: it is stored.
template <typename Scalar>
struct StoreGradient {
  Scalar* gradients;

  template <typename V>
  RETORT_INLINE void operator()(std::size_t offset, const V& gradient) const {
    gradient.store_unaligned(gradients + offset);
  }
  template <typename V>
  RETORT_INLINE void operator()(std::size_t offset, const V& gradient, std::size_t count) const {
    simd::store_partial(gradient, gradients + offset, count);
  }
  RETORT_INLINE void prefetch(std::size_t offset) const {
    simd::prefetch<simd::PrefetchFor::writing>(gradients, offset * sizeof(Scalar));
  }
};

/// Or the optimizer's rule is applied at once, while it is in a register: it never reaches the memory.
template <typename Rule, typename Scalar, std::size_t Moments>
struct ApplyRule {
  Rule rule;
  Scalar* parameters;
  std::array<Scalar*, Moments> moments;

  template <typename V>
  RETORT_INLINE void operator()(std::size_t offset, const V& gradient) const {
    apply<V>(
        gradient, [&](Scalar * array) __attribute__((always_inline)) { return simd::load<V>(array + offset); },
        [&](const V& value, Scalar* array) __attribute__((always_inline)) { value.store_unaligned(array + offset); });
  }
  template <typename V>
  void operator()(std::size_t offset, const V& gradient, std::size_t count) const {
    apply<V>(
        gradient, [&](Scalar* array) { return simd::load_partial<V>(array + offset, count); },
        [&](const V& value, Scalar* array) { simd::store_partial(value, array + offset, count); });
  }
  RETORT_INLINE void prefetch(std::size_t offset) const {
    simd::prefetch<simd::PrefetchFor::writing>(parameters, offset * sizeof(Scalar));
    for (Scalar* moment : moments) {
      simd::prefetch<simd::PrefetchFor::writing>(moment, offset * sizeof(Scalar));
    }
  }

 private:
  template <typename V, typename Load, typename Store>
  RETORT_INLINE void apply(const V& gradient, const Load& load, const Store& store) const {
    V parameter = load(parameters);
    std::array<V, Moments> values;
    for (std::size_t i = 0; i < Moments; ++i) {
      values[i] = load(moments[i]);
    }
    [&]<std::size_t... I>(std::index_sequence<I...>) __attribute__((always_inline)) {
      rule(parameter, gradient, values[I]...);
    }
    (std::make_index_sequence<Moments>{});
    for (std::size_t i = 0; i < Moments; ++i) {
      store(values[i], moments[i]);
    }
    store(parameter, parameters);
  }
};

}  // namespace retort::backend::panel
