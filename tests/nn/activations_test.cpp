// SPDX-License-Identifier: MIT
// The scalar functions of all elementwise layers: relu.hpp, leaky_relu.hpp, gelu.hpp, silu.hpp, tanh.hpp, sigmoid.hpp.

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <limits>
#include <tuple>
#include <type_traits>

#include "catch.hpp"
#include "golden/layer_golden.hpp"
#include "retort/nn/gelu.hpp"
#include "retort/nn/gelu_tanh.hpp"
#include "retort/nn/layer.hpp"
#include "retort/nn/leaky_relu.hpp"
#include "retort/nn/relu.hpp"
#include "retort/nn/sigmoid.hpp"
#include "retort/nn/silu.hpp"
#include "retort/nn/tanh.hpp"
#include "retort/simd/vector.hpp"

namespace {

using namespace retort;
namespace golden = retort::golden::layer;

template <typename L>
void check_golden(const double* outputs, const double* gradients) {
  CAPTURE(L::name);
  for (std::size_t i = 0; i < golden::elementwise_size; ++i) {
    CAPTURE(i, golden::elementwise_input[i]);
    const double x = golden::elementwise_input[i];
    const double y = L::value(x);
    CHECK_THAT(y, WithinRel(outputs[i], 1e-14) || WithinAbs(outputs[i], 1e-17));
    CHECK_THAT(golden::elementwise_incoming[i] * L::derivative(x, y),
               WithinRel(gradients[i], 1e-13) || WithinAbs(gradients[i], 1e-15));
    const float narrow = L::value(static_cast<float>(x));
    CHECK_THAT(double{narrow}, WithinRel(outputs[i], 2e-6) || WithinAbs(outputs[i], 1e-6));
    CHECK_THAT(golden::elementwise_incoming[i] * double{L::derivative(static_cast<float>(x), narrow)},
               WithinAbs(gradients[i], 1e-6));
  }
}

TEST_CASE("Elementwise layers equal PyTorch's", "[nn][golden]") {
  check_golden<ReLU>(golden::relu_output, golden::relu_gradient);
  check_golden<LeakyReLU<>>(golden::leaky_relu_output, golden::leaky_relu_gradient);
  check_golden<GELU>(golden::gelu_output, golden::gelu_gradient);
  check_golden<GELUTanh>(golden::gelu_tanh_output, golden::gelu_tanh_gradient);
  check_golden<SiLU>(golden::silu_output, golden::silu_gradient);
  check_golden<Tanh>(golden::tanh_output, golden::tanh_gradient);
  check_golden<Sigmoid>(golden::sigmoid_output, golden::sigmoid_gradient);
}

template <typename L, typename Scalar>
void check_extremes() {
  CAPTURE(L::name, sizeof(Scalar));
  for (const Scalar x : {Scalar(-1e4), Scalar(-100), Scalar(-0.0), Scalar(0), Scalar(100), Scalar(1e4)}) {
    CAPTURE(x);
    const Scalar y = L::value(x);
    const Scalar slope = L::derivative(x, y);
    CHECK(std::isfinite(y));
    CHECK(std::isfinite(slope));
    CHECK(std::abs(y) <= std::abs(x) + Scalar(1));
    CHECK(std::abs(slope) <= Scalar(1.2));
  }
  CHECK(std::isnan(L::value(std::numeric_limits<Scalar>::quiet_NaN())));
}

using Layers = std::tuple<ReLU, LeakyReLU<>, LeakyReLU<0.2>, GELU, GELUTanh, SiLU, Tanh, Sigmoid>;

TEMPLATE_LIST_TEST_CASE("Far from zero values and slopes stay finite, and a NaN is not hidden", "[nn]", Layers) {
  check_extremes<TestType, float>();
  check_extremes<TestType, double>();
}

TEMPLATE_LIST_TEST_CASE("Far from zero an elementwise layer is flat or a straight line", "[nn]", Layers) {
  // The slope at 100 is that between 100 and 200, and likewise on the other side.
  for (const double x : {-100.0, 100.0}) {
    const double slope = (TestType::value(2 * x) - TestType::value(x)) / x;
    CHECK_THAT(TestType::derivative(x, TestType::value(x)), WithinAbs(slope, 1e-12));
  }
}

/// Lane 0 of a vector.
template <typename V>
double first_of(const V& vector) {
  std::array<simd::ScalarOf<V>, simd::lanes<V>> values;
  vector.store_unaligned(values.data());
  return double{values[0]};
}

/// By how many more units in the last place a value may be wrong, as the layer's docstring says.
template <typename L>
double more_units(double x) {
  if constexpr (std::is_same_v<L, GELU>) {
    return x * x / 2;
  } else if constexpr (std::is_same_v<L, GELUTanh>) {
    return 2.4 * std::abs(x) * (1 + 0.044715 * x * x);
  } else {
    return 0.0;
  }
}

// Long double may be computed by software (64-bit ARM): fewer values then, 0 among them.
constexpr int values_apart = std::numeric_limits<long double>::digits > 64 ? 8 : 1;

/// The worst differences of a layer on vectors from the formula in long double, in units of the scalar's precision: of
/// values, relative, as a share of the `allowed` units; of slopes, absolute.
struct WorstOnVectors {
  double value = 0.0;
  double slope = 0.0;
};
template <typename L, typename Scalar>
WorstOnVectors worst_on_vectors(double allowed) {
  using V = simd::Vector<Scalar>;
  constexpr double unit = std::numeric_limits<Scalar>::epsilon();
  WorstOnVectors worst;
  for (int i = -12'000; i <= 12'000; i += values_apart) {
    const Scalar x = static_cast<Scalar>(i) / Scalar{997};
    const V y = L::value(V(x));
    const long double wide = x;
    const long double expected = L::value(wide);
    const long double size = std::abs(expected);
    if (size < 100 * static_cast<long double>(std::numeric_limits<Scalar>::min())) {
      CHECK(std::abs(first_of(y)) < 1000 * double{std::numeric_limits<Scalar>::min()});
      continue;
    }
    const auto units = [&](double found, long double right) {
      return static_cast<double>(std::abs(static_cast<long double>(found) - right)) / unit;
    };
    const double most = allowed + more_units<L>(double{x});
    worst.value = std::max(worst.value, units(first_of(y), expected) / static_cast<double>(size) / most);
    worst.slope = std::max(worst.slope, units(first_of(V(L::derivative(V(x), y))), L::derivative(wide, expected)));
  }
  return worst;
}

TEMPLATE_LIST_TEST_CASE("Layers that take vectors are as precise on them", "[nn]", Layers) {
  if constexpr (takes_vectors<TestType>) {
    CAPTURE(TestType::name);
    const WorstOnVectors of_floats = worst_on_vectors<TestType, float>(8);
    CHECK(of_floats.value < 1);
    CHECK(of_floats.slope < 16);
    const WorstOnVectors of_doubles = worst_on_vectors<TestType, double>(16);
    CHECK(of_doubles.value < 1);
    CHECK(of_doubles.slope < 16);
    using V = simd::Vector<float>;
    for (const float x : {-1e30f, -100.0f, 100.0f, 1e30f}) {
      CAPTURE(x);
      CHECK_THAT(first_of(V(TestType::value(V(x)))),
                 WithinRel(double{TestType::value(x)}, 1e-6) || WithinAbs(0.0, 1e-30));
    }
    CHECK(std::isnan(first_of(V(TestType::value(V(std::numeric_limits<float>::quiet_NaN()))))));
  }
}

TEST_CASE("The derivatives at the kinks are PyTorch's", "[nn]") {
  CHECK(ReLU::derivative(0.0, ReLU::value(0.0)) == 0.0);
  CHECK(LeakyReLU<0.2>::derivative(0.0, 0.0) == 0.2);
}

}  // namespace
