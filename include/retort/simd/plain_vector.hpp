// SPDX-License-Identifier: MIT
#pragma once
/// @file
/// A vector in plain C++, with the part of xsimd's interface that the kernels use: for processors that xsimd lacks, and
/// as the slow twin of its vectors in the tests.

#include <array>
#include <cmath>
#include <cstddef>

#include "retort/core/instruction_set.hpp"
#include "retort/core/require_cxx20.hpp"

namespace retort::inline RETORT_INSTRUCTION_SET::simd {

template <std::size_t N>
struct PlainMask {
  std::array<bool, N> lanes{};
};

template <typename Scalar, std::size_t N>
class PlainVector {
 public:
  using value_type = Scalar;
  static constexpr std::size_t size = N;

  PlainVector() = default;
  PlainVector(Scalar value) { values_.fill(value); }  // NOLINT(google-explicit-constructor): as xsimd's

  static PlainVector load_unaligned(const Scalar* values) {
    return generate([&](std::size_t i) { return values[i]; });
  }
  static PlainVector load_aligned(const Scalar* values) { return load_unaligned(values); }
  void store_unaligned(Scalar* values) const {
    for (std::size_t i = 0; i < N; ++i) {
      values[i] = values_[i];
    }
  }
  void store_aligned(Scalar* values) const { store_unaligned(values); }

  Scalar& operator[](std::size_t i) { return values_[i]; }
  Scalar operator[](std::size_t i) const { return values_[i]; }

  template <typename Function>
  static PlainVector generate(const Function& function) {
    PlainVector result;
    for (std::size_t i = 0; i < N; ++i) {
      result.values_[i] = function(i);
    }
    return result;
  }

  friend PlainVector operator+(const PlainVector& a, const PlainVector& b) {
    return generate([&](std::size_t i) { return a[i] + b[i]; });
  }
  friend PlainVector operator-(const PlainVector& a, const PlainVector& b) {
    return generate([&](std::size_t i) { return a[i] - b[i]; });
  }
  friend PlainVector operator*(const PlainVector& a, const PlainVector& b) {
    return generate([&](std::size_t i) { return a[i] * b[i]; });
  }
  friend PlainVector operator/(const PlainVector& a, const PlainVector& b) {
    return generate([&](std::size_t i) { return a[i] / b[i]; });
  }
  friend PlainVector operator-(const PlainVector& a) {
    return generate([&](std::size_t i) { return -a[i]; });
  }
  PlainVector& operator+=(const PlainVector& other) { return *this = *this + other; }
  PlainVector& operator-=(const PlainVector& other) { return *this = *this - other; }
  PlainVector& operator*=(const PlainVector& other) { return *this = *this * other; }
  PlainVector& operator/=(const PlainVector& other) { return *this = *this / other; }

  friend PlainMask<N> operator<(const PlainVector& a, const PlainVector& b) {
    return compare([&](std::size_t i) { return a[i] < b[i]; });
  }
  friend PlainMask<N> operator>(const PlainVector& a, const PlainVector& b) { return b < a; }
  friend PlainMask<N> operator<=(const PlainVector& a, const PlainVector& b) {
    return compare([&](std::size_t i) { return a[i] <= b[i]; });
  }
  friend PlainMask<N> operator>=(const PlainVector& a, const PlainVector& b) { return b <= a; }
  friend PlainMask<N> operator==(const PlainVector& a, const PlainVector& b) {
    return compare([&](std::size_t i) { return a[i] == b[i]; });
  }
  friend PlainVector select(const PlainMask<N>& condition, const PlainVector& yes, const PlainVector& no) {
    return generate([&](std::size_t i) { return condition.lanes[i] ? yes[i] : no[i]; });
  }

  friend PlainVector fma(const PlainVector& a, const PlainVector& b, const PlainVector& c) { return a * b + c; }
  friend PlainVector sqrt(const PlainVector& a) {
    return generate([&](std::size_t i) { return std::sqrt(a[i]); });
  }
  friend PlainVector exp(const PlainVector& a) {
    return generate([&](std::size_t i) { return std::exp(a[i]); });
  }
  friend PlainVector log(const PlainVector& a) {
    return generate([&](std::size_t i) { return std::log(a[i]); });
  }
  friend PlainVector tanh(const PlainVector& a) {
    return generate([&](std::size_t i) { return std::tanh(a[i]); });
  }

 private:
  template <typename Function>
  static PlainMask<N> compare(const Function& function) {
    PlainMask<N> result;
    for (std::size_t i = 0; i < N; ++i) {
      result.lanes[i] = function(i);
    }
    return result;
  }

  std::array<Scalar, N> values_{};
};

}  // namespace retort::inline RETORT_INSTRUCTION_SET::simd
