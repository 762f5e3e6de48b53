// SPDX-License-Identifier: MIT
// Every loss of logits beside HintonLoss: the laws of losses, the papers' formulas, and what each of them promises.

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <numeric>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include "catch.hpp"
#include "loss/loss_laws.hpp"
#include "retort/core/error.hpp"
#include "retort/core/hyperparameters.hpp"
#include "retort/core/vector_archetype.hpp"
#include "retort/data/dataset_view.hpp"
#include "retort/loss/class_weighted.hpp"
#include "retort/loss/cross_entropy.hpp"
#include "retort/loss/curriculum_temperature.hpp"
#include "retort/loss/dkd.hpp"
#include "retort/loss/hinton.hpp"
#include "retort/loss/logit_matching.hpp"
#include "retort/loss/loss.hpp"
#include "retort/loss/nkd.hpp"
#include "retort/loss/rld.hpp"
#include "retort/loss/softmax_passed_to_kl.hpp"
#include "retort/loss/standardized_logits.hpp"
#include "retort/loss/swapped_logits.hpp"
#include "retort/loss/ttm.hpp"
#include "retort/loss/weighted_sum.hpp"
#include "retort/simd/vector.hpp"

namespace {

using namespace retort;
using test::evaluate;
using test::LossRow;
using test::random_row;

using StandardizedHinton = StandardizedLogits<HintonLoss>;
using SwappedHinton = SwappedLogits<HintonLoss>;

#define RETORT_LOSSES LogitMatching, Dkd, Nkd, Ttm, Rld, StandardizedHinton, SwappedHinton

/// The defaults, and others. In float the gradients of the second one are some 1 and less.
template <typename L>
std::array<L, 2> settings_of();
template <>
std::array<LogitMatching, 2> settings_of() {
  return {LogitMatching{}, {.hard_weight = 0.9}};
}
template <>
std::array<Dkd, 2> settings_of() {
  return {Dkd{}, {.temperature = 1.5, .alpha = 0.5, .beta = 0.3, .label_weight = 0.2}};
}
template <>
std::array<Nkd, 2> settings_of() {
  return {Nkd{}, {.temperature = 2.5, .gamma = 0.2, .label_weight = 0.3}};
}
template <>
std::array<Ttm, 2> settings_of() {
  return {Ttm{}, {.exponent = 0.4, .beta = 0.3, .label_weight = 0.5, .weighted = true}};
}
template <>
std::array<Rld, 2> settings_of() {
  return {Rld{}, {.temperature = 1.5, .alpha = 0.5, .beta = 0.3, .label_weight = 0.2}};
}
template <>
std::array<StandardizedHinton, 2> settings_of() {
  return {StandardizedHinton{}, {{.temperature = 2, .hard_weight = 0.3}}};
}
template <>
std::array<SwappedHinton, 2> settings_of() {
  return {SwappedHinton{}, {{.temperature = 2, .hard_weight = 0.3}}};
}

// The formulas, term by term, in long double and without any care for large numbers.

using Values = std::vector<long double>;

struct WideRow {
  explicit WideRow(const LossRow<double>& row)
      : student(row.student.begin(), row.student.end()),
        teacher(row.teacher.begin(), row.teacher.end()),
        label(row.label) {}

