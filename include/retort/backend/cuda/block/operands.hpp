// SPDX-License-Identifier: MIT
#pragma once
/// @file
/// The matrices in a block's memory, read four values at a time.

#include <cstddef>
#include <cstdint>

#include "retort/backend/cuda/vector_access.hpp"
#include "retort/core/host_device.hpp"
#include "retort/core/instruction_set.hpp"

namespace retort::inline RETORT_INSTRUCTION_SET::backend::block {

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

/// Byte `Index` of a word, from the lowest.
template <std::size_t Index, typename Scalar>
RETORT_HOST_DEVICE Scalar byte_of(std::uint32_t word) {
#ifdef __CUDA_ARCH__
  if constexpr (sizeof(Scalar) == sizeof(float)) {
    // Puts the byte below the bits of 2^23: a conversion would need one of the GPU's few units for it.
    return __uint_as_float(__byte_perm(word, 0x4B000000u, 0x7440u | Index)) - 8388608.0f;
  }
#endif
  return static_cast<Scalar>(word >> (8 * Index) & 0xFFu);
}

/// A model's input of bytes, (quads, samples): a word holds four features of a sample. Zeros follow the last feature.
template <std::size_t WordStride>
struct ByteWords {
  const std::uint32_t* words;

  /// Features 4 q ... 4 q + 3 of a sample.
  template <typename Scalar>
  RETORT_HOST_DEVICE void features(std::size_t q, std::size_t sample, Scalar (&values)[quad]) const {
    unpack(words[q * WordStride + sample], values);
  }
  /// The same for samples sample ... sample + 3: values[feature][sample].
  template <typename Scalar>
  RETORT_HOST_DEVICE void square(std::size_t q, std::size_t sample, Scalar (&values)[quad][quad]) const {
    for (std::size_t j = 0; j < quad; ++j) {
      Scalar column[quad];
      unpack(words[q * WordStride + sample + j], column);
      for (std::size_t f = 0; f < quad; ++f) {
        values[f][j] = column[f];
      }
    }
  }

 private:
  template <typename Scalar>
  RETORT_HOST_DEVICE static void unpack(std::uint32_t word, Scalar (&values)[quad]) {
    values[0] = byte_of<0, Scalar>(word);
    values[1] = byte_of<1, Scalar>(word);
    values[2] = byte_of<2, Scalar>(word);
    values[3] = byte_of<3, Scalar>(word);
  }
};

/// A matrix (features, samples) of `Features` rows, each `Stride` after the one before.
template <typename Scalar, std::size_t Features, std::size_t Stride>
struct FeatureRows {
  const Scalar* values;

  RETORT_HOST_DEVICE void features(std::size_t q, std::size_t sample, Scalar (&result)[quad]) const {
    for (std::size_t f = 0; f < quad; ++f) {
      result[f] = inside(quad * q + f) ? values[(quad * q + f) * Stride + sample] : Scalar{0};
    }
  }
  RETORT_HOST_DEVICE void square(std::size_t q, std::size_t sample, Scalar (&result)[quad][quad]) const {
    for (std::size_t f = 0; f < quad; ++f) {
      Quad<Scalar> row{};
      if (inside(quad * q + f)) {
        row = load_quad(values + (quad * q + f) * Stride + sample);
      }
      for (std::size_t j = 0; j < quad; ++j) {
        result[f][j] = row.values[j];
      }
    }
  }

 private:
  RETORT_HOST_DEVICE static constexpr bool inside(std::size_t feature) {
    return Features % quad == 0 || feature < Features;
  }
};

/// Quad q of row `row` of a weight (rows, In), each row `Stride` after the one before; zeros beyond its end.
template <std::size_t In, std::size_t Stride = In, typename Scalar>
RETORT_HOST_DEVICE Quad<Scalar> weight_quad(const Scalar* weight, std::size_t row, std::size_t q) {
  const Scalar* from = weight + row * Stride + quad * q;
  if constexpr (In % quad == 0) {
    return load_quad(from);
  } else {
    Quad<Scalar> result{};
    for (std::size_t f = 0; f < quad && quad * q + f < In; ++f) {
      result.values[f] = from[f];
    }
    return result;
  }
}

}  // namespace retort::inline RETORT_INSTRUCTION_SET::backend::block
