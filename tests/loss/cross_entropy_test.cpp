// SPDX-License-Identifier: MIT
#include "retort/loss/cross_entropy.hpp"

#include <cmath>
#include <limits>
#include <string>

#include "catch.hpp"
#include "golden/loss_golden.hpp"
#include "loss/loss_laws.hpp"
#include "retort/core/error.hpp"
#include "retort/core/hyperparameters.hpp"

namespace {

namespace golden = retort::golden::loss;
using retort::CrossEntropy;
using retort::StudentLogits;
using retort::TeacherLogits;
using retort::test::CallableWith;

static_assert(CallableWith<CrossEntropy, StudentLogits, TeacherLogits>);
static_assert(!CallableWith<CrossEntropy, TeacherLogits, StudentLogits>);
static_assert(!CallableWith<CrossEntropy, TeacherLogits, TeacherLogits>);
static_assert(!CallableWith<CrossEntropy, StudentLogits, StudentLogits>);

TEST_CASE("Cross-entropy obeys the laws of losses", "[loss]") {
  retort::test::check_loss_laws_at_all_sizes(CrossEntropy{});
  retort::test::check_loss_laws_at_all_sizes(CrossEntropy{.label_smoothing = 0.3});
  retort::test::check_loss_is_finite_at_extreme_logits(CrossEntropy{});
  retort::test::check_loss_is_finite_at_extreme_logits(CrossEntropy{.label_smoothing = 0.1});
  retort::test::check_loss_in_float(CrossEntropy{.label_smoothing = 0.1});
  retort::test::check_loss_passes_nan_on(CrossEntropy{});
}

TEST_CASE("Cross-entropy equals PyTorch's", "[loss][golden]") {
  retort::test::check_loss_against_golden<golden::rows, golden::classes>(
      CrossEntropy{}, golden::student, golden::teacher, golden::labels, golden::cross_entropy_loss,
      golden::cross_entropy_gradient);
  retort::test::check_loss_against_golden<golden::rows, golden::classes>(
      CrossEntropy{.label_smoothing = 0.1}, golden::student, golden::teacher, golden::labels,
      golden::cross_entropy_smoothed_loss, golden::cross_entropy_smoothed_gradient);
}

TEST_CASE("Cross-entropy of equal logits is log K, smoothed or not", "[loss]") {
  const retort::test::LossRow<double> row{std::vector<double>(10, 2.5), {}, 3};
  for (const double smoothing : {0.0, 0.1, 0.9}) {
    CHECK_THAT(retort::test::evaluate<10>(CrossEntropy{smoothing}, row).loss, WithinRel(std::log(10.0), 1e-15));
  }
}

TEST_CASE("Cross-entropy reads no teacher", "[loss]") {
  const double student[2] = {1, 2};
  double gradient[2];
  CHECK(CrossEntropy{}.row<2>(StudentLogits<double>{student}, TeacherLogits<double>{nullptr}, 1, 1.0, gradient) > 0);
}

TEST_CASE("Smoothing is at least 0 and below 1", "[loss]") {
  CHECK_NOTHROW(retort::validate_in<double>(CrossEntropy{0.0}));
  CHECK_NOTHROW(retort::validate_in<double>(CrossEntropy{0.999}));
  for (const double smoothing : {-1e-9, 1.0, std::numeric_limits<double>::quiet_NaN()}) {
    CHECK_THROWS_AS(retort::validate_in<double>(CrossEntropy{smoothing}), retort::OptionError);
  }
  try {
    retort::validate_in<double>(CrossEntropy{1.5});
    FAIL("accepted");
  } catch (const retort::OptionError& error) {
    CHECK(std::string{error.what()} == "CrossEntropy: label_smoothing is 1.5, expected a number in [0, 1)");
  }
}

TEST_CASE("Cross-entropy describes itself", "[loss]") {
  CHECK(retort::describe_settings(CrossEntropy{}) == "CrossEntropy(label_smoothing=0)");
  CHECK(retort::describe_settings(CrossEntropy{0.1}) == "CrossEntropy(label_smoothing=0.1)");
}

}  // namespace
