// SPDX-License-Identifier: MIT
#include "retort/nn/tensor_values.hpp"

#include <array>
#include <cstddef>
#include <limits>
#include <span>
#include <string>
#include <vector>

#include "catch.hpp"
#include "retort/nn/batch_norm.hpp"
#include "retort/nn/linear.hpp"

namespace {

using namespace retort;

constexpr TensorSpec weight = Linear<3, 1>::parameters[0];
constexpr TensorSpec running_var = BatchNorm<3>::buffers[1];
constexpr TensorSpec count = BatchNorm<3>::buffers[2];

template <typename Scalar>
std::string fault_of(const TensorSpec& spec, std::vector<Scalar> values) {
  return internal::describe_fault(spec, std::span<const Scalar>(values));
}

TEMPLATE_TEST_CASE("Finite numbers of a sane size may stand in a tensor", "[nn]", float, double) {
  using Limits = std::numeric_limits<TestType>;
  const TestType most = internal::largest_tensor_value<TestType>;
  CHECK(fault_of<TestType>(weight, {0, -most, most}).empty());
  CHECK(fault_of<TestType>(weight, {Limits::denorm_min(), -0.0, 1}).empty());
  CHECK(is_finite(most * most));
  CHECK_THAT(fault_of<TestType>(weight, {0, 2 * most, Limits::infinity()}),
             Catch::Matchers::StartsWith("element 1 is ") && Catch::Matchers::Contains("magnitude of at most"));
  CHECK(fault_of<TestType>(weight, {0, 1, Limits::infinity()}) == "element 2 is inf, expected a finite number");
  CHECK(fault_of<TestType>(weight, {0, -Limits::infinity(), 1}) == "element 1 is -inf, expected a finite number");
  CHECK_THAT(fault_of<TestType>(weight, {Limits::quiet_NaN(), 0, 1}),
             Catch::Matchers::StartsWith("element 0 is nan, expected a finite number"));
}

TEMPLATE_TEST_CASE("A variance is finite and not negative, a count whole and in range", "[nn]", float, double) {
  using Limits = std::numeric_limits<TestType>;
  CHECK(fault_of<TestType>(running_var, {0, 1, Limits::max()}).empty());
  CHECK(fault_of<TestType>(running_var, {0, -Limits::denorm_min(), 1}).starts_with("element 1 is -"));
  CHECK(fault_of<TestType>(running_var, {0, 1, Limits::infinity()}) == "element 2 is inf, expected a finite number");

  const TestType most = internal::largest_tensor_count<TestType>;
  for (const TestType value : {TestType{0}, TestType{7}, most}) {
    CHECK(fault_of<TestType>(count, {value}).empty());
  }
  for (const TestType value : {TestType{-1}, TestType(0.5), 2 * most, Limits::max(), Limits::infinity()}) {
    CHECK_FALSE(fault_of<TestType>(count, {value}).empty());
  }
}

TEST_CASE("A fault among many tensors is named", "[nn]") {
  using M = Sequential<Linear<2, 3>, BatchNorm<3>>;
  std::vector<float> arena(M::buffer_arena_size, 1.0f);
  const auto fault = [&] {
    return internal::describe_fault(std::span<const TensorInfo>(M::buffers), std::span<const float>(arena));
  };
  CHECK(fault().empty());
  arena[M::buffers[1].offset + 2] = -1.0f;
  CHECK(fault() == "1.running_var: element 2 is -1, expected a number of at least 0");
}

}  // namespace