  Values student;
  Values teacher;
  std::size_t label;
};

Values softmax(const Values& logits, long double factor) {
  const long double largest = *std::max_element(logits.begin(), logits.end());
  Values p;
  for (const long double logit : logits) {
    p.push_back(std::exp((logit - largest) * factor));
  }
  const long double sum = std::accumulate(p.begin(), p.end(), 0.0L);
  for (long double& value : p) {
    value /= sum;
  }
  return p;
}

long double divergence(const Values& p, const Values& q) {
  long double sum = 0;
  for (std::size_t k = 0; k < p.size(); ++k) {
    sum += p[k] > 0 ? p[k] * std::log(p[k] / q[k]) : 0;
  }
  return sum;
}

Values without(Values values, std::size_t left_out) {
  values.erase(values.begin() + static_cast<std::ptrdiff_t>(left_out));
  return values;
}

long double cross_entropy(const WideRow& row) { return -std::log(softmax(row.student, 1)[row.label]); }

long double formula(const HintonLoss& loss, const WideRow& row) {
  const long double t = loss.temperature;
  return loss.hard_weight * cross_entropy(row) +
         (1 - loss.hard_weight) * t * t * divergence(softmax(row.teacher, 1 / t), softmax(row.student, 1 / t));
}

long double formula(const LogitMatching& loss, const WideRow& row) {
  long double squares = 0;
  for (std::size_t k = 0; k < row.student.size(); ++k) {
    squares += (row.student[k] - row.teacher[k]) * (row.student[k] - row.teacher[k]);
  }
  return loss.hard_weight * cross_entropy(row) + (1 - loss.hard_weight) * squares;
}

long double formula(const Dkd& loss, const WideRow& row) {
  const long double t = loss.temperature;
  const long double p = softmax(row.teacher, 1 / t)[row.label];
  const long double q = softmax(row.student, 1 / t)[row.label];
  const long double tckd = p * std::log(p / q) + (1 - p) * std::log((1 - p) / (1 - q));
  const long double nckd =
      divergence(softmax(without(row.teacher, row.label), 1 / t), softmax(without(row.student, row.label), 1 / t));
  return loss.label_weight * cross_entropy(row) + t * t * (loss.alpha * tckd + loss.beta * nckd);
}

long double formula(const Nkd& loss, const WideRow& row) {
  const long double t = loss.temperature;
  const long double target = softmax(row.teacher, 1)[row.label] * cross_entropy(row);
  return loss.label_weight * cross_entropy(row) + target +
         loss.gamma * t * t *
             divergence(softmax(without(row.teacher, row.label), 1 / t),
                        softmax(without(row.student, row.label), 1 / t));
}

long double formula(const Ttm& loss, const WideRow& row) {
  const long double g = loss.exponent;
  long double weight = loss.weighted ? 0 : 1;
  if (loss.weighted) {
    for (const long double p : softmax(row.teacher, 1)) {
      weight += std::pow(p, g);
    }
  }
  return loss.label_weight * cross_entropy(row) +
         loss.beta * weight * divergence(softmax(row.teacher, g), softmax(row.student, 1));
}

long double formula(const Rld& loss, const WideRow& row) {
  const long double t = loss.temperature;
  const Values teacher = softmax(row.teacher, 1);
  const long double p = *std::max_element(teacher.begin(), teacher.end());
  const long double q = softmax(row.student, 1)[row.label];
  const long double scd = p * std::log(p / q) + (1 - p) * std::log((1 - p) / (1 - q));
  Values students;
  Values teachers;
  for (std::size_t k = 0; k < row.teacher.size(); ++k) {
    if (row.teacher[k] < row.teacher[row.label]) {
      students.push_back(row.student[k]);
      teachers.push_back(row.teacher[k]);
    }
  }
  const long double mcd = students.empty() ? 0 : divergence(softmax(teachers, 1 / t), softmax(students, 1 / t));
  return loss.label_weight * cross_entropy(row) + loss.alpha * scd + loss.beta * t * t * mcd;
}

Values standardized(const Values& logits) {
  const auto size = static_cast<long double>(logits.size());
  const long double mean = std::accumulate(logits.begin(), logits.end(), 0.0L) / size;
  long double squares = 0;
  for (const long double logit : logits) {
    squares += (logit - mean) * (logit - mean);
  }
  Values result;
  for (const long double logit : logits) {
    result.push_back((logit - mean) / (std::sqrt(squares / (size - 1)) + 1e-7L));
  }
  return result;
}

long double formula(const StandardizedHinton& loss, WideRow row) {
  row.student = standardized(row.student);
  row.teacher = standardized(row.teacher);
  return formula(loss.loss, row);
}

long double formula(const SwappedHinton& loss, WideRow row) {
  std::iter_swap(std::max_element(row.teacher.begin(), row.teacher.end()),
                 row.teacher.begin() + static_cast<std::ptrdiff_t>(row.label));
  return formula(loss.loss, row);
}

TEMPLATE_TEST_CASE("A loss of logits obeys the laws of losses", "[loss]", RETORT_LOSSES) {
  constexpr auto unseen =
      std::is_same_v<TestType, LogitMatching> ? test::Unseen::common_constant : test::Unseen::constants;
  for (const TestType& loss : settings_of<TestType>()) {
    test::check_loss_laws<3>(loss, unseen);
    test::check_loss_laws<10>(loss, unseen);
    test::check_loss_laws<37>(loss, unseen);
    test::check_loss_is_finite_at_extreme_logits(loss);
    test::check_loss_passes_nan_on(loss);
  }
  test::check_loss_in_float(settings_of<TestType>()[1]);
}

TEMPLATE_TEST_CASE("A loss of logits is its paper's formula", "[loss]", RETORT_LOSSES) {
  for (const TestType& loss : settings_of<TestType>()) {
    for (std::uint32_t index = 0; index < 50; ++index) {
      const auto row = random_row<10>(index);
      CAPTURE(describe_settings(loss), index, row.label);
      CHECK_THAT(evaluate<10>(loss, row).loss, WithinRel(static_cast<double>(formula(loss, WideRow{row})), 1e-12));
    }
  }
}

TEMPLATE_TEST_CASE("A loss of logits takes strong types alone", "[loss]", RETORT_LOSSES) {
  STATIC_REQUIRE(test::CallableWith<TestType, StudentLogits, TeacherLogits>);
  STATIC_REQUIRE_FALSE(test::CallableWith<TestType, TeacherLogits, StudentLogits>);
  STATIC_REQUIRE_FALSE(test::CallableWith<TestType, StudentLogits, StudentLogits>);
  STATIC_REQUIRE(TestType::needs_teacher);
  STATIC_REQUIRE(std::is_trivially_copyable_v<TestType>);  // it goes to a device as bytes
}

TEMPLATE_TEST_CASE("On vectors a loss of logits is what it is row by row", "[loss]", RETORT_LOSSES) {
  using V = simd::Vector<float>;
  constexpr std::size_t lanes = simd::lanes<V>;
  using Lanes = std::array<float, lanes>;
  STATIC_REQUIRE(check_vectors_of_loss<TestType, 3>());
  STATIC_REQUIRE(takes_vectors<TestType>);
  const TestType loss = settings_of<TestType>()[1];
  const auto row_at = [](std::uint32_t index) {
    auto row = random_row<10, float>(index);
    if (TakesUnlabelled<TestType> && index % 3 == 1) {
      row.label = data::unlabelled;
    }
    return row;
  };
  for (std::uint32_t first = 0; first < 64; first += lanes) {
    std::array<Lanes, 10> student{};
    std::array<Lanes, 10> teacher{};
    Lanes labels{};
    for (std::size_t i = 0; i < lanes; ++i) {
      const auto row = row_at(first + static_cast<std::uint32_t>(i));
      labels[i] = static_cast<float>(row.label);
      for (std::size_t k = 0; k < 10; ++k) {
        student[k][i] = row.student[k];
        teacher[k][i] = row.teacher[k];
      }
    }
    std::array<V, 10> students;
    std::array<V, 10> teachers;
    std::array<V, 10> gradients;
    for (std::size_t k = 0; k < 10; ++k) {
      students[k] = simd::load<V>(student[k].data());
      teachers[k] = simd::load<V>(teacher[k].data());
    }
    Lanes values{};
    loss.template row<10>(StudentLogits<V>{students.data()}, TeacherLogits<V>{teachers.data()},
                          simd::load<V>(labels.data()), V(0.5f), gradients.data())
        .store_unaligned(values.data());
    std::array<Lanes, 10> gradient{};
    for (std::size_t k = 0; k < 10; ++k) {
      gradients[k].store_unaligned(gradient[k].data());
    }
    for (std::size_t i = 0; i < lanes; ++i) {
      const auto expected = evaluate<10>(loss, row_at(first + static_cast<std::uint32_t>(i)), 0.5f);
      CAPTURE(describe_settings(loss), first, i, labels[i]);
      CHECK_THAT(values[i], WithinRel(expected.loss, 1e-5f));
      for (std::size_t k = 0; k < 10; ++k) {
        CHECK_THAT(gradient[k][i], WithinAbs(expected.gradient[k], 2e-6));
      }
    }
  }
}

/// A row whose student has the logits of its teacher, which answers with the label.
template <typename Scalar>
LossRow<Scalar> matched_row(std::uint32_t index) {
  auto row = random_row<10, Scalar>(index);
  row.teacher = row.student;
  row.label =
      static_cast<std::uint32_t>(std::max_element(row.teacher.begin(), row.teacher.end()) - row.teacher.begin());
  return row;
}

TEMPLATE_TEST_CASE("A student that matches a right teacher has loss 0 and gradient 0, exactly", "[loss]", float,
                   double) {
  const auto check = [](const auto& loss) {
    for (std::uint32_t index = 0; index < 20; ++index) {
      CAPTURE(describe_settings(loss), index);
      const auto [value, gradient] = evaluate<10>(loss, matched_row<TestType>(index), TestType{3});
      CHECK(value == 0);
      CHECK(gradient == std::vector<TestType>(10, 0));
    }
  };
  check(LogitMatching{});
  check(Dkd{.label_weight = 0});
  check(Rld{.label_weight = 0});
  check(StandardizedLogits{HintonLoss{.hard_weight = 0}});
  check(SwappedLogits{HintonLoss{.hard_weight = 0}});
}

TEST_CASE("Without a label a loss is what does not depend on the label, with the weight that it has", "[loss]") {
  const auto check = [](const auto& loss, const auto& rest) {
    CHECK(learns_without_label(loss));
    for (std::uint32_t index = 0; index < 20; ++index) {
      CAPTURE(describe_settings(loss), index);
      auto row = random_row<10>(index);
      const auto expected = evaluate<10>(rest, row, 0.1);
      row.label = data::unlabelled;
      const auto found = evaluate<10>(loss, row, 0.1);
      CHECK_THAT(found.loss, WithinRel(expected.loss, 1e-13));
      for (std::size_t k = 0; k < 10; ++k) {
        CHECK_THAT(found.gradient[k], WithinRel(expected.gradient[k], 1e-12) || WithinAbs(expected.gradient[k], 1e-15));
      }
    }
  };
  const HintonLoss soft{.temperature = 3, .hard_weight = 0};
  const HintonLoss hinton{.temperature = 3, .hard_weight = 0.25};
  check(hinton, 0.75 * soft);
  check(LogitMatching{.hard_weight = 0.9}, (1.0 - 0.9) * LogitMatching{});
  check(SoftmaxPassedToKlLoss{.hard_weight = 0.5}, 0.5 * SoftmaxPassedToKlLoss{.hard_weight = 0});
  check(Ttm{.weighted = true}, Ttm{.label_weight = 0, .weighted = true});
  check(StandardizedLogits{hinton}, 0.75 * StandardizedLogits{soft});
  check(SwappedLogits{hinton}, 0.75 * soft);
  check(CurriculumTemperature{hinton, 1.0, 4.0, 3}, 0.75 * CurriculumTemperature{soft, 1.0, 4.0, 3});
  check(ClassWeighted{hinton, std::array{3.0, 3.0, 3.0, 3.0, 3.0, 3.0, 3.0, 3.0, 3.0, 3.0}}, 0.75 * soft);
  check(2.0 * CrossEntropy{.label_smoothing = 0.1} + 0.5 * soft, 0.5 * soft);

  auto row = random_row<10>(1);
  row.label = data::unlabelled;
  for (const double label_smoothing : {0.0, 0.2}) {
    const auto found = evaluate<10>(CrossEntropy{label_smoothing}, row, 0.1);
    CHECK(found.loss == 0);
    CHECK(found.gradient == std::vector<double>(10, 0));
  }
}

TEST_CASE("A loss says whether it learns from samples without labels", "[loss]") {
  STATIC_REQUIRE(TakesUnlabelled<CrossEntropy>);
  CHECK_FALSE(learns_without_label(CrossEntropy{}));
  CHECK_FALSE(learns_without_label(HintonLoss{.hard_weight = 1}));
  CHECK_FALSE(learns_without_label(LogitMatching{.hard_weight = 1}));
  CHECK_FALSE(learns_without_label(Ttm{.beta = 0}));
  CHECK_FALSE(learns_without_label(CrossEntropy{} + 0.0 * HintonLoss{}));
  CHECK_FALSE(learns_without_label(SwappedLogits{HintonLoss{.hard_weight = 1}}));
  // Formulas that ask for the label everywhere.
  CHECK_FALSE(learns_without_label(Dkd{}));
  CHECK_FALSE(learns_without_label(Nkd{}));
  CHECK_FALSE(learns_without_label(Rld{}));
  CHECK_FALSE(learns_without_label(HintonLoss{} + Dkd{}));
  CHECK_FALSE(learns_without_label(StandardizedLogits{Nkd{}}));
}

TEMPLATE_TEST_CASE("Where the teacher has no weight a loss is cross-entropy, bit for bit", "[loss]", float, double) {
  const auto check = [](const auto& loss) {
    for (std::uint32_t index = 0; index < 20; ++index) {
      CAPTURE(describe_settings(loss), index);
      const auto row = random_row<10, TestType>(index);
      const auto found = evaluate<10>(loss, row, static_cast<TestType>(0.1));
      const auto plain = evaluate<10>(CrossEntropy{}, row, static_cast<TestType>(0.1));
      CHECK(found.loss == plain.loss);
      CHECK(found.gradient == plain.gradient);
    }
  };
  check(LogitMatching{.hard_weight = 1});
  check(Dkd{.alpha = 0, .beta = 0});
  check(Ttm{.beta = 0});
  check(Rld{.alpha = 0, .beta = 0});
  check(SwappedLogits{HintonLoss{.hard_weight = 1}});
}

TEST_CASE("Without weight for the labels, no label is read", "[loss]") {
  const auto check = [](const auto& loss) {
    auto row = random_row<10>(3);
    row.label = 0;
    const auto first = evaluate<10>(loss, row);
    row.label = 9;
    const auto second = evaluate<10>(loss, row);
    CHECK(first.loss == second.loss);
    CHECK(first.gradient == second.gradient);
  };
  check(LogitMatching{});
  check(Ttm{.label_weight = 0});
}

TEST_CASE("Dkd with the weights of Hinton's soft term is that term", "[loss]") {
  // TCKD + (1 - p_y) NCKD.
  for (std::uint32_t index = 0; index < 20; ++index) {
    const auto row = random_row<10>(index);
    for (const double temperature : {0.7, 4.0}) {
      const WideRow wide{row};
      const long double p = softmax(wide.teacher, 1 / static_cast<long double>(temperature))[wide.label];
      const Dkd parts{.temperature = temperature, .alpha = 1, .beta = static_cast<double>(1 - p), .label_weight = 0};
      const auto found = evaluate<10>(parts, row);
      const auto expected = evaluate<10>(HintonLoss{.temperature = temperature, .hard_weight = 0}, row);
      CHECK_THAT(found.loss, WithinRel(expected.loss, 1e-12));
      for (std::size_t k = 0; k < 10; ++k) {
        CHECK_THAT(found.gradient[k], WithinAbs(expected.gradient[k], 1e-13));
      }
    }
  }
}

TEST_CASE("The label's part of Dkd is right in float at any temperature, however close student and teacher are",
          "[loss]") {
  for (const double temperature : {0.1, 1.0, 1e2, 1e4, 1e6}) {
    for (const float closeness : {1.0f, 0.1f, 1e-3f}) {
      const Dkd loss{.temperature = temperature, .alpha = 1, .beta = 0, .label_weight = 0};
      double found_sum = 0;
      double sum = 0;
      for (std::uint32_t index = 0; index < 50; ++index) {
        auto row = random_row<10, float>(index);
        LossRow<double> wide;
        wide.label = row.label;
        for (std::size_t k = 0; k < 10; ++k) {
          row.student[k] = row.teacher[k] + closeness * row.student[k];
          wide.student.push_back(row.student[k]);
          wide.teacher.push_back(row.teacher[k]);
        }
        const auto found = evaluate<10>(loss, row, 1.0f);
        const auto expected = evaluate<10>(loss, wide, 1.0);
        CAPTURE(temperature, closeness, index);
        // The label's and the other logits may differ by nearly the same: then little is left of both.
        const double unit = double{closeness} * double{closeness};
        CHECK_THAT(found.loss, WithinAbs(expected.loss, 1e-4 * expected.loss + 1e-5 * unit));
        for (std::size_t k = 0; k < 10; ++k) {
          CHECK_THAT(found.gradient[k],
                     WithinAbs(expected.gradient[k], 1e-4 * std::abs(expected.gradient[k]) + 1e-5 * double{closeness}));
        }
        found_sum += double{found.loss};
        sum += expected.loss;
      }
      CHECK_THAT(found_sum, WithinRel(sum, 1e-4));
    }
  }
}

TEST_CASE("At a high temperature the ranking's gradient matches centred logits", "[loss]") {
  auto row = random_row<10>(5);
  row.label = 9;
  for (auto* logits : {&row.student, &row.teacher}) {
    const double mean = std::accumulate(logits->begin(), logits->end() - 1, 0.0) / 9;
    for (double& logit : *logits) {
      logit -= mean;
    }
  }
  const double t = 1e5;
  const auto of_nkd = evaluate<10>(Nkd{.temperature = t, .gamma = 1}, row);
  const auto of_labels = evaluate<10>(Nkd{.temperature = t, .gamma = 0}, row);
  const auto of_dkd = evaluate<10>(Dkd{.temperature = t, .alpha = 0, .beta = 1, .label_weight = 0}, row);
  for (std::size_t k = 0; k < 9; ++k) {
    const double limit = (row.student[k] - row.teacher[k]) / 9;
    CHECK_THAT(of_dkd.gradient[k], WithinAbs(limit, 1e-4));
    CHECK_THAT(of_nkd.gradient[k] - of_labels.gradient[k], WithinAbs(limit, 1e-4));
  }
}

TEST_CASE("Rld ranks no class that the teacher puts above the label, or beside it", "[loss]") {
  const Rld ranking{.alpha = 0, .label_weight = 0};
  // One class is left, or none: there is nothing to rank.
  for (const std::vector<double>& teacher : {std::vector<double>{3, 2, 1, 4}, {3, 1, 1, 4}, {2, 2, 1, 4}}) {
    for (const std::uint32_t label : {1u, 2u}) {
      const auto [value, gradient] = evaluate<4>(ranking, LossRow<double>{{1, -2, 5, 0}, teacher, label});
      CHECK(value == 0);
      CHECK(gradient == std::vector<double>(4, 0));
    }
  }
  const auto [value, gradient] = evaluate<4>(ranking, LossRow<double>{{1, -2, 5, 0}, {3, 2, 1, 4}, 0});
  CHECK(value > 0);
  CHECK(gradient[0] == 0);
  CHECK(gradient[3] == 0);
  CHECK(gradient[1] < 0);  // of the two ranked ones it is the teacher's first and the student's last
  CHECK(gradient[2] > 0);
}

TEST_CASE("Rld hides the classes above the label where the temperature is lost in the logits' rounding", "[loss]") {
  const Rld ranking{.temperature = 4e-7, .alpha = 0, .beta = 1, .label_weight = 0};
  const float next = std::nextafter(-1e4f, 0.0f);
  const LossRow<float> row{{-1e4f, 0, next, 1e4f}, {-1e4f, -9999, -1e4f, -9999}, 1};
  const LossRow<double> wide{{row.student.begin(), row.student.end()}, {row.teacher.begin(), row.teacher.end()}, 1};
  const auto [value, gradient] = evaluate<4>(ranking, row, 1.0f);
  CHECK_THAT(value, WithinRel(static_cast<float>(formula(ranking, WideRow{wide})), 1e-5f));
  CHECK(gradient[1] == 0);
  CHECK(gradient[3] == 0);
}

TEST_CASE("A wrong teacher is set right by a swap, a right one is left alone", "[loss]") {
  const HintonLoss plain{.temperature = 2, .hard_weight = 0.3};
  const auto check = [&](const std::vector<double>& teacher, std::uint32_t label, const std::vector<double>& swapped) {
    const std::vector<double> student{0.5, -1, 2, 0.25};
    const auto found = evaluate<4>(SwappedLogits{plain}, LossRow<double>{student, teacher, label});
    const auto expected = evaluate<4>(plain, LossRow<double>{student, swapped, label});
    CHECK(found.loss == expected.loss);
    CHECK(found.gradient == expected.gradient);
  };
  check({1, 4, 2, 3}, 1, {1, 4, 2, 3});
  check({1, 4, 2, 3}, 0, {4, 1, 2, 3});
  check({1, 4, 2, 3}, 3, {1, 3, 2, 4});
  check({1, 4, 4, 3}, 2, {1, 4, 4, 3});
  check({1, 4, 4, 3}, 0, {4, 1, 4, 3});
}

TEST_CASE("Standardised logits have no size", "[loss]") {
  const StandardizedLogits loss{HintonLoss{.temperature = 2, .hard_weight = 0.1}};
  auto row = random_row<10>(4);
  const auto found = evaluate<10>(loss, row);
  for (double& logit : row.student) {
    logit *= 8;
  }
  for (double& logit : row.teacher) {
    logit /= 16;
  }
  const auto resized = evaluate<10>(loss, row);
  CHECK_THAT(resized.loss, WithinRel(found.loss, 1e-6));
  for (std::size_t k = 0; k < 10; ++k) {
    CHECK_THAT(8 * resized.gradient[k], WithinAbs(found.gradient[k], 1e-6));
  }
}

TEST_CASE("Equal logits standardise to zeros, and the gradient leads away from them", "[loss]") {
  const StandardizedHinton loss{{.temperature = 2, .hard_weight = 0}};
  // The mean of seven such numbers in float is none of them.
  const LossRow<float> row{std::vector<float>(7, 12345), {3, 1, 2, 0, -1, 1.5f, 2.5f}, 0};
  const LossRow<double> wide{{row.student.begin(), row.student.end()}, {row.teacher.begin(), row.teacher.end()}, 0};
  const auto [value, gradient] = evaluate<7>(loss, row, 1.0f);
  CHECK_THAT(value, WithinRel(static_cast<float>(formula(loss, WideRow{wide})), 1e-5f));
  CHECK(gradient[0] < -1e5f);  // the deviation is 0, not that of roundings
  CHECK(gradient[4] > 0);
  // A teacher that knows nothing: the student is to have no preference.
  const auto of_equal_teacher = evaluate<3>(loss, LossRow<float>{{3, 1, 2}, {7, 7, 7}, 0}, 1.0f);
  CHECK(of_equal_teacher.loss > 0);
  CHECK(std::isfinite(of_equal_teacher.gradient[0]));
}

/// Of logits whose gradient does not add up to 0.
struct Cubes {
  static constexpr std::string_view name = "Cubes";
  static constexpr bool needs_teacher = false;
  void validate() const {}
  std::string describe() const { return "Cubes"; }

