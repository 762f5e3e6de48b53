// SPDX-License-Identifier: MIT
#include <cstddef>
#include <limits>
#include <vector>

#include "catch.hpp"
#include "every_backend/backends.hpp"
#include "every_backend/models.hpp"

using namespace retort::test;

TEMPLATE_TEST_CASE("losses and their gradients are the reference's", "[every_backend][short]", RETORT_EVERY_BACKEND) {
  const Operations* backend = operations_on<TestType>();
  if (backend == nullptr) {
    return;
  }
  for (std::size_t loss = 0; loss < loss_count; ++loss) {
    for (const bool by_sample : {false, true}) {
      for (const std::size_t batch : {std::size_t{1}, std::size_t{64}, std::size_t{301}}) {
        CAPTURE(loss, by_sample, batch);
        const LossResult found = backend->loss(loss, batch, by_sample);
        const LossResult expected = reference_operations().loss(loss, batch, by_sample);
        CHECK(relative_difference(found.losses, expected.losses) < 1e-5);
        CHECK(largest_difference(found.gradient, expected.gradient) * static_cast<double>(batch) < 1e-5);
        CHECK(found.correct == expected.correct);
        CHECK(found.correct_sum == expected.correct_sum);
        CHECK_THAT(found.loss_sum, WithinRel(expected.loss_sum, 1e-6));
      }
    }
  }
}

TEMPLATE_TEST_CASE("terms on whole batches and their gradients are the reference's", "[every_backend][short]",
                   RETORT_EVERY_BACKEND) {
  const Operations* backend = operations_on<TestType>();
  if (backend == nullptr) {
    return;
  }
  for (std::size_t term = 0; term < batch_term_count; ++term) {
    for (const bool by_sample : {false, true}) {
      for (const std::size_t batch : {std::size_t{1}, std::size_t{5}, std::size_t{67}}) {
        CAPTURE(term, by_sample, batch);
        const LossResult found = backend->batch_term(term, batch, by_sample);
        const LossResult expected = reference_operations().batch_term(term, batch, by_sample);
        CHECK(relative_difference(found.losses, expected.losses) < 1e-5);
        CHECK(relative_difference(found.gradient, expected.gradient) < 1e-5);
      }
    }
  }
}

TEMPLATE_TEST_CASE("optimizers move parameters and moments as the reference does", "[every_backend][short]",
                   RETORT_EVERY_BACKEND) {
  const Operations* backend = operations_on<TestType>();
  if (backend == nullptr) {
    return;
  }
  for (std::size_t optimizer = 0; optimizer < optimizer_count; ++optimizer) {
    for (const std::size_t size : {std::size_t{1}, std::size_t{1000}, std::size_t{5003}}) {
      CAPTURE(optimizer, size);
      const UpdateResult found = backend->update(optimizer, size, 4);
      const UpdateResult expected = reference_operations().update(optimizer, size, 4);
      CHECK(relative_difference(found.parameters, expected.parameters) < 1e-6);
      CHECK(relative_difference(found.moments, expected.moments) < 1e-6);
    }
  }
}

TEMPLATE_TEST_CASE("units' weights are limited as the reference limits them", "[every_backend][short]",
                   RETORT_EVERY_BACKEND) {
  const Operations* backend = operations_on<TestType>();
  if (backend == nullptr) {
    return;
  }
  // The lengths of the rows are near the root of 131 / 3: about half of them are longer than that.
  const auto parameters = random_values<float>(retort::Sequential<LimitedLayer>::parameter_arena_size, 43);
  const Numbers found = backend->limit(parameters, 6.6);
  CHECK(largest_difference(found, reference_operations().limit(parameters, 6.6)) < 1e-6);
  CHECK_FALSE(same_bits(found, Numbers(parameters.begin(), parameters.end())));
  // Below the limit nothing changes.
  CHECK(same_bits(backend->limit(parameters, 100.0), Numbers(parameters.begin(), parameters.end())));
}

TEMPLATE_TEST_CASE("gradients are clipped as the reference clips them", "[every_backend][short]",
                   RETORT_EVERY_BACKEND) {
  const Operations* backend = operations_on<TestType>();
  if (backend == nullptr) {
    return;
  }
  for (const std::size_t size : {std::size_t{1}, std::size_t{257}, std::size_t{100'003}}) {
    const auto gradients = random_values<float>(size, 41);
    CAPTURE(size);
    CHECK(largest_difference(backend->clip(gradients, 0.25), reference_operations().clip(gradients, 0.25)) < 1e-7);
    // Below the limit nothing changes.
    CHECK(same_bits(backend->clip(gradients, 1e6), Numbers(gradients.begin(), gradients.end())));
  }
}

TEMPLATE_TEST_CASE("one number that is not finite is found wherever it stands", "[every_backend][short]",
                   RETORT_EVERY_BACKEND) {
  const Operations* backend = operations_on<TestType>();
  if (backend == nullptr) {
    return;
  }
  constexpr std::size_t size = 70'001;
  std::vector<float> values = random_values<float>(size, 42);
  values[5] = std::numeric_limits<float>::max();
  CHECK(backend->finite(values));
  for (const float bad : {std::numeric_limits<float>::quiet_NaN(), -std::numeric_limits<float>::infinity()}) {
    for (const std::size_t place : {std::size_t{0}, std::size_t{255}, std::size_t{65'536}, size - 1}) {
      const float good = values[place];
      values[place] = bad;
      CAPTURE(bad, place);
      CHECK_FALSE(backend->finite(values));
      values[place] = good;
    }
  }
}
