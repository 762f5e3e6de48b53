// SPDX-License-Identifier: MIT
// Two lanes that share a row, here two threads, find what one finds alone.

#include <array>
#include <barrier>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <thread>

#include "catch.hpp"
#include "random_values.hpp"
#include "retort/backend/generic/loss_row.hpp"
#include "retort/loss/cross_entropy.hpp"
#include "retort/loss/hinton.hpp"
#include "retort/loss/loss.hpp"
#include "retort/loss/mean_squared_error.hpp"
#include "retort/loss/row_lanes.hpp"

namespace {

using namespace retort;

constexpr std::size_t classes = 10;

struct Meeting {
  std::barrier<> barrier{2};
  std::array<double, 2> values{};
};

/// What the other thread brings to the same meeting.
struct Exchange {
  Meeting* meeting;
  std::size_t index;

  template <typename T>
  T operator()(T own) const {
    meeting->values[index] = static_cast<double>(own);
    meeting->barrier.arrive_and_wait();
    const T other = static_cast<T>(meeting->values[1 - index]);
    meeting->barrier.arrive_and_wait();
    return other;
  }
};

template <typename L>
void check_halves(const L& loss, const float* student, const float* teacher, std::uint32_t label) {
  float expected_gradient[classes];
  const auto expected =
      internal::evaluate_row<classes>(loss, student, teacher, label, 0.25f, static_cast<float*>(expected_gradient));
  float gradient[classes];
  std::array<internal::RowResult<float>, 2> found{};
  Meeting meeting;
  const auto run = [&](std::uint32_t index) {
    constexpr std::size_t own = classes / 2;
    const HalfRow<Exchange> lanes(index, Exchange{&meeting, index});
    found[index] = internal::evaluate_row<classes>(loss, student + index * own, teacher + index * own, label, 0.25f,
                                                   gradient + index * own, lanes);
  };
  {
    std::thread second(run, 1u);
    run(0u);
    second.join();
  }
  CAPTURE(label, expected.loss, found[0].loss);
  CHECK(found[0].loss == found[1].loss);
  CHECK_THAT(found[0].loss, WithinRel(expected.loss, 2e-6f) || WithinAbs(expected.loss, 1e-12f));
  for (const auto& result : found) {
    CHECK(result.correct == expected.correct);
  }
  for (std::size_t k = 0; k < classes; ++k) {
    CAPTURE(k);
    CHECK_THAT(gradient[k], WithinAbs(expected_gradient[k], 1e-7f));
  }
}

static_assert(shares_rows<HintonLoss> && shares_rows<CrossEntropy> && !shares_rows<MeanSquaredError>);

TEST_CASE("Two lanes share a row of a loss", "[loss]") {
  for (std::uint64_t seed = 0; seed < 20; ++seed) {
    const auto student = test::random_values<float>(classes, seed, -5.0, 5.0);
    auto teacher = test::random_values<float>(classes, seed + 100, -8.0, 8.0);
    const auto label = static_cast<std::uint32_t>(seed % (classes + 1));  // the last is none
    check_halves(CrossEntropy{}, student.data(), teacher.data(), label);
    check_halves(CrossEntropy{.label_smoothing = 0.1}, student.data(), teacher.data(), label);
    for (const double temperature : {1.0, 4.0, 50.0}) {
      for (const double weight : {0.0, 0.1, 1.0}) {
        check_halves(HintonLoss{.temperature = temperature, .hard_weight = weight}, student.data(), teacher.data(),
                     label);
      }
    }
    for (std::size_t k = 0; k < classes; ++k) {  // they nearly agree
      teacher[k] = student[k] * 1.001f;
    }
    check_halves(HintonLoss{}, student.data(), teacher.data(), label);
  }
}

TEST_CASE("Two lanes agree on the first of equal logits", "[loss]") {
  const float equal[classes] = {1, 3, 0, 0, 0, 0, 3, 0, 0, 3};
  const float other[classes] = {0, 1, 0, 0, 0, 0, 2, 0, 0, 3};
  for (std::uint32_t label = 0; label < classes; ++label) {
    check_halves(HintonLoss{}, equal, other, label);
    check_halves(HintonLoss{}, other, equal, label);
  }
}

TEST_CASE("Not a number in one lane's part gives none in both", "[loss]") {
  for (const std::size_t place : {0u, 4u, 7u}) {
    float student[classes] = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10};
    student[place] = std::numeric_limits<float>::quiet_NaN();
    Meeting meeting;
    float losses[2];
    const auto run = [&](std::uint32_t index) {
      float gradient[classes / 2];
      losses[index] = CrossEntropy{}.row<classes>(StudentLogits<float>{student + index * classes / 2},
                                                  TeacherLogits<float>{nullptr}, 0u, 1.0f, gradient,
                                                  HalfRow<Exchange>(index, Exchange{&meeting, index}));
    };
    std::thread second(run, 1u);
    run(0u);
    second.join();
    CHECK((std::isnan(losses[0]) && std::isnan(losses[1])));
  }
}

}  // namespace