  template <std::size_t Classes, typename Scalar>
  Scalar row(StudentLogits<Scalar> student, TeacherLogits<Scalar> /*teacher*/, std::uint32_t /*label*/,
             Scalar gradient_scale, Scalar* gradient) const {
    Scalar sum = 0;
    for (std::size_t k = 0; k < Classes; ++k) {
      const Scalar square = student.values[k] * student.values[k];
      sum += square * student.values[k];
      gradient[k] = 3 * gradient_scale * square;
    }
    return sum;
  }
};

TEST_CASE("A loss that sees a constant in the logits does not see it in standardised ones", "[loss]") {
  test::check_loss_laws<3>(StandardizedLogits{LogitMatching{}});
  test::check_loss_laws<5>(StandardizedLogits{Cubes{}});
}

TEMPLATE_TEST_CASE("Hyperparameters of a loss are checked, each by its name", "[loss]", LogitMatching, Dkd, Nkd, Ttm,
                   Rld) {
  CHECK_NOTHROW(validate_in<float>(TestType{}));
  std::size_t count = 0;
  for (const double wrong : {-1.0, std::nan(""), std::numeric_limits<double>::infinity(), 1e-42}) {
    TestType reference{};
    for_each_hyperparameter(reference, [&]<typename Value>(std::string_view name, Value& value, const Range&) {
      if constexpr (std::is_same_v<Value, double>) {
        if (name == "hard_weight" && wrong == 1e-42) {
          return;  // a share of float's rounding
        }
        CAPTURE(name, wrong);
        const double right = std::exchange(value, wrong);
        CHECK_THROWS_WITH(validate_in<float>(reference),
                          Catch::Contains(std::string(TestType::name) + ": " + std::string(name) + " is "));
        value = right;
        ++count;
      }
    });
  }
  CHECK(count >= 3);
}

TEST_CASE("A temperature of zero is refused, in wrappers too", "[loss]") {
  CHECK_THROWS_WITH(validate_in<float>(Dkd{.temperature = 0}),
                    "Dkd: temperature is 0, expected a finite number above 0");
  CHECK_THROWS_AS(validate_in<float>(Rld{.temperature = 0}), OptionError);
  CHECK_THROWS_AS(validate_in<float>(Nkd{.temperature = 0}), OptionError);
  CHECK_THROWS_AS(validate_in<float>(Ttm{.exponent = 0}), OptionError);
  CHECK_THROWS_AS(validate_in<float>(StandardizedLogits{HintonLoss{.temperature = 0}}), OptionError);
  CHECK_THROWS_AS(validate_in<float>(SwappedLogits{HintonLoss{.temperature = 0}}), OptionError);
}

TEST_CASE("Losses of logits describe themselves", "[loss]") {
  CHECK(describe_settings(LogitMatching{}) == "LogitMatching(hard_weight=0)");
  CHECK(describe_settings(Dkd{}) == "Dkd(temperature=4, alpha=1, beta=8, label_weight=1, warmup_epochs=20)");
  CHECK(describe_settings(Nkd{}) == "Nkd(temperature=1, gamma=1.5, label_weight=1)");
  CHECK(describe_settings(Ttm{.weighted = true}) == "Ttm(exponent=0.1, beta=45, label_weight=1, weighted=true)");
  CHECK(describe_settings(Rld{}) == "Rld(temperature=4, alpha=1, beta=8, label_weight=1, warmup_epochs=20)");
  CHECK(describe_settings(StandardizedLogits{LogitMatching{}}) ==
        "StandardizedLogits(loss=LogitMatching(hard_weight=0))");
  CHECK(describe_settings(SwappedLogits{LogitMatching{}}) == "SwappedLogits(loss=LogitMatching(hard_weight=0))");
}

}  // namespace
