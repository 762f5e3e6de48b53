// SPDX-License-Identifier: MIT
#include "retort/loss/hint.hpp"

#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <string>
#include <vector>

#include "catch.hpp"
#include "finite_difference.hpp"
#include "random_values.hpp"
#include "retort/core/error.hpp"
#include "retort/loss/cross_entropy.hpp"
#include "retort/loss/feature_loss.hpp"
#include "retort/loss/hinton.hpp"

namespace {

using namespace retort;

static_assert(FeatureTerm<Hint<0, 2>> && !Loss<Hint<0, 2>>);
static_assert(FeatureLoss<WithTerm<HintonLoss, Hint<0, 2>>> && !FeatureLoss<HintonLoss>);
static_assert(WithTerm<CrossEntropy, Hint<0, 2>>::needs_teacher);

TEST_CASE("A hint is the weighted mean of squared differences, with its gradient", "[loss]") {
  const Hint<0, 0> hint{.weight = 3.0};
  const std::vector<double> teacher = test::random_values<double>(5, 1);
  const auto value = [&](const std::vector<double>& student) {
    std::array<double, 5> gradient{};
    return hint.row<5>(StudentFeatures<double>{student.data()}, TeacherFeatures<double>{teacher.data()}, 1.0,
                       gradient.data());
  };
  const std::vector<double> student = test::random_values<double>(5, 2);
  double squares = 0.0;
  for (std::size_t j = 0; j < 5; ++j) {
    squares += (student[j] - teacher[j]) * (student[j] - teacher[j]);
  }
  CHECK_THAT(value(student), WithinRel(3.0 * squares / 5.0, 1e-14));
  CHECK(value(teacher) == 0.0);

  std::vector<double> gradient(5);
  hint.row<5>(StudentFeatures<double>{student.data()}, TeacherFeatures<double>{teacher.data()}, 1.0, gradient.data());
  CHECK(test::worst_gradient_difference(value, student, gradient).relative_error < 1e-9);
  std::vector<double> halved(5);
  hint.row<5>(StudentFeatures<double>{student.data()}, TeacherFeatures<double>{teacher.data()}, 0.5, halved.data());
  for (std::size_t j = 0; j < 5; ++j) {
    CHECK_THAT(halved[j], WithinRel(gradient[j] / 2, 1e-15));
  }
}

TEST_CASE("A loss with a hint says all that decides its result, and checks both", "[loss]") {
  const WithTerm loss{HintonLoss{.temperature = 3, .hard_weight = 0.5}, Hint<1, 2>{.weight = 10}};
  CHECK(describe_settings(loss) ==
        "HintonLoss(temperature=3, hard_weight=0.5) + Hint(weight=10) of layer 1 beside the teacher's layer 2");
  CHECK_NOTHROW(validate_in<float>(loss));
  CHECK_THROWS_AS(validate_in<float>(WithTerm{HintonLoss{.temperature = 0}, Hint<1, 2>{}}), OptionError);
  for (const double weight : {-1.0, HUGE_VAL, std::numeric_limits<double>::quiet_NaN(), 1e-42}) {
    CAPTURE(weight);
    CHECK_THROWS_AS(validate_in<float>(WithTerm{HintonLoss{}, Hint<1, 2>{.weight = weight}}), OptionError);
  }
}

}  // namespace
