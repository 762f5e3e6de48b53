// SPDX-License-Identifier: MIT
// Losses of targets: PyTorch's values, gradients against differences, and what each of them promises.

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <vector>

#include "catch.hpp"
#include "finite_difference.hpp"
#include "golden/target_loss_golden.hpp"
#include "random_values.hpp"
#include "retort/core/error.hpp"
#include "retort/core/hyperparameters.hpp"
#include "retort/loss/binary_cross_entropy.hpp"
#include "retort/loss/binary_hinton.hpp"
#include "retort/loss/cross_entropy.hpp"
#include "retort/loss/curriculum_temperature.hpp"
#include "retort/loss/feature_loss.hpp"
#include "retort/loss/hint.hpp"
#include "retort/loss/huber.hpp"
#include "retort/loss/loss.hpp"
#include "retort/loss/loss_after.hpp"
#include "retort/loss/mean_squared_error.hpp"
#include "retort/loss/metric.hpp"
#include "retort/loss/towards_teacher.hpp"
#include "retort/loss/weighted_sum.hpp"

namespace {

using namespace retort;
namespace golden = retort::golden::target_loss;

using RealSum = SumOfLosses<WeightedLoss<MeanSquaredError>, WeightedLoss<TowardsTeacher<Huber>>>;
using YesNoSum = SumOfLosses<WeightedLoss<BinaryCrossEntropy>, CurriculumTemperature<BinaryHintonLoss>>;
static_assert(metric_of<RealSum> == Metric::rmse && RealSum::needs_teacher && !takes_vectors<RealSum>);
static_assert(metric_of<YesNoSum> == Metric::exact_match && Loss<YesNoSum>);
static_assert(metric_of<CrossEntropy> == Metric::accuracy && !takes_targets<CrossEntropy>);
static_assert(takes_targets<WithTerm<MeanSquaredError, Hint<1, 1>>>);

template <typename Scalar>
struct Row {
  std::vector<Scalar> student, teacher, targets;
};

/// The value, then the gradient.
template <std::size_t Outputs, typename L, typename Scalar>
std::vector<Scalar> evaluate(const L& loss, const Row<Scalar>& row, Scalar gradient_scale = 1) {
  std::vector<Scalar> result(1 + Outputs, std::numeric_limits<Scalar>::quiet_NaN());
  result[0] =
      loss.template row<Outputs>(StudentLogits<Scalar>{row.student.data()}, TeacherLogits<Scalar>{row.teacher.data()},
                                 Targets<Scalar>{row.targets.data()}, gradient_scale, result.data() + 1);
  return result;
}

template <std::size_t Outputs, typename Scalar = double>
Row<Scalar> random_row(std::uint64_t seed) {
  return {test::random_values<Scalar>(Outputs, 3 * seed, -5, 5),
          test::random_values<Scalar>(Outputs, 3 * seed + 1, -5, 5),
          test::random_values<Scalar>(Outputs, 3 * seed + 2, 0, 1)};
}

template <std::size_t Outputs, typename L>
void check_laws(const L& loss) {
  const double gradient_scale = -0.37;
  for (std::uint64_t seed = 0; seed < 20; ++seed) {
    CAPTURE(describe_settings(loss), Outputs, seed);
    Row<double> row = random_row<Outputs>(seed);
    const auto found = evaluate<Outputs>(loss, row, gradient_scale);
    const auto scaled_loss = [&](const std::vector<double>& student) {
      return gradient_scale * evaluate<Outputs>(loss, Row<double>{student, row.teacher, row.targets})[0];
    };
    const auto difference =
        test::worst_gradient_difference(scaled_loss, row.student, {found.begin() + 1, found.end()}, 1e-4);
    CAPTURE(difference.index, difference.analytic, difference.numeric);
    CHECK(difference.relative_error < 1e-6);

    // Outputs have no order.
    Row<double> rotated = row;
    for (std::vector<double>* values : {&rotated.student, &rotated.teacher, &rotated.targets}) {
      std::rotate(values->begin(), values->begin() + 1, values->end());
    }
    const auto of_rotated = evaluate<Outputs>(loss, rotated, gradient_scale);
    CHECK_THAT(of_rotated[0], WithinRel(found[0], 1e-14));
    for (std::size_t k = 0; k < Outputs; ++k) {
      CHECK_THAT(of_rotated[1 + k], WithinAbs(found[1 + (k + 1) % Outputs], 1e-14));
    }

    row.student[Outputs / 2] = std::numeric_limits<double>::quiet_NaN();
    CHECK(std::isnan(evaluate<Outputs>(loss, row)[0]));
  }
}

template <typename L>
void check_in_float(const L& loss) {
  const auto row = random_row<10, float>(5);
  const Row<double> wide{{row.student.begin(), row.student.end()},
                         {row.teacher.begin(), row.teacher.end()},
                         {row.targets.begin(), row.targets.end()}};
  const auto found = evaluate<10>(loss, row, 1.0f);
  const auto expected = evaluate<10>(loss, wide);
  CHECK_THAT(double{found[0]}, WithinRel(expected[0], 1e-6));
  for (std::size_t k = 1; k <= 10; ++k) {
    CHECK_THAT(double{found[k]}, WithinAbs(expected[k], 1e-6));
  }
}

template <typename L>
void check_finite_at_extremes(const L& loss) {
  for (unsigned signs = 0; signs < 16; ++signs) {
    const auto number = [&](unsigned bit) { return (signs >> bit & 1u) != 0 ? 1e4f : -1e4f; };
    const Row<float> row{{number(0), number(1)}, {number(2), number(3)}, {0, 1}};
    CAPTURE(describe_settings(loss), signs);
    for (const float value : evaluate<2>(loss, row, 1.0f)) {
      CHECK(std::isfinite(value));
    }
  }
}

TEMPLATE_TEST_CASE("Losses of targets obey their laws", "[loss]", MeanSquaredError, Huber, BinaryCrossEntropy,
                   BinaryHintonLoss, RealSum, YesNoSum) {
  const TestType loss{};
  check_laws<1>(loss);
  check_laws<3>(loss);
  check_laws<10>(loss);
  check_in_float(loss);
  check_finite_at_extremes(loss);
}

template <typename L>
void check_against_golden(const L& loss, const double* targets, const double* losses, const double* gradients) {
  for (std::size_t i = 0; i < golden::rows; ++i) {
    const auto part = [&](const double* values) {
      const double* begin = values + i * golden::outputs;
      return std::vector<double>(begin, begin + golden::outputs);
    };
    CAPTURE(describe_settings(loss), i);
    const auto found =
        evaluate<golden::outputs>(loss, Row<double>{part(golden::student), part(golden::teacher), part(targets)});
    CHECK_THAT(found[0], WithinRel(losses[i], 1e-13));
    for (std::size_t k = 0; k < golden::outputs; ++k) {
      CHECK_THAT(found[1 + k], WithinAbs(gradients[i * golden::outputs + k], 1e-14));
    }
  }
}

TEST_CASE("Losses of targets equal PyTorch's", "[loss][golden]") {
  check_against_golden(MeanSquaredError{}, golden::targets, golden::mean_squared_error_loss,
                       golden::mean_squared_error_gradient);
  check_against_golden(Huber{.delta = 0.75}, golden::targets, golden::huber_loss, golden::huber_gradient);
  check_against_golden(BinaryCrossEntropy{}, golden::answers, golden::binary_loss, golden::binary_gradient);
  check_against_golden(BinaryHintonLoss{.temperature = 2, .hard_weight = 0.3}, golden::answers,
                       golden::binary_hinton_loss, golden::binary_hinton_gradient);
}

TEST_CASE("The binary cross-entropy of a sure and right answer keeps its digits", "[loss]") {
  for (const double logit : {30.0, 100.0, 700.0}) {
    const auto of_yes = evaluate<1>(BinaryCrossEntropy{}, Row<double>{{logit}, {0}, {1}});
    const auto of_no = evaluate<1>(BinaryCrossEntropy{}, Row<double>{{-logit}, {0}, {0}});
    CHECK_THAT(of_yes[0], WithinRel(std::exp(-logit), 1e-12));
    CHECK_THAT(of_yes[1], WithinRel(-std::exp(-logit), 1e-12));
    CHECK_THAT(of_no[0], WithinRel(of_yes[0], 1e-15));
    CHECK_THAT(of_no[1], WithinRel(-of_yes[1], 1e-15));
  }
}

TEMPLATE_TEST_CASE("A student that matches its teacher's outputs has loss 0 and gradient 0", "[loss]", float, double) {
  auto row = random_row<10, TestType>(3);
  row.teacher = row.student;
  const std::vector<TestType> zeros(11, 0);
  CHECK(evaluate<10>(BinaryHintonLoss{.temperature = 3, .hard_weight = 0}, row) == zeros);
  CHECK(evaluate<10>(TowardsTeacher{Huber{}}, row) == zeros);
}

TEST_CASE("Targets and the teacher's outputs share a sum", "[loss]") {
  const auto row = random_row<3>(8);
  const auto found = evaluate<3>(0.3 * MeanSquaredError{} + 0.7 * TowardsTeacher{Huber{.delta = 0.5}}, row);
  const auto of_targets = evaluate<3>(MeanSquaredError{}, row);
  const auto of_teacher = evaluate<3>(Huber{.delta = 0.5}, Row<double>{row.student, {}, row.teacher});
  for (std::size_t i = 0; i < found.size(); ++i) {
    CHECK_THAT(found[i], WithinAbs(0.3 * of_targets[i] + 0.7 * of_teacher[i], 1e-14));
  }
  const auto of_answers = evaluate<3>(BinaryHintonLoss{.hard_weight = 1}, row);
  const auto expected = evaluate<3>(BinaryCrossEntropy{}, row);
  for (std::size_t i = 0; i < expected.size(); ++i) {
    CHECK_THAT(of_answers[i], WithinAbs(expected[i], 1e-15));
  }
}

TEST_CASE("A loss of targets says whether it reads them", "[loss]") {
  CHECK(reads_targets(MeanSquaredError{}));
  CHECK_FALSE(reads_targets(TowardsTeacher{Huber{}}));
  CHECK(reads_targets(0.3 * MeanSquaredError{} + 0.7 * TowardsTeacher{Huber{}}));
  CHECK_FALSE(reads_targets(0.0 * MeanSquaredError{} + 0.7 * TowardsTeacher{Huber{}}));
  CHECK(reads_targets(WithTerm{BinaryHintonLoss{}, Hint<1, 1>{}}));
  CHECK_FALSE(reads_targets(WithTerm{CurriculumTemperature{BinaryHintonLoss{.hard_weight = 0}}, Hint<1, 1>{}}));
  CHECK(reads_targets(LossAfter{TowardsTeacher{Huber{}}, 2, MeanSquaredError{}}));
  CHECK_FALSE(reads_targets(LossAfter{TowardsTeacher{Huber{}}, 0, MeanSquaredError{}}));
  static_assert(metric_of<LossAfter<BinaryHintonLoss, BinaryCrossEntropy>> == Metric::exact_match);
}

TEST_CASE("Losses of targets describe and check their settings", "[loss]") {
  CHECK(describe_settings(0.3 * MeanSquaredError{} + 0.7 * TowardsTeacher{Huber{}}) ==
        "0.3 * MeanSquaredError() + 0.7 * TowardsTeacher(loss=Huber(delta=1))");
  CHECK(describe_settings(BinaryHintonLoss{}) == "BinaryHintonLoss(temperature=2, hard_weight=0.1)");
  CHECK_THROWS_AS(validate_in<float>(TowardsTeacher{Huber{.delta = 0}}), OptionError);
  CHECK_THROWS_AS(validate_in<float>(BinaryHintonLoss{.hard_weight = 1.5}), OptionError);
  CHECK_THROWS_AS(validate_in<float>(BinaryHintonLoss{.temperature = 0}), OptionError);
}

}  // namespace
