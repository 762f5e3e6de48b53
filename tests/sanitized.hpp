// SPDX-License-Identifier: MIT
#pragma once
/// @file
/// Whether this is compiled under a sanitizer that has an allocator and an address space of its own.

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

namespace retort::test {

inline constexpr bool sanitized = RETORT_TEST_SANITIZED == 1;

}  // namespace retort::test
