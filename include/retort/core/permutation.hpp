// SPDX-License-Identifier: MIT
#pragma once
/// @file
/// Random permutations: the order of an epoch's samples, and the split of a dataset.

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

#include "retort/core/host_device.hpp"
#include "retort/core/instruction_set.hpp"
#include "retort/core/philox.hpp"

namespace retort::inline RETORT_INSTRUCTION_SET {

/// A random permutation of 0 ... size - 1 as a function of the position, so that any thread of any backend can ask for
/// any part of it, and nothing is stored: a Feistel network over the next power of two, with round keys drawn from a
/// RandomStream, applied again while it leads outside (Mitchell, Stokes, Frank and Holmes, "Bandwidth-optimal random
/// shuffling for GPUs", 2022). The round function is the finaliser of MurmurHash3 (Appleby). The same stream gives the
/// same permutation everywhere.
class RandomPermutation {
 public:
  RETORT_HOST_DEVICE constexpr RandomPermutation(std::uint32_t size, const RandomStream& stream) : size_(size) {
    int bits = 0;
    for (std::uint32_t last = size > 0 ? size - 1 : 0; last != 0; last >>= 1) {
      ++bits;
    }
    bits = bits < minimum_bits ? minimum_bits : bits;
    right_bits_ = bits / 2;
    left_mask_ = (1u << (bits - right_bits_)) - 1u;
    right_mask_ = (1u << right_bits_) - 1u;
    for (int block = 0; block < rounds / 4; ++block) {
      const PhiloxBlock words = stream.block(static_cast<std::uint64_t>(block));
      keys_[4 * block] = words.w0;
      keys_[4 * block + 1] = words.w1;
      keys_[4 * block + 2] = words.w2;
      keys_[4 * block + 3] = words.w3;
    }
  }

  RETORT_HOST_DEVICE constexpr std::uint32_t size() const { return size_; }

  /// The number at `position`. Precondition: position < size().
  RETORT_HOST_DEVICE constexpr std::uint32_t operator()(std::uint32_t position) const {
    do {
      position = mix(position);
    } while (position >= size_);
    return position;
  }

  /// values[i] = (*this)(first + i), a block of positions at a time, which a compiler turns into SIMD. Precondition:
  /// first + values.size() <= size().
  constexpr void fill(std::uint32_t first, std::span<std::uint32_t> values) const {
    constexpr std::size_t lanes = 32;
    std::array<std::uint32_t, lanes> mixed{};
    for (std::size_t done = 0; done < values.size(); done += lanes) {
      for (std::size_t lane = 0; lane < lanes; ++lane) {
        mixed[lane] = mix(first + static_cast<std::uint32_t>(done + lane));
      }
      const std::size_t count = std::min(lanes, values.size() - done);
      for (std::size_t lane = 0; lane < count; ++lane) {
        values[done + lane] = mixed[lane] < size_ ? mixed[lane] : (*this)(mixed[lane]);
      }
    }
  }

 private:
  static constexpr int rounds = 12;
  static constexpr int minimum_bits = 6;  // fewer would miss some permutations of a short range

  /// One pass through the network: a bijection of all numbers of its bits.
  RETORT_HOST_DEVICE constexpr std::uint32_t mix(std::uint32_t number) const {
    std::uint32_t left = number >> right_bits_;
    std::uint32_t right = number & right_mask_;
    for (int round = 0; round < rounds; round += 2) {
      left ^= hash(right ^ keys_[round]) & left_mask_;
      right ^= hash(left ^ keys_[round + 1]) & right_mask_;
    }
    return left << right_bits_ | right;
  }

  RETORT_HOST_DEVICE static constexpr std::uint32_t hash(std::uint32_t word) {
    word ^= word >> 16;
    word *= 0x85EBCA6Bu;
    word ^= word >> 13;
    word *= 0xC2B2AE35u;
    return word ^ word >> 16;
  }

  std::uint32_t size_;
  int right_bits_ = 0;
  std::uint32_t left_mask_ = 0;
  std::uint32_t right_mask_ = 0;
  std::uint32_t keys_[rounds]{};
};

/// Fills `order` with a random permutation of 0 ... order.size() - 1. Precondition: order.size() <= 2^32 - 1.
inline void random_permutation(std::span<std::uint32_t> order, RandomStream stream) {
  RandomPermutation(static_cast<std::uint32_t>(order.size()), stream).fill(0, order);
}

}  // namespace retort::inline RETORT_INSTRUCTION_SET
