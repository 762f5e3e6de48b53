// SPDX-License-Identifier: MIT
#include "retort/core/thread_scratch.hpp"

#include "catch.hpp"

using retort::internal::thread_scratch;

TEST_CASE("A thread's scratch grows, and different uses do not share it", "[core]") {
  struct First;
  struct Second;
  float* small = thread_scratch<float, First>(10);
  CHECK(thread_scratch<float, First>(5) == small);
  CHECK(thread_scratch<float, Second>(10) != small);
  float* large = thread_scratch<float, First>(100000);
  large[99999] = 1.0f;
  CHECK(thread_scratch<float, First>(10) == large);
}
