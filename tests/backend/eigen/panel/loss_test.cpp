// SPDX-License-Identifier: MIT
// Losses on vectors and row by row against their formulas in long double.

#include "retort/backend/eigen/panel/loss.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <numbers>
#include <utility>
#include <vector>

#include "brief.hpp"
#include "catch.hpp"
#include "retort/core/aligned_buffer.hpp"
#include "retort/core/philox.hpp"
#include "retort/loss/hinton.hpp"
#include "retort/loss/softmax_passed_to_kl.hpp"

namespace {

using namespace retort;
namespace panel = backend::panel;

template <typename Scalar>
struct Rows {
  std::vector<Scalar> student;  // (rows, classes)
  std::vector<Scalar> teacher;
};

/// Logits of the given deviation. The student's are its own, or the teacher's and a normal number of deviation
/// `apart`.
template <std::size_t Classes, typename Scalar>
Rows<Scalar> random_rows(std::size_t rows, double deviation, double apart) {
  RandomSequence numbers{RandomStream{Seed{19}, Stream::synthetic, 5}};
  const auto normal = [&] {
    const double radius = std::sqrt(-2.0 * std::log(1.0 - numbers.uniform<double>(0, 1)));
    return radius * std::cos(2.0 * std::numbers::pi * numbers.uniform<double>(0, 1));
  };
  Rows<Scalar> logits;
  for (std::size_t i = 0; i < rows * Classes; ++i) {
    const double teacher = deviation * normal();
    logits.teacher.push_back(static_cast<Scalar>(teacher));
    logits.student.push_back(static_cast<Scalar>(apart > 0.0 ? teacher + apart * normal() : deviation * normal()));
  }
  return logits;
}

template <typename Scalar>
struct Evaluated {
  std::vector<Scalar> losses;
  std::vector<Scalar> gradient;  // (rows, classes), of the sum
};

template <std::size_t Classes, typename L, typename Scalar>
Evaluated<Scalar> row_by_row(const L& loss, const Rows<Scalar>& logits) {
  const std::size_t rows = logits.student.size() / Classes;
  Evaluated<Scalar> result{std::vector<Scalar>(rows), std::vector<Scalar>(rows * Classes)};
  for (std::size_t i = 0; i < rows; ++i) {
    const std::size_t at = i * Classes;
    result.losses[i] = loss.template row<Classes>(StudentLogits<Scalar>{logits.student.data() + at},
                                                  TeacherLogits<Scalar>{logits.teacher.data() + at}, std::uint32_t{1},
                                                  Scalar{1}, result.gradient.data() + at);
  }
  return result;
}

template <std::size_t Classes, typename L, typename Scalar>
Evaluated<Scalar> on_vectors(const L& loss, const Rows<Scalar>& logits) {
  static_assert(takes_vectors<L>);
  constexpr std::size_t width = panel::width<Scalar>;
  const std::size_t rows = logits.student.size() / Classes;
  const auto place = [&](std::size_t row, std::size_t k) {
    return row / width * Classes * width + k * width + row % width;
  };
  AlignedBuffer<Scalar> student(panel::size_for<Scalar>(Classes, rows));
  AlignedBuffer<Scalar> gradient(student.size());
  std::vector<std::uint32_t> samples(rows);
  std::vector<std::uint8_t> correct(rows);
  const std::vector<std::uint32_t> labels(rows, 1);
  for (std::size_t i = 0; i < rows; ++i) {
    samples[i] = static_cast<std::uint32_t>(i);
    for (std::size_t k = 0; k < Classes; ++k) {
      student.data()[place(i, k)] = logits.student[i * Classes + k];
    }
  }
  Evaluated<Scalar> result{std::vector<Scalar>(rows), std::vector<Scalar>(rows * Classes)};
  panel::evaluate_loss<Classes, simd::Vector<Scalar>>(loss,
                                                      backend::LossArguments<Scalar>{student.data(),
                                                                                     {logits.teacher.data(), true},
                                                                                     samples.data(),
                                                                                     labels.data(),
                                                                                     gradient.data(),
                                                                                     result.losses.data(),
                                                                                     correct.data(),
                                                                                     rows});
  for (std::size_t i = 0; i < rows; ++i) {
    for (std::size_t k = 0; k < Classes; ++k) {
      result.gradient[i * Classes + k] = gradient.data()[place(i, k)] * static_cast<Scalar>(rows);
    }
  }
  return result;
}

/// exp(x) - 1 - x.
long double exp_rest(long double x) {
  return std::abs(x) < 0.01L ? x * x * (0.5L + x * (1 / 6.0L + x * (1 / 24.0L + x * (1 / 120.0L + x * (1 / 720.0L)))))
                             : std::expm1(x) - x;
}

/// A row of the divergence and of its gradient, without the factors T^2 and T.
template <std::size_t Classes>
struct ExactDivergence {
  long double value = 0;
  std::array<long double, Classes> difference{};  // q_k - p_k
  long double unseen = 0;                         // what numbers below the smallest normal one may add up to
};

/// sum_k p_k (log p_k - log q_k) as the sum of p_k (exp(l_k) - 1 - l_k), l_k = log q_k - log p_k: terms that are
/// positive.
template <std::size_t Classes, typename Scalar>
ExactDivergence<Classes> exact_divergence(const Scalar* student, const Scalar* teacher, double temperature) {
  const auto first = static_cast<std::size_t>(std::max_element(teacher, teacher + Classes) - teacher);
  const auto students = static_cast<std::size_t>(std::max_element(student, student + Classes) - student);
  const auto gap = [&](const Scalar* logits, std::size_t k, std::size_t from) {
    return (static_cast<long double>(logits[k]) - logits[from]) / temperature;
  };
  std::array<long double, Classes> p;
  std::array<long double, Classes> q;
  std::array<long double, Classes> e;
  long double p_rest = 0;  // of all but the largest, 1
  long double q_rest = 0;
  long double farthest = 0;
  for (std::size_t k = 0; k < Classes; ++k) {
    e[k] = gap(student, k, first) - gap(teacher, k, first);
    p[k] = std::exp(gap(teacher, k, first));
    q[k] = std::exp(gap(student, k, students));
    p_rest += k == first ? 0 : p[k];
    q_rest += k == students ? 0 : q[k];
    farthest = std::max(farthest, std::abs(e[k]));
  }
  long double total = 0;
  for (std::size_t k = 0; k < Classes; ++k) {
    p[k] /= 1 + p_rest;
    q[k] /= 1 + q_rest;
    total += p[k] * std::expm1(e[k]);
  }
  const long double log_ratio =
      farthest > 500 ? gap(student, students, first) + std::log1p(q_rest) - std::log1p(p_rest) : std::log1p(total);
  ExactDivergence<Classes> exact;
  for (std::size_t k = 0; k < Classes; ++k) {
    const long double l = e[k] - log_ratio;
    exact.difference[k] = l < 1 ? p[k] * std::expm1(l) : q[k] - p[k];
    exact.value += l < 1 ? p[k] * exp_rest(l) : q[k] - p[k] - p[k] * l;
  }
  exact.unseen = Classes * (4 + farthest) * std::numeric_limits<Scalar>::min();
  return exact;
}

/// The worst of all rows: of the values, relative to each, and of the gradients, relative to each one's length.
template <std::size_t Classes, typename Scalar>
void check_divergence(const Evaluated<Scalar>& found, const Rows<Scalar>& logits, double temperature,
                      long double tolerance) {
  const long double t = temperature;
  long double worst_value = 0;
  long double worst_gradient = 0;
  bool negative = false;
  for (std::size_t i = 0; i < found.losses.size(); ++i) {
    const std::size_t at = i * Classes;
    const auto exact = exact_divergence<Classes>(logits.student.data() + at, logits.teacher.data() + at, temperature);
    const long double error = std::abs(found.losses[i] / (t * t) - exact.value);
    worst_value = std::max(worst_value, error / (exact.value + exact.unseen / tolerance));
    negative = negative || found.losses[i] < 0;
    long double gradient_error = 0;
    long double length = exact.unseen / tolerance;
    for (std::size_t k = 0; k < Classes; ++k) {
      gradient_error = std::max(gradient_error, std::abs(found.gradient[at + k] / t - exact.difference[k]));
      length = std::max(length, std::abs(exact.difference[k]));
    }
    worst_gradient = std::max(worst_gradient, gradient_error / length);
  }
  CAPTURE(worst_value, worst_gradient);
  CHECK(worst_value < tolerance);
  CHECK(worst_gradient < tolerance);
  CHECK_FALSE(negative);
}

// Long double may be computed by software (64-bit ARM): fewer rows then.
constexpr bool is_slow = std::numeric_limits<long double>::digits > 64 || test::brief;

TEMPLATE_TEST_CASE("Hinton's soft term is right in every row, at every temperature", "[panel]", float, double) {
  constexpr double tolerance = std::is_same_v<TestType, float> ? 1e-4 : 1e-12;
  constexpr std::size_t rows = is_slow ? 40 : 2000;
  for (const double apart : {0.0, 4.0, 0.1, 1e-3}) {
    const auto logits = random_rows<10, TestType>(rows, 4.0, apart);
    for (const double temperature : {1e-3, 1e-2, 0.1, 0.5, 1.0, 2.0, 4.0, 7.0, 20.0, 100.0, 1e3, 1e4, 1e5, 1e6}) {
      CAPTURE(apart, temperature);
      const HintonLoss loss{temperature, 0.0};
      {
        INFO("row by row");
        check_divergence<10>(row_by_row<10>(loss, logits), logits, temperature, tolerance);
      }
      {
        INFO("on vectors");
        check_divergence<10>(on_vectors<10>(loss, logits), logits, temperature, tolerance);
      }
    }
  }
}

TEST_CASE("So it is of two classes and of many", "[panel]") {
  const auto two = random_rows<2, float>(is_slow ? 100 : 500, 4.0, 0.0);
  const auto many = random_rows<200, float>(is_slow ? 20 : 100, 4.0, 0.5);
  for (const double temperature : {0.01, 1.0, 30.0, 1e4}) {
    CAPTURE(temperature);
    const HintonLoss loss{temperature, 0.0};
    check_divergence<2>(on_vectors<2>(loss, two), two, temperature, 1e-4);
    check_divergence<200>(on_vectors<200>(loss, many), many, temperature, 1e-4);
  }
}

/// A row's gradient of the loss that passes softmax to the divergence, without the factor 1 / T.
template <std::size_t Classes, typename Scalar>
std::array<long double, Classes> exact_overlap_gradient(const Scalar* student, const Scalar* teacher,
                                                        double temperature) {
  const auto softmax = [&](const Scalar* logits) {
    const long double largest = *std::max_element(logits, logits + Classes);
    std::array<long double, Classes> p;
    long double sum = 0;
    for (std::size_t k = 0; k < Classes; ++k) {
      p[k] = std::exp((logits[k] - largest) / temperature);
      sum += p[k];
    }
    for (long double& value : p) {
      value /= sum;
    }
    return p;
  };
  const auto p = softmax(teacher);
  const auto q = softmax(student);
  std::array<long double, Classes> gradient;
  for (std::size_t i = 0; i < Classes; ++i) {
    gradient[i] = 0;
    for (std::size_t j = 0; j < Classes; ++j) {
      gradient[i] += q[i] * q[j] * (p[j] - p[i]);
    }
  }
  return gradient;
}

TEST_CASE("The mistaken loss has the gradient of its mistake at every temperature of distillation", "[panel]") {
  const auto logits = random_rows<10, float>(is_slow ? 100 : 500, 4.0, 0.0);
  for (const double temperature : {2.0, 7.0, 20.0, 100.0, 1e3, 1e4, 1e6}) {
    CAPTURE(temperature);
    const SoftmaxPassedToKlLoss loss{temperature, 0.0};
    for (const auto& found : {row_by_row<10>(loss, logits), on_vectors<10>(loss, logits)}) {
      long double worst = 0;
      for (std::size_t at = 0; at < logits.student.size(); at += 10) {
        const auto expected =
            exact_overlap_gradient<10>(logits.student.data() + at, logits.teacher.data() + at, temperature);
        long double error = 0;
        long double length = 1e-6L;  // a softmax that is all in one class has no gradient
        for (std::size_t k = 0; k < 10; ++k) {
          error = std::max(error, std::abs(static_cast<double>(found.gradient[at + k]) * temperature - expected[k]));
          length = std::max(length, std::abs(expected[k]));
        }
        worst = std::max(worst, error / length);
      }
      CAPTURE(worst);
      CHECK(worst < 1e-4);
    }
  }
}

}  // namespace
