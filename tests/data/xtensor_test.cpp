#include "retort/data/xtensor.hpp"

#include <array>

#include "catch.hpp"

TEST_CASE("the containers, views and adaptors the library uses are there") {
  std::array<float, 6> memory{1, 2, 3, 4, 5, 6};
  const auto matrix = xt::adapt(memory.data(), memory.size(), xt::no_ownership(), std::array<std::size_t, 2>{2, 3});
  const xt::xtensor<float, 1> row = xt::view(matrix, 1, xt::all());
  CHECK((row == xt::xtensor<float, 1>{4, 5, 6}));
}
