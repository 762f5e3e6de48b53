// SPDX-License-Identifier: MIT
#pragma once
/// @file
/// The vectors that the tests of simd/ run over: this compilation's, and plain ones of several widths.

#include <tuple>

#include "retort/simd/plain_vector.hpp"
#include "retort/simd/vector.hpp"

namespace retort::test {

using Vectors = std::tuple<simd::Vector<float>, simd::Vector<double>, simd::PlainVector<float, 16>,
                           simd::PlainVector<float, 8>, simd::PlainVector<float, 4>, simd::PlainVector<double, 2>>;

}  // namespace retort::test
