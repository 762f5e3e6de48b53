// SPDX-License-Identifier: MIT
#include <cstddef>

#include "catch.hpp"
#include "every_backend/backends.hpp"
#include "every_backend/models.hpp"

using namespace retort::test;

// Batches with whole and broken tiles, groups and strips.
static constexpr std::size_t batches[] = {2, 5, 64, 67};

TEMPLATE_TEST_CASE("forward, inference and backward are the reference's", "[every_backend][short]",
                   RETORT_EVERY_BACKEND) {
  const Operations* backend = operations_on<TestType>();
  if (backend == nullptr) {
    return;
  }
  for (std::size_t model = 0; model < model_count; ++model) {
    for (const std::size_t batch : batches) {
      CAPTURE(model, batch);
      const PassResult found = backend->pass(model, batch);
      const PassResult expected = reference_operations().pass(model, batch);
      constexpr double tolerance = 2e-5;  // float's own 6e-8, over sums of up to 784 terms and their square roots
      CHECK(relative_difference(found.outputs, expected.outputs) < tolerance);
      CHECK(relative_difference(found.inferred, expected.inferred) < tolerance);
      CHECK(relative_difference(found.predicted, expected.predicted) < tolerance);
      CHECK(relative_difference(found.parameter_gradients, expected.parameter_gradients) < tolerance);
      CHECK(relative_difference(found.input_gradients, expected.input_gradients) < tolerance);
      CHECK(relative_difference(found.buffers, expected.buffers) < tolerance);
    }
  }
}

TEMPLATE_TEST_CASE("a pass repeats bit for bit", "[every_backend]", RETORT_EVERY_BACKEND) {
  const Operations* backend = operations_on<TestType>();
  if (backend == nullptr) {
    return;
  }
  for (std::size_t model = 0; model < model_count; ++model) {
    CAPTURE(model);
    const PassResult first = backend->pass(model, 37);
    const PassResult second = backend->pass(model, 37);
    CHECK(same_bits(first.outputs, second.outputs));
    CHECK(same_bits(first.predicted, second.predicted));
    CHECK(same_bits(first.parameter_gradients, second.parameter_gradients));
    CHECK(same_bits(first.input_gradients, second.input_gradients));
    CHECK(same_bits(first.buffers, second.buffers));
  }
}

TEMPLATE_TEST_CASE("dropout leaves out the same elements on every backend", "[every_backend]", RETORT_EVERY_BACKEND) {
  const Operations* backend = operations_on<TestType>();
  if (backend == nullptr) {
    return;
  }
  // Dropout before and behind a product: exact zeros where the mask says so.
  constexpr std::size_t model = 10;
  const PassResult found = backend->pass(model, 67);
  const PassResult expected = reference_operations().pass(model, 67);
  REQUIRE(found.outputs.size() == expected.outputs.size());
  std::size_t dropped = 0;
  for (std::size_t i = 0; i < found.outputs.size(); ++i) {
    REQUIRE((found.outputs[i] == 0.0) == (expected.outputs[i] == 0.0));
    dropped += found.outputs[i] == 0.0 ? 1u : 0u;
  }
  CHECK(dropped > found.outputs.size() / 4);
  CHECK(dropped < found.outputs.size() / 2);
  for (std::size_t i = 0; i < found.input_gradients.size(); ++i) {
    REQUIRE((found.input_gradients[i] == 0.0) == (expected.input_gradients[i] == 0.0));
  }
}
