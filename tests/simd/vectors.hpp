// SPDX-License-Identifier: MIT
#pragma once
/// @file
/// The vectors that the tests of simd/ run over: this compilation's, and plain ones of several widths.

#include <tuple>
#include <vector>

#include "retort/simd/plain_vector.hpp"
#include "retort/simd/vector.hpp"

namespace retort::test {

using Vectors = std::tuple<simd::Vector<float>, simd::Vector<double>, simd::PlainVector<float, 16>,
                           simd::PlainVector<float, 8>, simd::PlainVector<float, 4>, simd::PlainVector<double, 2>>;

template <typename V>
std::vector<simd::ScalarOf<V>> elements(const V& vector) {
  std::vector<simd::ScalarOf<V>> values(simd::lanes<V>);
  vector.store_unaligned(values.data());
  return values;
}

}  // namespace retort::test
