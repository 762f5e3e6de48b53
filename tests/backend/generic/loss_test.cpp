// SPDX-License-Identifier: MIT
#include "retort/backend/generic/loss.hpp"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <vector>

#include "catch.hpp"
#include "random_values.hpp"
#include "retort/backend/eigen/backend.hpp"
#include "retort/loss/cross_entropy.hpp"
#include "retort/loss/hinton.hpp"

namespace {

using namespace retort;
using retort::test::random_values;
using retort::test::same_bits;

constexpr std::size_t classes = 5;
constexpr std::size_t batch = 9;
constexpr std::size_t dataset_size = 12;
const std::vector<double> student = random_values<double>(batch * classes, 1, -3, 3);
const std::vector<double> teacher = random_values<double>(dataset_size * classes, 2, -3, 3);
const std::vector<std::uint32_t> labels{0, 1, 2, 3, 4, 0, 1, 2, 3, 4, 0, 1};
const std::vector<std::uint32_t> samples{7, 2, 11, 0, 5, 9, 3, 10, 1};

TEST_CASE("A batch's losses are its rows', its gradient that of their mean", "[backend]") {
  const HintonLoss loss{.temperature = 3, .hard_weight = 0.25};
  for (const bool by_sample : {false, true}) {
    CAPTURE(by_sample);
    std::vector<double> gradient(batch * classes, std::numeric_limits<double>::quiet_NaN());
    std::vector<double> losses(batch, std::numeric_limits<double>::quiet_NaN());
    std::vector<std::uint8_t> correct(batch, 99);
    evaluate_loss(backend::Eigen{}, loss, backend::Width<classes>{},
                  backend::LossArguments<double>{.student = student.data(),
                                                 .teacher = {teacher.data(), by_sample},
                                                 .samples = samples.data(),
                                                 .labels = labels.data(),
                                                 .gradient = gradient.data(),
                                                 .losses = losses.data(),
                                                 .correct = correct.data(),
                                                 .batch = batch});
    std::vector<double> expected(batch);
    std::vector<double> rows(batch * classes);
    double sum = 0.0;
    std::size_t correct_count = 0;
    for (std::size_t i = 0; i < batch; ++i) {
      const double* logits = student.data() + i * classes;
      const std::uint32_t label = labels[samples[i]];
      expected[i] = loss.row<classes>(StudentLogits<double>{logits},
                                      TeacherLogits<double>{teacher.data() + (by_sample ? samples[i] : i) * classes},
                                      label, 1.0 / batch, rows.data() + i * classes);
      sum += expected[i];
      const bool right = std::max_element(logits, logits + classes) - logits == label;
      CHECK(correct[i] == (right ? 1 : 0));
      correct_count += right ? 1 : 0;
    }
    CHECK(same_bits(losses, expected));
    CHECK(same_bits(gradient, rows));
    const auto total = sum_losses(backend::Eigen{}, losses.data(), correct.data(), batch);
    CHECK(total.loss == sum);
    CHECK(total.correct == correct_count);
  }
}

TEST_CASE("Correct is a sample whose largest logit is the label's, the first of equals", "[backend]") {
  const std::vector<float> logits{1, 5, 2,  //
                                  7, 7, 0,  //
                                  7, 7, 0,  //
                                  3, 2, 9};
  const std::vector<std::uint32_t> answers{1, 0, 1, 0};
  const std::vector<std::uint32_t> in_order{0, 1, 2, 3};
  std::vector<float> gradient(logits.size());
  std::vector<float> losses(4);
  std::vector<std::uint8_t> correct(4, 99);
  evaluate_loss(backend::Eigen{}, CrossEntropy{}, backend::Width<3>{},
                backend::LossArguments<float>{.student = logits.data(),
                                              .teacher = {},
                                              .samples = in_order.data(),
                                              .labels = answers.data(),
                                              .gradient = gradient.data(),
                                              .losses = losses.data(),
                                              .correct = correct.data(),
                                              .batch = 4});
  CHECK(correct == std::vector<std::uint8_t>{1, 1, 0, 0});
}

TEST_CASE("Losses are summed in double, and what is not counted is not read", "[backend]") {
  // In float, 2^24 + 1 + ... + 1 would stay 2^24.
  std::vector<float> losses(1001, 1.0f);
  losses[0] = 16777216.0f;
  std::vector<std::uint8_t> correct(1001, 1);
  losses.back() = std::numeric_limits<float>::quiet_NaN();
  correct.back() = 99;
  const auto sum = sum_losses(backend::Eigen{}, losses.data(), correct.data(), 1000);
  CHECK(sum.loss == 16777216.0 + 999.0);
  CHECK(sum.correct == 1000);
  CHECK(std::isnan(sum_losses(backend::Eigen{}, losses.data(), correct.data(), 1001).loss));
  const auto nothing = sum_losses(backend::Eigen{}, losses.data(), correct.data(), 0);
  CHECK(nothing.loss == 0.0);
  CHECK(nothing.correct == 0);
}

TEST_CASE("Sums of losses add up", "[backend]") {
  backend::LossSum sum{1.5, 3};
  sum += {0.25, 4};
  CHECK(sum.loss == 1.75);
  CHECK(sum.correct == 7);
}

}  // namespace
