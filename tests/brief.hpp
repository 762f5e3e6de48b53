// SPDX-License-Identifier: MIT
#pragma once
/// @file
/// Whether long tests take few steps and double few models. Code that is not optimised, or is instrumented, takes ten
/// times as long for each; its mistakes show in a few steps of each kind as in many.

#include <initializer_list>
#include <vector>

#include "sanitized.hpp"

#ifndef RETORT_BRIEF_TESTS
#define RETORT_BRIEF_TESTS 0
#endif

namespace retort::test {

inline constexpr bool brief = sanitized || RETORT_BRIEF_TESTS == 1;

/// Whether `Scalar` takes part in all of a test. In a brief run double leaves out what float takes the same way.
template <typename Scalar>
inline constexpr bool takes_all = !brief || sizeof(Scalar) == sizeof(float);

/// All of `values`; in a brief run the first and the last.
template <typename T>
std::vector<T> thinned(std::initializer_list<T> values) {
  return brief && values.size() > 2 ? std::vector<T>{*values.begin(), *(values.end() - 1)} : std::vector<T>(values);
}

/// All of `values`; in a brief run the last alone.
template <typename T>
std::vector<T> thinned_to_one(std::initializer_list<T> values) {
  return brief ? std::vector<T>{*(values.end() - 1)} : std::vector<T>(values);
}

}  // namespace retort::test
