// SPDX-License-Identifier: MIT
#include "retort/data/augment.hpp"

#include <array>
#include <cstdint>

#include "catch.hpp"
#include "data_test.hpp"

using namespace retort;
using namespace retort::test;

TEST_CASE("shifts fill [-pixels, pixels]^2 evenly") {
  constexpr std::size_t draws = 50'000;
  std::array<std::array<double, 5>, 5> counts{};
  for (std::uint32_t sample = 0; sample < draws; ++sample) {
    const auto [rows, columns] = data::Augmentation{{2}, Seed{9}, 3}.offset(sample);
    REQUIRE((rows >= -2 && rows <= 2 && columns >= -2 && columns <= 2));
    ++counts[static_cast<std::size_t>(rows + 2)][static_cast<std::size_t>(columns + 2)];
  }
  double chi_squared = 0;
  for (const auto& row : counts) {
    for (const double count : row) {
      chi_squared += (count - draws / 25.0) * (count - draws / 25.0) / (draws / 25.0);
    }
  }
  CHECK(chi_squared < 60);  // 24 degrees of freedom: passed by chance but once in 15,000
}

TEST_CASE("a shift is a pure function of seed, epoch and sample, and depends on each") {
  const auto sequence = [](std::uint64_t seed, std::uint32_t epoch, std::uint64_t first) {
    std::array<data::PixelOffset, 16> offsets;
    for (std::uint64_t i = 0; i < offsets.size(); ++i) {
      offsets[i] = data::Augmentation{{3}, Seed{seed}, epoch}.offset(first + i);
    }
    return offsets;
  };
  CHECK(sequence(1, 1, 1) == sequence(1, 1, 1));
  CHECK(sequence(1, 1, 1) != sequence(2, 1, 1));
  CHECK(sequence(1, 1, 1) != sequence(1, 2, 1));
  CHECK(sequence(1, 1, 1) != sequence(1, 1, 2));
}

TEST_CASE("no pixels, no shift") {
  for (std::uint32_t sample = 0; sample < 100; ++sample) {
    CHECK(data::Augmentation{{0}, Seed{1}, 0}.offset(sample) == data::PixelOffset{});
  }
}

TEST_CASE("a shift must fit the images") {
  const auto refusal = [](std::size_t pixels, data::ImageShape image) {
    return message_of<OptionError>([&] { data::RandomShift{pixels}.validate(image); });
  };
  CHECK(refusal(0, {}) == "<no exception>");
  CHECK(refusal(27, {28, 28}) == "<no exception>");
  CHECK(contains(refusal(28, {28, 28}), "shift: 28 pixels"));
  CHECK(contains(refusal(3, {28, 3}), "28 x 3"));
  CHECK(contains(refusal(1, {}), "no images"));
}
