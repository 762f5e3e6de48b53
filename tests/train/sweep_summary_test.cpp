// SPDX-License-Identifier: MIT
#include "retort/train/sweep_summary.hpp"

#include <cstddef>
#include <optional>
#include <vector>

#include "catch.hpp"
#include "retort/train/sweep_observer.hpp"

namespace {

using namespace retort;

/// A sweep's result as far as a summary reads it.
struct Result : StudentReport {
  SweepSetting<> setting;
};

Result result(double temperature, std::size_t seed, std::size_t errors) {
  const EpochMetrics epoch{.epoch = 1, .loss = 9, .accuracy = 0.5, .errors = 50, .seconds = 0.25};
  return {{.history = {epoch, epoch},
           .evaluation = Evaluation{.loss = 0.1 * static_cast<double>(errors),
                                    .accuracy = 1.0 - static_cast<double>(errors) / 100.0,
                                    .errors = errors}},
          {.loss = {.temperature = temperature}, .seed = Seed{seed}}};
}

TEST_CASE("A summary has mean and standard deviation of each setting, in the order given", "[train]") {
  const std::vector<Result> results{result(4, 0, 10), result(2, 0, 7), result(4, 1, 12), result(2, 1, 7),
                                    result(4, 2, 14)};
  const auto summaries = summarize(results);
  REQUIRE(summaries.size() == 2);
  CHECK(summaries[0].setting.loss.temperature == 4);
  CHECK(summaries[0].errors.count == 3);
  CHECK(summaries[0].errors.mean == 12);
  CHECK(summaries[0].errors.standard_deviation == 2);
  CHECK_THAT(summaries[0].accuracy.mean, WithinAbs(0.88, 1e-12));
  CHECK_THAT(summaries[0].loss.mean, WithinAbs(1.2, 1e-12));
  CHECK_THAT(summaries[0].seconds.mean, WithinAbs(0.5, 1e-12));
  CHECK(summaries[1].setting.loss.temperature == 2);
  CHECK(summaries[1].errors.count == 2);
  CHECK(summaries[1].errors.standard_deviation == 0);
  CHECK(summarize(std::vector<Result>{}).empty());
}

TEST_CASE("Students that diverged are counted apart", "[train]") {
  std::vector<Result> results{result(4, 0, 10), result(4, 1, 99)};
  results[1].divergence = "training has diverged";
  results[1].history.clear();
  const auto summaries = summarize(results);
  REQUIRE(summaries.size() == 1);
  CHECK(summaries[0].diverged == 1);
  CHECK(summaries[0].errors.count == 1);
  CHECK(summaries[0].errors.mean == 10);
}

TEST_CASE("Without validation the summary is of the last epoch of training", "[train]") {
  std::vector<Result> results{result(4, 0, 10)};
  results[0].evaluation = std::nullopt;
  CHECK(summarize(results)[0].errors.mean == 50);
  CHECK(summarize(results)[0].accuracy.mean == 0.5);
  results[0].history.back().accuracy.reset();  // no sample had a label
  results[0].history.back().errors.reset();
  CHECK(summarize(results)[0].errors.count == 0);
  CHECK(summarize(results)[0].accuracy.count == 0);
  CHECK(summarize(results)[0].loss.mean == 9);
  CHECK(summarize(results)[0].loss.mean == 9);
}

}  // namespace
