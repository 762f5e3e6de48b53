// SPDX-License-Identifier: MIT
#include "retort/data/synthetic_digits.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <set>
#include <vector>

#include "catch.hpp"
#include "data/data_test.hpp"

using namespace retort;
using namespace retort::test;
using data::Dataset;
using data::synthetic_digits;

namespace {

const data::Matrix<std::uint8_t>& images(const Dataset& dataset) {
  return std::get<data::Matrix<std::uint8_t>>(dataset.features());
}

}  // namespace

TEST_CASE("synthetic digits look like MNIST to a program") {
  const Dataset digits = synthetic_digits(20, Seed{1});
  CHECK(digits.size() == 20);
  CHECK(digits.image() == data::ImageShape{28, 28});
  CHECK(digits.classes() == 10);
  CHECK(digits.normalization() == data::Normalization{0.5, 0.5});
}

TEST_CASE("a sample is a function of seed and index: a longer dataset begins with the shorter one") {
  const Dataset long_one = synthetic_digits(57, Seed{3});
  std::vector<std::uint32_t> indices;
  for (const std::uint32_t count : {1u, 9u, 10u, 23u}) {
    while (indices.size() < count) {
      indices.push_back(static_cast<std::uint32_t>(indices.size()));
    }
    CHECK(synthetic_digits(count, Seed{3}).fingerprint() == long_one.subset(indices).fingerprint());
  }
}

TEST_CASE("seeds differ, and so do all samples of one seed") {
  CHECK(synthetic_digits(10, Seed{3}).fingerprint() == synthetic_digits(10, Seed{3}).fingerprint());
  CHECK(synthetic_digits(10, Seed{3}).fingerprint() != synthetic_digits(10, Seed{4}).fingerprint());
  const Dataset digits = synthetic_digits(300, Seed{5});
  std::set<std::vector<std::uint8_t>> distinct;
  for (std::size_t sample = 0; sample < digits.size(); ++sample) {
    const auto image = images(digits).row(sample);
    distinct.emplace(image.begin(), image.end());
  }
  CHECK(distinct.size() == digits.size());
}

TEST_CASE("each run of ten has every digit once, in an order of its own") {
  const Dataset digits = synthetic_digits(200, Seed{6});
  std::set<std::vector<std::uint32_t>> orders;
  for (std::size_t begin = 0; begin < 200; begin += 10) {
    const std::uint32_t* labels = digits.labels().data() + begin;
    orders.emplace(labels, labels + 10);
    CHECK(std::set<std::uint32_t>(labels, labels + 10).size() == 10);
  }
  CHECK(orders.size() == 20);
}

TEST_CASE("a digit has ink, in the middle more than at the border") {
  const Dataset digits = synthetic_digits(1000, Seed{7});
  double border = 0;
  double middle = 0;
  for (std::size_t sample = 0; sample < digits.size(); ++sample) {
    std::uint32_t bright = 0;
    for (std::size_t row = 0; row < 28; ++row) {
      for (std::size_t column = 0; column < 28; ++column) {
        const std::uint8_t grey = images(digits)(sample, row * 28 + column);
        bright += grey > 100 ? 1 : 0;
        const bool is_border = row < 2 || row >= 26 || column < 2 || column >= 26;
        (is_border ? border : middle) += grey;
      }
    }
    CAPTURE(sample, bright);
    CHECK(bright >= 12);
    CHECK(bright <= 400);
  }
  CHECK(border / (784 - 576) < 0.1 * middle / 576);
}

TEST_CASE("the nearest class mean tells the digits apart often, not always") {
  // A coarse guard: shapes that carry no class, or carry it too plainly, both fail it.
  const Dataset train = synthetic_digits(3000, Seed{8});
  const Dataset test = synthetic_digits(1000, Seed{9});
  std::vector<std::array<double, 784>> means(10);
  for (std::size_t sample = 0; sample < train.size(); ++sample) {
    for (std::size_t i = 0; i < 784; ++i) {
      means[train.labels()[sample]][i] += images(train)(sample, i) / 300.0;
    }
  }
  std::size_t correct = 0;
  for (std::size_t sample = 0; sample < test.size(); ++sample) {
    std::array<double, 10> distances{};
    for (std::size_t digit = 0; digit < 10; ++digit) {
      for (std::size_t i = 0; i < 784; ++i) {
        const double difference = means[digit][i] - images(test)(sample, i);
        distances[digit] += difference * difference;
      }
    }
    const auto nearest = std::min_element(distances.begin(), distances.end()) - distances.begin();
    correct += nearest == static_cast<std::ptrdiff_t>(test.labels()[sample]) ? 1u : 0u;
  }
  CHECK(correct > 500);
  CHECK(correct < 900);
}

TEST_CASE("options change the images and are checked") {
  const std::uint64_t usual = synthetic_digits(10, Seed{1}).fingerprint();
  CHECK(synthetic_digits(10, Seed{1}, {.distortion = 0.5}).fingerprint() != usual);
  CHECK(synthetic_digits(10, Seed{1}, {.noise = 0}).fingerprint() != usual);
  CHECK(synthetic_digits(50, Seed{1}, {.distortion = 4, .noise = 4}).size() == 50);  // wild, but within bounds
  for (const double wrong : {-0.1, 4.1, std::nan("")}) {
    CHECK(
        contains(message_of<OptionError>([&] { synthetic_digits(1, Seed{1}, {.distortion = wrong}); }), "distortion"));
    CHECK(contains(message_of<OptionError>([&] { synthetic_digits(1, Seed{1}, {.noise = wrong}); }), "noise"));
  }
  CHECK(contains(message_of<OptionError>([] { synthetic_digits(0, Seed{1}); }), "count is 0"));
  CHECK(contains(message_of<OptionError>([] { synthetic_digits(std::size_t{1} << 32, Seed{1}); }), "4294967296"));
}

TEST_CASE("without noise the paper is black") {
  const Dataset digits = synthetic_digits(50, Seed{2}, {.noise = 0});
  for (std::size_t sample = 0; sample < digits.size(); ++sample) {
    CHECK(images(digits)(sample, 0) == 0);
    CHECK(images(digits)(sample, 783) == 0);
  }
}

TEST_CASE("the digits of a seed are the same bytes on every machine") {
  // Computed with g++ 12 and clang 19, with and without optimisation and fused multiply-add.
  CHECK(synthetic_digits(100, Seed{7}).fingerprint() == 0xc337d218b596e050u);
}
