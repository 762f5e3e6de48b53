// SPDX-License-Identifier: MIT
#include "retort/loss/softmax_passed_to_kl.hpp"

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <vector>

#include "catch.hpp"
#include "golden/loss_golden.hpp"
#include "loss/loss_laws.hpp"
#include "retort/core/error.hpp"
#include "retort/core/hyperparameters.hpp"
#include "retort/loss/cross_entropy.hpp"
#include "retort/loss/hinton.hpp"

namespace {

namespace golden = retort::golden::loss;
using retort::SoftmaxPassedToKlLoss;
using retort::test::evaluate;
using retort::test::random_row;

std::vector<double> softmax(const std::vector<double>& logits, double temperature) {
  std::vector<double> probabilities;
  double sum = 0;
  for (const double logit : logits) {
    probabilities.push_back(std::exp(logit / temperature));
    sum += probabilities.back();
  }
  for (double& probability : probabilities) {
    probability /= sum;
  }
  return probabilities;
}

TEST_CASE("The loss as written obeys the laws of losses", "[loss]") {
  for (const SoftmaxPassedToKlLoss& loss : {SoftmaxPassedToKlLoss{}, SoftmaxPassedToKlLoss{1.0, 0.0}}) {
    retort::test::check_loss_laws_at_all_sizes(loss);
    retort::test::check_loss_is_finite_at_extreme_logits(loss);
    retort::test::check_loss_in_float(loss);
    retort::test::check_loss_passes_nan_on(loss);
  }
}

TEST_CASE("The loss as written equals what PyTorch computes for it", "[loss][golden]") {
  retort::test::check_loss_against_golden<golden::rows, golden::classes>(
      SoftmaxPassedToKlLoss{7.0, 0.3}, golden::student, golden::teacher, golden::labels,
      golden::softmax_passed_to_kl_loss, golden::softmax_passed_to_kl_gradient);
  retort::test::check_loss_against_golden<golden::rows, golden::classes>(
      SoftmaxPassedToKlLoss{2.0, 0.0}, golden::student, golden::teacher, golden::labels,
      golden::softmax_passed_to_kl_soft_only_loss, golden::softmax_passed_to_kl_soft_only_gradient);
}

TEST_CASE("The loss as written equals its formula", "[loss]") {
  const SoftmaxPassedToKlLoss loss{};
  for (std::uint32_t index = 0; index < 20; ++index) {
    const auto row = random_row<10>(index);
    const auto p = softmax(row.teacher, loss.temperature);
    const auto q = softmax(row.student, loss.temperature);
    double expected = -loss.hard_weight * std::log(softmax(row.student, 1)[row.label]);
    for (std::size_t k = 0; k < 10; ++k) {
      expected += (1 - loss.hard_weight) * p[k] * (std::log(p[k]) - q[k]);
    }
    CHECK_THAT(evaluate<10>(loss, row).loss, WithinAbs(expected, 1e-13));
  }
}

TEST_CASE("The soft gradient as written is hundreds of times weaker than Hinton's", "[loss]") {
  for (std::uint32_t index = 0; index < 20; ++index) {
    const auto row = random_row<10>(index);
    const double as_written = retort::test::norm(evaluate<10>(SoftmaxPassedToKlLoss{7.0, 0.0}, row).gradient);
    const double right = retort::test::norm(evaluate<10>(retort::HintonLoss{7.0, 0.0}, row).gradient);
    CHECK(right / as_written > 200);
    CHECK(right / as_written < 2000);
  }
}

TEST_CASE("The loss as written pushes a student away from its teacher even at a match", "[loss]") {
  auto row = random_row<10>(1);
  row.student = row.teacher;
  const auto [loss, gradient] = evaluate<10>(SoftmaxPassedToKlLoss{7.0, 0.0}, row);
  CHECK(loss < 0);
  CHECK(retort::test::norm(gradient) > 1e-5);
}

TEST_CASE("As written, hard weight 1 is plain cross-entropy bit for bit, and 0 reads no label", "[loss]") {
  auto row = random_row<10>(2);
  const auto hard = evaluate<10>(SoftmaxPassedToKlLoss{7.0, 1.0}, row, 0.1);
  const auto plain = evaluate<10>(retort::CrossEntropy{}, row, 0.1);
  CHECK(hard.loss == plain.loss);
  CHECK(hard.gradient == plain.gradient);

  row.label = 0;
  const auto first = evaluate<10>(SoftmaxPassedToKlLoss{7.0, 0.0}, row);
  row.label = 9;
  const auto second = evaluate<10>(SoftmaxPassedToKlLoss{7.0, 0.0}, row);
  CHECK(first.loss == second.loss);
  CHECK(first.gradient == second.gradient);
}

TEST_CASE("Hyperparameters of the loss as written are checked", "[loss]") {
  const double nan = std::numeric_limits<double>::quiet_NaN();
  for (const double temperature : {0.0, -1.0, nan, std::numeric_limits<double>::infinity()}) {
    CHECK_THROWS_AS((retort::validate_in<double>(SoftmaxPassedToKlLoss{temperature, 0.5})), retort::OptionError);
  }
  for (const double weight : {-0.01, 1.01, nan}) {
    CHECK_THROWS_AS((retort::validate_in<double>(SoftmaxPassedToKlLoss{4.0, weight})), retort::OptionError);
  }
  CHECK_NOTHROW(retort::validate_in<double>(SoftmaxPassedToKlLoss{}));
}

TEST_CASE("The loss as written describes itself", "[loss]") {
  CHECK(retort::describe_settings(SoftmaxPassedToKlLoss{}) == "SoftmaxPassedToKlLoss(temperature=7, hard_weight=0.3)");
}

}  // namespace
