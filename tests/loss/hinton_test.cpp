// SPDX-License-Identifier: MIT
#include "retort/loss/hinton.hpp"

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <numeric>
#include <vector>

#include "catch.hpp"
#include "golden/loss_golden.hpp"
#include "loss/loss_laws.hpp"
#include "retort/core/error.hpp"
#include "retort/core/hyperparameters.hpp"
#include "retort/loss/cross_entropy.hpp"

namespace {

namespace golden = retort::golden::loss;
using retort::HintonLoss;
using retort::test::CallableWith;
using retort::test::evaluate;
using retort::test::random_row;

static_assert(CallableWith<HintonLoss, retort::StudentLogits, retort::TeacherLogits>);
static_assert(!CallableWith<HintonLoss, retort::TeacherLogits, retort::StudentLogits>);
static_assert(!CallableWith<HintonLoss, retort::StudentLogits, retort::StudentLogits>);

TEST_CASE("Hinton's loss obeys the laws of losses", "[loss]") {
  for (const HintonLoss& loss : {HintonLoss{}, HintonLoss{1.0, 0.5}, HintonLoss{20.0, 0.0}, HintonLoss{2.5, 0.9}}) {
    retort::test::check_loss_laws_at_all_sizes(loss);
    retort::test::check_loss_is_finite_at_extreme_logits(loss);
    retort::test::check_loss_passes_nan_on(loss);
  }
  retort::test::check_loss_in_float(HintonLoss{2.0, 0.3});
}

TEST_CASE("Hinton's loss equals PyTorch's", "[loss][golden]") {
  retort::test::check_loss_against_golden<golden::rows, golden::classes>(HintonLoss{4.0, 0.1}, golden::student,
                                                                         golden::teacher, golden::labels,
                                                                         golden::hinton_loss, golden::hinton_gradient);
  retort::test::check_loss_against_golden<golden::rows, golden::classes>(
      HintonLoss{20.0, 0.0}, golden::student, golden::teacher, golden::labels, golden::hinton_soft_only_loss,
      golden::hinton_soft_only_gradient);
}

TEMPLATE_TEST_CASE("A student that matches its teacher has loss 0 and gradient 0, exactly", "[loss]", float, double) {
  for (std::uint32_t index = 0; index < 20; ++index) {
    auto row = random_row<10, TestType>(index);
    row.teacher = row.student;
    for (const double temperature : {0.7, 1.0, 4.0, 20.0}) {
      const auto [loss, gradient] = evaluate<10>(HintonLoss{temperature, 0.0}, row, TestType{3});
      CHECK(loss == 0);
      CHECK(gradient == std::vector<TestType>(10, 0));
    }
  }
}

TEST_CASE("The soft term is positive where student and teacher differ", "[loss]") {
  for (std::uint32_t index = 0; index < 20; ++index) {
    CHECK(evaluate<10>(HintonLoss{4.0, 0.0}, random_row<10>(index)).loss > 0);
  }
}

TEST_CASE("The divergence is from the student to the teacher, not the other way round", "[loss]") {
  // The teacher is sure; a student that spreads pays log 2 and more, the reverse divergence would be far larger.
  const retort::test::LossRow<double> row{{0, 0}, {50, 0}, 0};
  CHECK_THAT(evaluate<2>(HintonLoss{1.0, 0.0}, row).loss, WithinRel(std::log(2.0), 1e-12));
}

TEMPLATE_TEST_CASE("With hard weight 1 only the label counts, bit for bit", "[loss]", float, double) {
  for (std::uint32_t index = 0; index < 20; ++index) {
    const auto row = random_row<10, TestType>(index);
    const auto hinton = evaluate<10>(HintonLoss{4.0, 1.0}, row, static_cast<TestType>(0.1));
    const auto plain = evaluate<10>(retort::CrossEntropy{}, row, static_cast<TestType>(0.1));
    CHECK(hinton.loss == plain.loss);
    CHECK(hinton.gradient == plain.gradient);
  }
}

TEST_CASE("With hard weight 0 the label does not count", "[loss]") {
  auto row = random_row<10>(3);
  row.label = 0;
  const auto first = evaluate<10>(HintonLoss{4.0, 0.0}, row);
  row.label = 9;
  const auto second = evaluate<10>(HintonLoss{4.0, 0.0}, row);
  CHECK(first.loss == second.loss);
  CHECK(first.gradient == second.gradient);
}

TEST_CASE("At a high temperature the soft gradient matches centred logits", "[loss]") {
  auto row = random_row<10>(5);
  for (auto* logits : {&row.student, &row.teacher}) {
    const double mean = std::accumulate(logits->begin(), logits->end(), 0.0) / 10;
    for (double& logit : *logits) {
      logit -= mean;
    }
  }
  const double weight = 0.25;
  const auto hard = evaluate<10>(retort::CrossEntropy{}, row);
  const auto mixed = evaluate<10>(HintonLoss{1e5, weight}, row);
  for (std::size_t k = 0; k < 10; ++k) {
    const double limit = weight * hard.gradient[k] + (1 - weight) * (row.student[k] - row.teacher[k]) / 10;
    CHECK_THAT(mixed.gradient[k], WithinAbs(limit, 1e-4));
  }
}

TEST_CASE("Hyperparameters of Hinton's loss are checked", "[loss]") {
  const double nan = std::numeric_limits<double>::quiet_NaN();
  const double infinity = std::numeric_limits<double>::infinity();
  for (const double temperature : {0.0, -1.0, nan, infinity}) {
    CHECK_THROWS_AS((retort::validate_in<double>(HintonLoss{temperature, 0.5})), retort::OptionError);
  }
  for (const double weight : {-0.01, 1.01, nan}) {
    CHECK_THROWS_AS((retort::validate_in<double>(HintonLoss{4.0, weight})), retort::OptionError);
  }
  CHECK_NOTHROW(retort::validate_in<double>(HintonLoss{}));
  CHECK_NOTHROW((retort::validate_in<double>(HintonLoss{0.5, 0.0})));
  CHECK_NOTHROW((retort::validate_in<double>(HintonLoss{0.5, 1.0})));
}

TEST_CASE("Hinton's loss describes itself", "[loss]") {
  CHECK(retort::describe_settings(HintonLoss{}) == "HintonLoss(temperature=4, hard_weight=0.1)");
}

}  // namespace
