// SPDX-License-Identifier: MIT
#pragma once
/// @file
/// Layers of integers for several samples at once, by the instructions of AVX512_VNNI where the processor has them: one
/// adds four products of bytes to each of sixteen sums (Intel, "64 and IA-32 Architectures Software Developer's
/// Manual", VPDPBUSD). Sums of 32 bits are exact in any order, so the results are those of IntegerLayer::compute.

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <utility>
#include <vector>

#include "retort/core/aligned_buffer.hpp"
#include "retort/core/instruction_set.hpp"
#include "retort/quantization/integer_layer.hpp"
#include "retort/simd/unroll.hpp"

#if defined(__AVX512VNNI__) && !defined(RETORT_PLAIN_SIMD)
#include <immintrin.h>
#endif

namespace retort::inline RETORT_INSTRUCTION_SET::internal {

/// How many samples a ByteLayer takes at once: its inputs and outputs have so many rows, even if fewer count.
inline constexpr std::size_t byte_layer_samples = 8;

/// Elements of a sample's row in the memory that a ByteLayer reads or writes.
constexpr std::size_t byte_layer_row(std::size_t features) { return aligned_count<std::uint8_t>(features); }

#if defined(__AVX512VNNI__) && !defined(RETORT_PLAIN_SIMD)

namespace detail {

/// multiply() of fixed_point.hpp for sixteen sums.
RETORT_INLINE __m512i multiply_all(__m512i values, __m512i multipliers, __m512i shifts) {
  const __m512i half = _mm512_set1_epi64(std::int64_t{1} << 30);
  const __m512i even = _mm512_add_epi64(_mm512_mul_epi32(values, multipliers), half);
  const __m512i odd =
      _mm512_add_epi64(_mm512_mul_epi32(_mm512_srli_epi64(values, 32), _mm512_srli_epi64(multipliers, 32)), half);
  const __m512i high = _mm512_mask_blend_epi32(0xAAAA, _mm512_srli_epi64(even, 31), _mm512_slli_epi64(odd, 1));
  const __m512i one = _mm512_set1_epi32(1);
  const __m512i mask = _mm512_sub_epi32(_mm512_sllv_epi32(one, shifts), one);
  const __m512i remainder = _mm512_and_si512(high, mask);
  const __m512i middle = _mm512_srli_epi32(mask, 1);
  const __m512i threshold = _mm512_mask_add_epi32(middle, _mm512_movepi32_mask(high), middle, one);
  const __m512i quotient = _mm512_srav_epi32(high, shifts);
  return _mm512_mask_add_epi32(quotient, _mm512_cmpgt_epi32_mask(remainder, threshold), quotient, one);
}

}  // namespace detail

/// An IntegerLayer that reads bytes: those of the layer before, or the pixels of squares whose sums the layer takes.
class ByteLayer {
 public:
  /// `pool` has K = 1 where the inputs are not pooled.
  ByteLayer(const IntegerLayer& layer, const Squares& pool)
      : ByteLayer(pool.square > 1 ? pool.of_pixels(layer) : layer) {}

  /// y of x, both (byte_layer_samples, row), as IntegerLayer::compute, for the first `samples` rows. What lies behind a
  /// row's features is read and does not count, and what lies behind its outputs is overwritten. Preconditions: `row`
  /// is byte_layer_row() of the widest layer; x and y lie at multiples of 64 bytes.
  void compute(const std::uint8_t* x, std::size_t samples, std::size_t row, std::uint8_t* y) const {
    std::size_t block = 0;
    if (samples > 2) {  // unused rows of eight cost less than each sample alone
      for (; block + 2 <= blocks_; block += 2) {
        tile<byte_layer_samples, 2, 1>(x, row, block, y);
      }
      if (block < blocks_) {
        tile<byte_layer_samples, 1, 1>(x, row, block, y);
      }
    } else {
      for (; block < blocks_; ++block) {
        for (std::size_t sample = 0; sample < samples; ++sample) {
          tile<1, 1, chains>(x + sample * row, row, block, y + sample * row);
        }
      }
    }
    if (!table_.empty()) {
      for (std::size_t sample = 0; sample < samples; ++sample) {
        std::uint8_t* bytes = y + sample * row;
        std::transform(bytes, bytes + blocks_ * lanes, bytes, [&](std::uint8_t byte) { return table_[byte]; });
      }
    }
  }

 private:
  struct Vector {
    __m512i lanes;
  };

  static constexpr std::size_t lanes = 16;  // sums in a vector
  static constexpr std::size_t terms = 4;   // of a sum, in one instruction
  static constexpr std::size_t chains = 4;  // sums for each output of one sample alone

  explicit ByteLayer(const IntegerLayer& layer)
      : groups_((layer.inputs + terms * chains - 1) / (terms * chains) * chains),
        blocks_((layer.outputs + lanes - 1) / lanes),
        weights_(blocks_ * groups_ * lanes * terms),
        biases_(blocks_ * lanes),
        multipliers_(blocks_ * lanes),
        shifts_(blocks_ * lanes),
        zero_(layer.zero),
        lowest_(layer.lowest),
        table_(layer.table) {
    for (std::size_t output = 0; output < layer.outputs; ++output) {
      biases_[output] = layer.biases[output];
      multipliers_[output] = layer.factors[output].multiplier;
      shifts_[output] = layer.factors[output].shift;
      for (std::size_t input = 0; input < layer.inputs; ++input) {
        weights_[((output / lanes * groups_ + input / terms) * lanes + output % lanes) * terms + input % terms] =
            layer.weights[output * layer.inputs + input];
      }
    }
  }

