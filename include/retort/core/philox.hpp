// SPDX-License-Identifier: MIT
#pragma once
/// @file
/// Counter-based random numbers: Philox4x32-10 of Salmon, Moraes, Dror and Shaw, "Parallel random numbers: as easy as
/// 1, 2, 3" (SC 2011). A number is a pure function of (seed, stream, step, element), so a dropout mask, a shuffle or an
/// augmentation is the same on every backend and thread count, and a resumed run repeats the uninterrupted one bit for
/// bit.

#include <array>
#include <cstddef>
#include <cstdint>

#include "retort/core/host_device.hpp"
#include "retort/core/instruction_set.hpp"

namespace retort::inline RETORT_INSTRUCTION_SET {

/// The number that makes a run repeatable. Equal seeds and equal settings give equal bits.
struct Seed {
  std::uint64_t value = 0;
  friend constexpr bool operator==(Seed, Seed) = default;
};

/// What a random number is for. Two streams of one seed never share a counter. The values are below 256.
enum class Stream : std::uint32_t {
  initialization = 0,
  shuffle = 1,
  dropout = 2,
  augmentation = 3,
  split = 4,
  synthetic = 5,
};

/// Four words. A plain struct, because neither std::array's subscript nor its structured binding can be called in
/// device code without extra compiler flags.
struct PhiloxBlock {
  std::uint32_t w0 = 0;
  std::uint32_t w1 = 0;
  std::uint32_t w2 = 0;
  std::uint32_t w3 = 0;

  /// Precondition: index < 4.
  RETORT_HOST_DEVICE constexpr std::uint32_t operator[](std::size_t index) const {
    switch (index) {
      case 0:
        return w0;
      case 1:
        return w1;
      case 2:
        return w2;
      default:
        return w3;
    }
  }

  friend constexpr bool operator==(const PhiloxBlock&, const PhiloxBlock&) = default;
};

}  // namespace retort::inline RETORT_INSTRUCTION_SET

namespace retort::inline RETORT_INSTRUCTION_SET::internal {

inline constexpr int philox_rounds = 10;
inline constexpr std::uint32_t philox_multiplier0 = 0xD2511F53u;
inline constexpr std::uint32_t philox_multiplier1 = 0xCD9E8D57u;
inline constexpr std::uint32_t philox_increment0 = 0x9E3779B9u;
inline constexpr std::uint32_t philox_increment1 = 0xBB67AE85u;

/// The Philox4x32-10 bijection: four random 32-bit words from a 128-bit counter and a 64-bit key.
RETORT_HOST_DEVICE constexpr PhiloxBlock philox4x32(PhiloxBlock counter, std::uint32_t key0, std::uint32_t key1) {
  auto [c0, c1, c2, c3] = counter;
  for (int round = 0; round < philox_rounds; ++round) {
    const std::uint64_t product0 = std::uint64_t{philox_multiplier0} * c0;
    const std::uint64_t product1 = std::uint64_t{philox_multiplier1} * c2;
    c0 = static_cast<std::uint32_t>(product1 >> 32) ^ c1 ^ key0;
    c1 = static_cast<std::uint32_t>(product1);
    c2 = static_cast<std::uint32_t>(product0 >> 32) ^ c3 ^ key1;
    c3 = static_cast<std::uint32_t>(product0);
    key0 += philox_increment0;
    key1 += philox_increment1;
  }
  return {c0, c1, c2, c3};
}

/// A word in [0, 2^32) as a number in [0, 1): the upper 24 bits, so that every value is exact in float and 1 is never
/// reached.
template <typename Scalar>
RETORT_HOST_DEVICE constexpr Scalar uniform01(std::uint32_t word) {
  return static_cast<Scalar>(word >> 8) * static_cast<Scalar>(1.0 / 16777216.0);
}

}  // namespace retort::inline RETORT_INSTRUCTION_SET::internal

namespace retort::inline RETORT_INSTRUCTION_SET {

/// The random numbers of one (seed, stream, step): element -> 32 random bits, in any order, from any thread.
class RandomStream {
 public:
  /// `substream` tells apart the users of one stream: the layer's index for dropout, the tensor's for initialisation.
  /// Precondition: substream < 2^24.
  RETORT_HOST_DEVICE constexpr RandomStream(Seed seed, Stream stream, std::uint32_t step, std::uint32_t substream = 0)
      : key0_(static_cast<std::uint32_t>(seed.value)),
        key1_(static_cast<std::uint32_t>(seed.value >> 32)),
        step_(step),
        stream_(static_cast<std::uint32_t>(stream) | substream << 8) {}

