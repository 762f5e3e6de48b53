// SPDX-License-Identifier: MIT
// Layers, losses and optimizers as a user writes them: with branches, literals and doubles, for scalars. They must be
// called with scalars, whatever vectors the processor has.

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <tuple>
#include <vector>

#include "brief.hpp"
#include "catch.hpp"
#include "plain_backend/plain.hpp"
#include "random_values.hpp"
#include "retort/backend/eigen/backend.hpp"
#include "retort/backend/eigen/panel/steps.hpp"
#include "retort/backend/eigen/simd_chain.hpp"
#include "retort/backend/generic/engine.hpp"
#include "retort/nn/dropout.hpp"
#include "retort/nn/layer_norm.hpp"
#include "retort/nn/linear.hpp"
#include "retort/nn/relu.hpp"
#include "retort/nn/sequential.hpp"
#include "retort/optim/adam.hpp"
#include "same_steps.hpp"
#include "train_steps.hpp"

// A user mixes floats and doubles without a thought.
#pragma GCC diagnostic ignored "-Wdouble-promotion"

namespace {

using namespace retort;

struct Leaky {
  static constexpr std::string_view name = "Leaky";
  template <class T>
  static T value(T x) {
    return x > 0 ? x : x * 0.25f;
  }
  template <class T>
  static T derivative(T x, T) {
    return x > 0 ? 1 : 0.25f;
  }
};

struct Rectified {
  static constexpr std::string_view name = "Rectified";
  template <class T>
  static T value(T x) {
    if (x < T(0)) {
      return T(0);
    }
    return x;
  }
  template <class T>
  static T derivative(T, T y) {
    return T(y > T(0));
  }
};

struct Twice {
  static constexpr std::string_view name = "Twice";
  template <class T>
  static T value(T x) {
    return x * T{2};
  }
  template <class T>
  static T derivative(T, T) {
    return T{2};
  }
};

struct Swish {
  static constexpr std::string_view name = "Swish";
  template <class T>
  static auto value(const T& x) {
    return x / (1.0 + std::exp(-x));
  }
  template <class T>
  static auto derivative(const T& x, const T& y) {
    return y + (1.0 - y) / (1.0 + std::exp(-x));
  }
};

/// For float alone.
struct Softsign {
  static constexpr std::string_view name = "Softsign";
  static float value(float x) { return x / (1 + std::fabs(x)); }
  static float derivative(float x, float) { return 1 / ((1 + std::fabs(x)) * (1 + std::fabs(x))); }
};

struct Elu {
  static constexpr std::string_view name = "Elu";
  static constexpr bool takes_vectors = false;
  static double value(double x) { return x >= 0.0 ? x : std::expm1(x); }
  static double derivative(double x, double y) { return x >= 0.0 ? 1.0 : y + 1.0; }
};

struct Clamp {
  static constexpr std::string_view name = "Clamp";
  template <typename T>
  static T value(T x) {
    return std::min(T(1), std::max(T(-1), x));
  }
  template <typename T>
  static T derivative(T x, T) {
    return x > -1 && x < 1 ? T{1} : T{};
  }
};

using Layers = std::tuple<Leaky, Rectified, Twice, Swish, Softsign, Elu, Clamp>;

/// Half a squared distance, with a label that may have any type.
struct Brier {
  static constexpr std::string_view name = "Brier";
  static constexpr bool needs_teacher = false;
  void validate() const {}
  std::string describe() const { return "Brier"; }

  template <std::size_t Classes, class S, class Label>
  S row(StudentLogits<S> student, TeacherLogits<S>, Label y, S gradient_scale, S* gradient) const {
    S sum{0};
    for (std::size_t k = 0; k < Classes; ++k) {
      const S target = y == Label(k) ? S(1) : S(0);
      const S difference = student.values[k] - target;
      sum += difference * difference / 2;
      gradient[k] = gradient_scale * difference;
    }
    return sum;
  }
};

/// Cross-entropy, and a distance to the teacher where the student's logit is too large.
struct Hinge {
  static constexpr std::string_view name = "Hinge";
  static constexpr bool needs_teacher = true;
  void validate() const {}
  std::string describe() const { return "Hinge"; }

  template <std::size_t Classes, typename Scalar>
  Scalar row(StudentLogits<Scalar> student, TeacherLogits<Scalar> teacher, auto label, Scalar gradient_scale,
             Scalar* gradient) const {
    double sum = 0.0;
    for (std::size_t k = 0; k < Classes; ++k) {
      sum += std::exp(static_cast<double>(student.values[k]));
    }
    double loss = std::log(sum);
    for (std::size_t k = 0; k < Classes; ++k) {
      double slope = std::exp(static_cast<double>(student.values[k])) / sum;
      if (k == label) {
        loss -= static_cast<double>(student.values[k]);
        slope -= 1.0;
      }
      if (student.values[k] > teacher.values[k]) {
        loss += static_cast<double>(student.values[k] - teacher.values[k]);
        slope += 1.0;
      }
      gradient[k] = gradient_scale * static_cast<Scalar>(slope);
    }
    return static_cast<Scalar>(loss);
  }
};

/// Sign descent: a rule that branches.
struct SignDescent {
  static constexpr std::string_view name = "SignDescent";
  static constexpr std::size_t moment_count = 1;
  double learning_rate = 1e-3;
  void validate() const {}
  std::string describe() const { return "SignDescent"; }

