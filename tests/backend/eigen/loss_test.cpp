#include "retort/backend/eigen/loss.hpp"

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <vector>

#include "catch.hpp"
#include "random_values.hpp"
#include "retort/loss/cross_entropy.hpp"
#include "retort/loss/hinton.hpp"

namespace {

using namespace retort;
using retort::test::random_values;
using retort::test::same_bits;

constexpr std::size_t classes = 5;
constexpr std::size_t batch = 9;
const std::vector<double> student = random_values<double>(batch * classes, 1, -3, 3);
const std::vector<double> teacher = random_values<double>(batch * classes, 2, -3, 3);
const std::vector<std::uint32_t> labels{0, 1, 2, 3, 4, 0, 1, 2, 3};

TEST_CASE("A batch's loss is the sum over its rows, its gradient that of their mean", "[backend]") {
  const HintonLoss loss{.temperature = 3, .hard_weight = 0.25};
  std::vector<double> gradient(batch * classes, std::numeric_limits<double>::quiet_NaN());
  const backend::LossSum sum = evaluate_loss(
      backend::Eigen{}, loss, backend::Width<classes>{},
      backend::LossArguments<double>{student.data(), teacher.data(), labels.data(), gradient.data(), batch});
  double expected = 0.0;
  std::vector<double> rows(batch * classes);
  for (std::size_t i = 0; i < batch; ++i) {
    expected += loss.row<classes>(StudentLogits<double>{student.data() + i * classes},
                                  TeacherLogits<double>{teacher.data() + i * classes}, labels[i], 1.0 / batch,
                                  rows.data() + i * classes);
  }
  CHECK_THAT(sum.loss, WithinRel(expected, 1e-14));
  CHECK(same_bits(gradient, rows));
}

TEST_CASE("Correct is a sample whose largest logit is the label's, the first of equals", "[backend]") {
  const std::vector<float> logits{1, 5, 2,  //
                                  7, 7, 0,  //
                                  7, 7, 0,  //
                                  3, 2, 9};
  const std::vector<std::uint32_t> answers{1, 0, 1, 0};
  std::vector<float> gradient(logits.size());
  const auto sum = evaluate_loss(
      backend::Eigen{}, CrossEntropy{}, backend::Width<3>{},
      backend::LossArguments<float>{logits.data(), nullptr, answers.data(), gradient.data(), answers.size()});
  CHECK(sum.correct == 2);
}

TEST_CASE("Sums of losses add up", "[backend]") {
  backend::LossSum sum{1.5, 3};
  sum += {0.25, 4};
  CHECK(sum.loss == 1.75);
  CHECK(sum.correct == 7);
}

}  // namespace