  /// The four words of elements 4 * index ... 4 * index + 3.
  RETORT_HOST_DEVICE constexpr PhiloxBlock block(std::uint64_t index) const {
    return internal::philox4x32(
        {static_cast<std::uint32_t>(index), static_cast<std::uint32_t>(index >> 32), step_, stream_}, key0_, key1_);
  }

  /// The word of one element. If you need many neighbours, ask for whole blocks.
  RETORT_HOST_DEVICE constexpr std::uint32_t word(std::uint64_t element) const {
    return block(element / 4)[static_cast<std::uint32_t>(element % 4)];
  }

  /// The words of `Blocks` consecutive blocks, from element 4 * first_block on. They are those of block(), but drawn
  /// side by side, which a compiler turns into SIMD.
  template <std::size_t Blocks>
  constexpr void fill_blocks(std::uint64_t first_block, std::array<std::uint32_t, 4 * Blocks>& words) const {
    std::array<std::array<std::uint32_t, Blocks>, 4> by_word{};
    fill_strided_blocks<Blocks>(first_block, 1, by_word);
    for (std::size_t i = 0; i < Blocks; ++i) {
      for (std::size_t word = 0; word < 4; ++word) {
        words[4 * i + word] = by_word[word][i];
      }
    }
  }

  /// The same for blocks first_block, first_block + stride, ...: words[w][i] is word w of the i-th of them.
  template <std::size_t Blocks>
  constexpr void fill_strided_blocks(std::uint64_t first_block, std::uint64_t stride,
                                     std::array<std::array<std::uint32_t, Blocks>, 4>& words) const {
    auto& [c0, c1, c2, c3] = words;
    for (std::size_t i = 0; i < Blocks; ++i) {
      const std::uint64_t block = first_block + i * stride;
      c0[i] = static_cast<std::uint32_t>(block);
      c1[i] = static_cast<std::uint32_t>(block >> 32);
      c2[i] = step_;
      c3[i] = stream_;
    }
    std::uint32_t key0 = key0_;
    std::uint32_t key1 = key1_;
    for (int round = 0; round < internal::philox_rounds; ++round) {
      for (std::size_t i = 0; i < Blocks; ++i) {
        const std::uint64_t product0 = std::uint64_t{internal::philox_multiplier0} * c0[i];
        const std::uint64_t product1 = std::uint64_t{internal::philox_multiplier1} * c2[i];
        c0[i] = static_cast<std::uint32_t>(product1 >> 32) ^ c1[i] ^ key0;
        c1[i] = static_cast<std::uint32_t>(product1);
        c2[i] = static_cast<std::uint32_t>(product0 >> 32) ^ c3[i] ^ key1;
        c3[i] = static_cast<std::uint32_t>(product0);
      }
      key0 += internal::philox_increment0;
      key1 += internal::philox_increment1;
    }
  }

  template <typename Scalar>
  RETORT_HOST_DEVICE constexpr Scalar uniform(std::uint64_t element) const {
    return internal::uniform01<Scalar>(word(element));
  }

 private:
  std::uint32_t key0_;
  std::uint32_t key1_;
  std::uint32_t step_;
  std::uint32_t stream_;
};

/// The same numbers one after another, for code that draws a varying count (shuffles, strokes): a RandomStream with a
/// position.
class RandomSequence {
 public:
  constexpr explicit RandomSequence(RandomStream stream) : stream_(stream) {}

  constexpr std::uint32_t next_word() {
    if (position_ % 4 == 0) {
      words_ = stream_.block(position_ / 4);
    }
    return words_[static_cast<std::uint32_t>(position_++ % 4)];
  }

  /// A number in [0, 1).
  template <typename Scalar>
  constexpr Scalar uniform() {
    return internal::uniform01<Scalar>(next_word());
  }

  /// A number in [low, high]: only rounding reaches `high`. Precondition: low <= high.
  template <typename Scalar>
  constexpr Scalar uniform(Scalar low, Scalar high) {
    return low + (high - low) * uniform<Scalar>();
  }

  /// An integer in [0, bound), without bias. Precondition: bound > 0. Lemire, "Fast random integer generation in an
  /// interval" (2019).
  constexpr std::uint32_t below(std::uint32_t bound) {
    std::uint64_t product = std::uint64_t{next_word()} * bound;
    if (static_cast<std::uint32_t>(product) < bound) {
      const std::uint32_t threshold = (0u - bound) % bound;
      while (static_cast<std::uint32_t>(product) < threshold) {
        product = std::uint64_t{next_word()} * bound;
      }
    }
    return static_cast<std::uint32_t>(product >> 32);
  }

 private:
  RandomStream stream_;
  std::uint64_t position_ = 0;
  PhiloxBlock words_{};
};

}  // namespace retort::inline RETORT_INSTRUCTION_SET
