// SPDX-License-Identifier: MIT
#pragma once
/// @file
/// Whether this is compiled under a sanitizer that has an allocator and an address space of its own. It sees all there is
/// to see in a few steps of each kind, and takes ten times as long for each: long runs are for the other builds.

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define RETORT_TEST_SANITIZED 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer) || __has_feature(memory_sanitizer)
#define RETORT_TEST_SANITIZED 1
#endif
#endif
#ifndef RETORT_TEST_SANITIZED
#define RETORT_TEST_SANITIZED 0
#endif

#include <initializer_list>
#include <vector>

namespace retort::test {

inline constexpr bool sanitized = RETORT_TEST_SANITIZED == 1;

/// All of `values`; under a sanitizer the first and the last.
template <typename T>
std::vector<T> thinned(std::initializer_list<T> values) {
  return sanitized && values.size() > 2 ? std::vector<T>{*values.begin(), *(values.end() - 1)} : std::vector<T>(values);
}

}  // namespace retort::test
