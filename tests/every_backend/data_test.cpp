// SPDX-License-Identifier: MIT
#include <cstddef>
#include <cstdint>
#include <vector>

#include "catch.hpp"
#include "every_backend/backends.hpp"
#include "retort/data/synthetic_digits.hpp"
#include "small_datasets.hpp"

using namespace retort;
using namespace retort::test;

TEMPLATE_TEST_CASE("an epoch's order is the same on every backend", "[every_backend][short]", RETORT_EVERY_BACKEND) {
  const Operations* backend = operations_on<TestType>();
  if (backend == nullptr) {
    return;
  }
  for (const std::uint32_t size : {1u, 63u, 64u, 65u, 60'000u}) {
    CAPTURE(size);
    CHECK(backend->shuffle(size, 9, 4) == reference_operations().shuffle(size, 9, 4));
  }
  CHECK(backend->shuffle(1000, 9, 4) != backend->shuffle(1000, 9, 5));
}

TEMPLATE_TEST_CASE("batches are gathered, shifted and normalised as by the reference", "[every_backend][short]",
                   RETORT_EVERY_BACKEND) {
  const Operations* backend = operations_on<TestType>();
  if (backend == nullptr) {
    return;
  }
  const data::Dataset images = noise_images(40, {7, 5}, 3, 51);
  const data::Dataset digits = data::synthetic_digits(40, Seed{0});
  const data::Dataset reals = clouds(40, 9, 3, 52).with_normalization({.mean = 0.3, .standard_deviation = 2.0});
  const std::vector<std::uint32_t> samples{3, 39, 0, 0, 17, 22};
  for (const data::Dataset* data : {&images, &digits, &reals}) {
    CHECK(largest_difference(backend->gather(*data, samples, {}), reference_operations().gather(*data, samples, {})) <
          1e-6);
  }
  for (const std::uint32_t epoch : {0u, 6u}) {
    for (const data::Dataset* data : {&images, &digits}) {
      const data::View moved{{.shift = 3}, Seed{7}, epoch};
      CHECK(largest_difference(backend->gather(*data, samples, moved),
                               reference_operations().gather(*data, samples, moved)) < 1e-6);
      const data::View distorted{
          {.shift = 1, .rotation = 30, .scale = 0.3, .shear = 15, .noise = 0.2, .elastic = 1, .mix = 0.5},
          Seed{7},
          epoch};
      CHECK(largest_difference(backend->gather(*data, samples, distorted),
                               reference_operations().gather(*data, samples, distorted)) < 1e-5);
    }
  }
}