  template <typename Scalar>
  struct Rule {
    Scalar rate;
    template <class T>
    void operator()(T& parameter, const T& gradient, T& mean) const {
      mean = T{0.5} * mean + gradient * 0.5f;
      parameter -= mean > 0 ? rate * 2 : mean < 0 ? -rate : T{0};
    }
  };
  template <typename Scalar>
  Rule<Scalar> rule(std::uint64_t, double rate) const {
    return {static_cast<Scalar>(rate)};
  }
};

/// Steps on panels and of the Eigen backend's operations, against plain loops over scalars.
template <Model M, typename Scalar, typename L, typename O = Adam>
void check_against_plain_loops(const L& loss, const O& optimizer = {}) {
  static_assert(backend::FullyConnectedModel<M>);
  for (const auto& clipping : {std::optional<GradientClipping>{}, std::optional{GradientClipping{.max_norm = 0.01}}}) {
    const test::StepSettings settings{.batch = 40, .clipping = clipping};
    backend::LossSum sum;
    backend::LossSum operations_sum;
    backend::LossSum expected_sum;
    const backend::Eigen cpu{2};
    const auto expected = test::train_steps<M, Scalar, backend::GenericSteps<M, plain::Plain, Scalar>>(
        plain::Plain{}, settings, loss, optimizer, expected_sum);
    const auto found =
        test::train_steps<M, Scalar, backend::panel::PanelSteps<M, Scalar>>(cpu, settings, loss, optimizer, sum);
    const auto operations = test::train_steps<M, Scalar, backend::GenericSteps<M, backend::Eigen, Scalar>>(
        cpu, settings, loss, optimizer, operations_sum);
    test::check_same_steps<Scalar>(found, sum, expected, expected_sum);
    test::check_same_steps<Scalar>(operations, operations_sum, expected, expected_sum);
  }
}

TEMPLATE_LIST_TEST_CASE("A layer written for scalars is called with scalars", "[panel]", Layers) {
  static_assert(!takes_vectors<TestType>);
  CAPTURE(TestType::name);
  constexpr std::size_t size = 64;
  alignas(arena_alignment) std::array<float, size> values;
  alignas(arena_alignment) std::array<float, size> gradients;
  for (std::size_t i = 0; i < size; ++i) {
    values[i] = static_cast<float>(i % 7) - 3.25f;
    gradients[i] = static_cast<float>(i % 5) - 2.0f;
  }
  const auto inputs = values;
  const auto incoming = gradients;
  backend::detail::apply_elementwise<TestType, true, simd::Vector<float>>(size, values.data(), gradients.data());
  for (std::size_t i = 0; i < size; ++i) {
    const float x = inputs[i];
    const auto y = static_cast<float>(TestType::value(x));
    CAPTURE(i, x);
    CHECK_THAT(double{values[i]}, WithinRel(double{y}, 1e-6));
    CHECK_THAT(double{gradients[i]},
               WithinRel(double{incoming[i]} * static_cast<double>(TestType::derivative(x, y)), 1e-6));
  }
}

/// A chain before the first product, between two and behind the last.
using Layered = Sequential<Clamp, Twice, Linear<35, 13>, Dropout<0.2>, Leaky, Elu, Linear<13, 10>, Swish, Rectified>;
/// The same without panels.
using Normalized = Sequential<Clamp, Twice, Linear<35, 13>, LayerNorm<13>, Leaky, Elu, Linear<13, 10>, Swish>;

TEMPLATE_TEST_CASE("Layers and a loss written for scalars train as plain loops do", "[panel]", float, double) {
  check_against_plain_loops<Layered, TestType>(Hinge{});
}

TEMPLATE_TEST_CASE("And they answer so", "[panel]", Layered, Normalized) {
  const Network<TestType> network{Seed{3}};
  const Network<TestType, plain::Plain> reference{Seed{3}, plain::Plain{}};
  for (const std::size_t batch : {std::size_t{1}, std::size_t{23}}) {
    const auto inputs = test::random_values<float>(batch * TestType::input_size, 5, -2.0, 2.0);
    std::vector<float> logits(batch * TestType::output_size);
    std::vector<float> expected(logits.size());
    network.predict(inputs, logits);
    reference.predict(inputs, expected);
    CHECK(test::largest_difference(logits, expected) < 1e-5);
  }
}

using Student = Sequential<Linear<35, 20>, ReLU, Linear<20, 10>>;

TEST_CASE("So do a rule and a loss with a label of any type", "[panel]") {
  // Where rounding decides a sign, a step goes the other way: a small one here.
  const SignDescent optimizer{.learning_rate = 1e-4};
  check_against_plain_loops<Student, float>(Brier{}, optimizer);
  if constexpr (test::takes_all<double>) {
    check_against_plain_loops<Student, double>(Brier{}, optimizer);
  }
}

}  // namespace