  /// The outputs of `Blocks` vectors, for `Samples` samples. Each sum has `Chains` parts, which do not wait for one
  /// another.
  template <std::size_t Samples, std::size_t Blocks, std::size_t Chains>
  void tile(const std::uint8_t* x, std::size_t row, std::size_t block, std::uint8_t* y) const {
    using simd::detail::unroll;
    constexpr std::size_t vector = lanes * terms;
    std::array<std::array<std::array<Vector, Chains>, Blocks>, Samples> sums;
    unroll<Blocks>([&](std::size_t b) __attribute__((always_inline)) {
      const __m512i bias = _mm512_load_si512(biases_.data() + (block + b) * lanes);
      unroll<Samples>([&](std::size_t s) __attribute__((always_inline)) {
        sums[s][b].fill({_mm512_setzero_si512()});
        sums[s][b][0].lanes = bias;
      });
    });
    const std::int8_t* weights = weights_.data() + block * groups_ * vector;
    for (std::size_t group = 0; group < groups_; group += Chains) {
      unroll<Chains>([&](std::size_t c) __attribute__((always_inline)) {
        std::array<Vector, Blocks> factors;
        unroll<Blocks>([&](std::size_t b) __attribute__((always_inline)) {
          factors[b].lanes = _mm512_load_si512(weights + (b * groups_ + group + c) * vector);
        });
        unroll<Samples>([&](std::size_t s) __attribute__((always_inline)) {
          std::int32_t inputs;
          std::memcpy(&inputs, x + s * row + (group + c) * terms, sizeof(inputs));
          const __m512i inputs_in_each = _mm512_set1_epi32(inputs);
          unroll<Blocks>([&](std::size_t b) __attribute__((always_inline)) {
            sums[s][b][c].lanes = _mm512_dpbusd_epi32(sums[s][b][c].lanes, inputs_in_each, factors[b].lanes);
          });
        });
      });
    }
    unroll<Blocks>([&](std::size_t b) __attribute__((always_inline)) {
      const std::size_t first = (block + b) * lanes;
      unroll<Samples>([&](std::size_t s) __attribute__((always_inline)) {
        __m512i sum = sums[s][b][0].lanes;
        for (std::size_t chain = 1; chain < Chains; ++chain) {
          sum = _mm512_add_epi32(sum, sums[s][b][chain].lanes);
        }
        store_bytes(sum, first, y + s * row + first);
      });
    });
  }

  RETORT_INLINE void store_bytes(__m512i sums, std::size_t first, std::uint8_t* y) const {
    const __m512i rescaled = detail::multiply_all(sums, _mm512_load_si512(multipliers_.data() + first),
                                                  _mm512_load_si512(shifts_.data() + first));
    const __m512i bytes = _mm512_min_epi32(
        _mm512_max_epi32(_mm512_add_epi32(rescaled, _mm512_set1_epi32(zero_)), _mm512_set1_epi32(lowest_)),
        _mm512_set1_epi32(255));
    _mm_store_si128(reinterpret_cast<__m128i*>(y), _mm512_cvtepi32_epi8(bytes));
  }

  std::size_t groups_;                  // of `terms` inputs, a multiple of `chains`
  std::size_t blocks_;                  // of `lanes` outputs
  AlignedBuffer<std::int8_t> weights_;  // (blocks, groups, lanes, terms), 0 where there is no input or no output
  AlignedBuffer<std::int32_t> biases_;
  AlignedBuffer<std::int32_t> multipliers_;
  AlignedBuffer<std::int32_t> shifts_;
  std::int32_t zero_;
  std::int32_t lowest_;
  std::vector<std::uint8_t> table_;
};

#else

class ByteLayer {
 public:
  ByteLayer(IntegerLayer layer, const Squares& pool) : layer_(std::move(layer)), pool_(pool) {}

  void compute(const std::uint8_t* x, std::size_t samples, std::size_t row, std::uint8_t* y) const {
    std::vector<std::uint16_t> inputs(layer_.inputs);
    std::vector<std::uint16_t> outputs(layer_.outputs);
    for (std::size_t sample = 0; sample < samples; ++sample) {
      const std::span bytes(x + sample * row, layer_.inputs * pool_.area());
      if (pool_.square > 1) {
        pool_.sum(bytes, inputs);
      } else {
        std::ranges::copy(bytes, inputs.begin());
      }
      layer_.compute(inputs, outputs);
      std::ranges::transform(outputs, y + sample * row,
                             [](std::uint16_t byte) { return static_cast<std::uint8_t>(byte); });
    }
  }

 private:
  IntegerLayer layer_;
  Squares pool_;
};

#endif

}  // namespace retort::inline RETORT_INSTRUCTION_SET::internal
