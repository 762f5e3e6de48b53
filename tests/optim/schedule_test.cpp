// SPDX-License-Identifier: MIT
#include "retort/optim/schedule.hpp"

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <string>

#include "catch.hpp"
#include "golden/optimizer_golden.hpp"
#include "retort/core/error.hpp"
#include "retort/core/hyperparameters.hpp"

namespace {

namespace golden = retort::golden::optimizer;
using retort::ConstantSchedule;
using retort::CosineSchedule;
using retort::LinearWarmup;
using retort::Schedule;
using retort::StepSchedule;
using retort::TrainingProgress;

TEST_CASE("Schedules equal PyTorch's", "[optim][golden]") {
  const Schedule steps = StepSchedule{.every_epochs = 3, .decay = 0.5};
  for (std::size_t epoch = 0; epoch < std::size(golden::step_schedule); ++epoch) {
    CHECK_THAT(steps.factor({.epoch = epoch}), WithinRel(golden::step_schedule[epoch], 1e-12));
  }
  const Schedule cosine = CosineSchedule{.final_factor = 0.1};
  const Schedule warmup = LinearWarmup{.steps = 5, .then = CosineSchedule{}};
  for (std::uint64_t step = 0; step < 20; ++step) {
    const TrainingProgress progress{.step = step, .total_steps = 20};
    CHECK_THAT(cosine.factor(progress), WithinRel(golden::cosine_schedule[step], 1e-12));
    CHECK_THAT(warmup.factor(progress), WithinRel(golden::warmup_cosine_schedule[step], 1e-12));
  }
}

TEST_CASE("The default schedule changes nothing", "[optim]") {
  const Schedule schedule;
  for (std::uint64_t step = 0; step < 100; step += 7) {
    CHECK(schedule.factor({.step = step, .total_steps = 100, .epoch = step / 10, .total_epochs = 10}) == 1.0);
  }
  CHECK(schedule.describe() == "ConstantSchedule()");
}

TEST_CASE("A cosine falls all the way, from 1 to its final factor, and stays there", "[optim]") {
  const CosineSchedule cosine{.final_factor = 0.25};
  double previous = cosine.factor({.step = 0, .total_steps = 50});
  CHECK(previous == 1.0);
  for (std::uint64_t step = 1; step <= 50; ++step) {
    const double factor = cosine.factor({.step = step, .total_steps = 50});
    CHECK(factor < previous);
    previous = factor;
  }
  CHECK(previous == 0.25);
  CHECK(cosine.factor({.step = 60, .total_steps = 50}) == 0.25);
  CHECK(cosine.factor({.step = 0, .total_steps = 0}) == 0.25);
}

TEST_CASE("Warm-up rises evenly to where the next schedule starts", "[optim]") {
  const LinearWarmup warmup{.steps = 4};
  for (std::uint64_t step = 0; step < 10; ++step) {
    const double expected = step < 4 ? 0.2 * static_cast<double>(step + 1) : 1.0;
    CHECK_THAT(warmup.factor({.step = step, .total_steps = 10}), WithinRel(expected, 1e-15));
  }
}

TEST_CASE("Warm-up of no steps is the next schedule", "[optim]") {
  const LinearWarmup warmup{.steps = 0, .then = CosineSchedule{}};
  for (std::uint64_t step = 0; step < 10; ++step) {
    const TrainingProgress progress{.step = step, .total_steps = 10};
    CHECK(warmup.factor(progress) == CosineSchedule{}.factor(progress));
  }
}

TEST_CASE("Warm-up leaves the epochs alone", "[optim]") {
  const LinearWarmup warmup{.steps = 100, .then = StepSchedule{.every_epochs = 10, .decay = 0.1}};
  CHECK(warmup.factor({.step = 950, .total_steps = 3000, .epoch = 9, .total_epochs = 30}) == 1.0);
  CHECK(warmup.factor({.step = 1000, .total_steps = 3000, .epoch = 10, .total_epochs = 30}) == 0.1);
}

TEST_CASE("Warm-up may be longer than the training", "[optim]") {
  const LinearWarmup warmup{.steps = std::numeric_limits<std::uint64_t>::max(), .then = CosineSchedule{}};
  const double factor = warmup.factor({.step = 5, .total_steps = 10});
  CHECK(factor > 0);
  CHECK(factor < 1e-15);
  CHECK(LinearWarmup{.steps = 20, .then = CosineSchedule{}}.factor({.step = 20, .total_steps = 10}) == 0.0);
}

TEST_CASE("A user's own schedule is a schedule", "[optim]") {
  struct InverseRoot {
    double factor(const TrainingProgress& progress) const {
      return 1 / std::sqrt(static_cast<double>(progress.step + 1));
    }
    void validate() const {}
    std::string describe() const { return "InverseRoot()"; }
  };
  const Schedule schedule = LinearWarmup{.steps = 3, .then = InverseRoot{}};
  const Schedule copy = schedule;
  CHECK(copy.factor({.step = 6}) == 0.5);
  CHECK(copy.describe() == "LinearWarmup(steps=3, then=InverseRoot())");
}

TEST_CASE("Settings of schedules are checked, through a warm-up too", "[optim]") {
  const double nan = std::numeric_limits<double>::quiet_NaN();
  CHECK_NOTHROW(Schedule{}.validate());
  CHECK_NOTHROW(Schedule{StepSchedule{}}.validate());
  CHECK_THROWS_AS(retort::validate_in<double>(StepSchedule{.every_epochs = 0}), retort::OptionError);
  for (const double bad : {0.0, -0.5, 1.5, nan}) {
    CHECK_THROWS_AS(retort::validate_in<double>(StepSchedule{.decay = bad}), retort::OptionError);
  }
  for (const double bad : {-0.5, 1.5, nan}) {
    CHECK_THROWS_AS(retort::validate_in<double>(CosineSchedule{.final_factor = bad}), retort::OptionError);
  }
  const Schedule nested = LinearWarmup{.steps = 1, .then = CosineSchedule{.final_factor = 2}};
  CHECK_THROWS_AS(nested.validate(), retort::OptionError);
}

TEST_CASE("Schedules describe themselves", "[optim]") {
  CHECK(Schedule{StepSchedule{.every_epochs = 3, .decay = 0.5}}.describe() ==
        "StepSchedule(every_epochs=3, decay=0.5)");
  CHECK(Schedule{LinearWarmup{.steps = 5, .then = CosineSchedule{.final_factor = 0.1}}}.describe() ==
        "LinearWarmup(steps=5, then=CosineSchedule(final_factor=0.1))");
}

}  // namespace
