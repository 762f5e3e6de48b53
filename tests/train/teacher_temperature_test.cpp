// SPDX-License-Identifier: MIT
#include "retort/train/teacher_temperature.hpp"

#include <algorithm>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "catch.hpp"
#include "data/data_test.hpp"
#include "retort/backend/eigen/backend.hpp"
#include "retort/data/ensemble_logits.hpp"
#include "retort/data/teacher_logits.hpp"
#include "retort/loss/binary_hinton.hpp"
#include "retort/loss/class_weighted.hpp"
#include "retort/loss/curriculum_temperature.hpp"
#include "retort/loss/dist.hpp"
#include "retort/loss/dkd.hpp"
#include "retort/loss/hinton.hpp"
#include "retort/loss/logit_matching.hpp"
#include "retort/loss/loss_after.hpp"
#include "retort/loss/nkd.hpp"
#include "retort/loss/one_of_losses.hpp"
#include "retort/loss/rld.hpp"
#include "retort/loss/softmax_passed_to_kl.hpp"
#include "retort/loss/standardized_logits.hpp"
#include "retort/loss/swapped_logits.hpp"
#include "retort/loss/ttm.hpp"
#include "retort/loss/weighted_sum.hpp"
#include "retort/optim/adam.hpp"
#include "retort/train/distillation_trainer.hpp"
#include "small_datasets.hpp"
#include "temporary_folder.hpp"

namespace {

using namespace retort;
using retort::test::contains;
using retort::test::message_of;

using Student = Network<Sequential<Linear<5, 3>>>;

const data::Dataset& points() {
  static const data::Dataset data = test::clouds(30, 5, 3, 1);
  return data;
}

/// Right about each label, by `lead`.
data::TeacherLogitsTable teacher(float lead) {
  data::Matrix<float> logits(30, 3);
  for (std::size_t i = 0; i < 30; ++i) {
    logits(i, points().labels()[i]) = lead;
  }
  return data::TeacherLogitsTable(std::move(logits), points());
}

data::TeacherLogitsTable mean_at(double temperature) {
  return data::ensemble_logits({teacher(2), teacher(5)}, temperature);
}

template <Loss L>
std::string refusal(const data::TeacherLogitsTable& table, const L& loss) {
  return message_of<OptionError>([&] { require_temperature_for(table, loss); });
}

constexpr std::string_view none = "<no exception>";

TEST_CASE("Losses say at which temperatures they read their teacher", "[loss]") {
  const auto range = [](double lowest, double highest) { return std::optional(TeacherTemperatures{lowest, highest}); };
  const HintonLoss at_3{.temperature = 3};
  const HintonLoss labels{.temperature = 5, .hard_weight = 1};
  CHECK(teacher_temperatures(at_3) == range(3, 3));
  CHECK(teacher_temperatures(SoftmaxPassedToKlLoss{.temperature = 6}) == range(6, 6));
  CHECK(teacher_temperatures(Dkd{.temperature = 2}) == range(2, 2));
  CHECK(teacher_temperatures(Nkd{.temperature = 4}) == range(1, 4));
  CHECK(teacher_temperatures(Rld{.temperature = 0.5}) == range(0.5, 1));
  CHECK(teacher_temperatures(Ttm{.exponent = 0.25}) == range(4, 4));
  CHECK(teacher_temperatures(Ttm{.exponent = 0.25, .weighted = true}) == range(1, 4));
  for (const auto& nothing : {teacher_temperatures(labels), teacher_temperatures(CrossEntropy{}),
                              teacher_temperatures(LogitMatching{}), teacher_temperatures(Ttm{.beta = 0}),
                              teacher_temperatures(StandardizedLogits{at_3}), teacher_temperatures(0.0 * at_3)}) {
    CHECK(nothing == std::nullopt);
  }

  CHECK(teacher_temperatures(SwappedLogits{at_3}) == range(3, 3));
  CHECK(teacher_temperatures(ClassWeighted<HintonLoss, 3>{at_3, {1, 1, 1}}) == range(3, 3));
  CHECK(teacher_temperatures(0.5 * CrossEntropy{} + 0.5 * at_3) == range(3, 3));
  CHECK(teacher_temperatures(0.5 * at_3 + 0.5 * Dkd{.temperature = 8}) == range(3, 8));
  CHECK(teacher_temperatures(LossAfter{at_3, 4}) == range(3, 3));
  CHECK(teacher_temperatures(LossAfter{at_3, 4, Dkd{.temperature = 2}}) == range(2, 3));
  CHECK(teacher_temperatures(LossAfter{at_3, 0, Dkd{.temperature = 2}}) == range(3, 3));
  CHECK(teacher_temperatures(OneOfLosses<CrossEntropy, HintonLoss>{at_3}) == range(3, 3));
  CHECK(teacher_temperatures(OneOfLosses<CrossEntropy, HintonLoss>{}) == std::nullopt);
  CHECK(teacher_temperatures(WithTerm{CrossEntropy{}, Dist{.temperature = 2}}) == range(2, 2));
  CHECK(teacher_temperatures(WithTerm{at_3, Dist{}}) == range(1, 3));
  CHECK(teacher_temperatures(CurriculumTemperature{at_3, 4.0, 2.0}) == range(2, 4));
  CHECK(teacher_temperatures(CurriculumTemperature{labels, 4.0, 2.0}) == std::nullopt);
}

TEST_CASE("An ensemble keeps its temperature, in its file too", "[data]") {
  CHECK(mean_at(4).temperature() == 4.0);
  CHECK_FALSE(mean_at(4).as_logits().temperature());
  CHECK_FALSE(teacher(2).temperature());
  // A single teacher that counts gives its own logits.
  CHECK_FALSE(data::ensemble_logits({teacher(2)}, 4).temperature());
  CHECK_FALSE(data::ensemble_logits({teacher(2), teacher(5)}, 4, {0, 3}).temperature());
  // Means are averaged at their own temperature.
  CHECK(data::ensemble_logits({mean_at(4), teacher(5)}, 4).temperature() == 4.0);
  CHECK(data::ensemble_logits({mean_at(4)}, 4).temperature() == 4.0);
  CHECK(message_of<OptionError>([] { data::ensemble_logits({teacher(2), mean_at(4)}, 2); }) ==
        "ensemble_logits: table 1: the mean of several teachers' probabilities at temperature 4, expected 2, at which "
        "they are averaged here");

  const test::TemporaryFolder folder;
  const std::filesystem::path path = folder / "mean.npy";
  const std::filesystem::path beside = folder / "mean.npy.json";
  for (const double temperature : {4.0, 1.0 / 3, 1e-300}) {
    data::save_teacher_logits(path, mean_at(temperature));
    CHECK(data::load_teacher_logits(path).temperature() == temperature);
  }
  CHECK(contains(refusal(data::load_teacher_logits(path), HintonLoss{}), path_text(path) + ": the mean of several"));
  data::save_teacher_logits(path, teacher(2));
  CHECK_FALSE(data::load_teacher_logits(path).temperature());
  for (const std::string wrong : {"0", "-1", "1e999", "\"4\""}) {
    test::write_file(beside, R"({"inputs":1,"logits":2,"temperature":)" + wrong + "}");
    CHECK(test::is_message(message_of<FormatError>([&] { data::load_teacher_logits(path); }), beside, {"expected"}));
  }
}

TEST_CASE("A mean of teachers is refused by a loss of another temperature", "[train]") {
  const auto table = mean_at(4);
  CHECK(refusal(table, HintonLoss{.temperature = 4}) == none);
  CHECK(refusal(table, HintonLoss{.temperature = 2}) ==
        "teacher logits: the mean of several teachers' probabilities at temperature 4, and the loss "
        "HintonLoss(temperature=2, hard_weight=0.1) reads it at 2, expected a mean at this temperature (as_logits() "
        "takes it for one teacher's)");
  CHECK(contains(refusal(table, CurriculumTemperature{HintonLoss{}, 1.0, 4.0}),
                 " reads it at temperatures from 1 to 4, expected one teacher's logits (as_logits() takes it"));
  CHECK(refusal(table, CurriculumTemperature{HintonLoss{}, 4.0, 4.0}) == none);
  CHECK(contains(refusal(table, BinaryHintonLoss{.temperature = 4}), " takes targets, expected one teacher's outputs"));
  CHECK(refusal(table, LogitMatching{}) == none);
  CHECK(refusal(table, HintonLoss{.temperature = 2, .hard_weight = 1}) == none);
  CHECK(refusal(table.as_logits(), HintonLoss{.temperature = 2}) == none);
  CHECK(refusal(teacher(2), HintonLoss{.temperature = 2}) == none);
  CHECK(refusal(mean_at(49), Ttm{.exponent = 1.0 / 49}) == none);  // 1 / (1 / 49) is not 49

  // A training says so before its first step.
  Student student{Seed{1}};
  const Student fresh = student;
  DistillationTrainer at_2{table, student, HintonLoss{.temperature = 2}, Adam{}};
  CHECK(contains(message_of<OptionError>([&] { at_2.fit(points(), {.epochs = 1}); }), "reads it at 2, expected"));
  CHECK(test::same_bits(student.parameter_arena(), fresh.parameter_arena()));
  DistillationTrainer at_4{table, student, HintonLoss{.temperature = 4}, Adam{}};
  CHECK_NOTHROW(at_4.fit(points(), {.epochs = 1}));
}

TEST_CASE("A subset of a table answers its samples, at the table's temperature", "[data]") {
  const std::vector<std::uint32_t> some{7, 2, 2};
  const data::Dataset part = points().subset(some);
  const auto table = mean_at(4);
  const auto subset = table.subset(some, part);
  CHECK(subset.temperature() == 4.0);
  CHECK_NOTHROW(subset.require_made_for(part, {}, {}, 3));
  for (std::size_t i = 0; i < some.size(); ++i) {
    CHECK(std::ranges::equal(subset.logits().row(i), table.logits().row(some[i])));
  }
  const std::vector<std::uint32_t> beyond{0, 30};
  CHECK(message_of<ShapeError>([&] { static_cast<void>(table.subset(beyond, part)); }) ==
        "teacher logits: index 30, expected less than 30");
  CHECK_THROWS_AS(table.subset(some, points()), ShapeError);
  const data::Dataset images = test::noise_images(2, {3, 3}, 2, 1);
  const data::TeacherLogitsTable views(data::Matrix<float>(4, 2), images, {.shift = 1}, {.count = 2});
  CHECK(message_of<OptionError>([&] { static_cast<void>(views.subset(some, images)); }) ==
        "teacher logits: a subset of 2 views, expected a table of one");
}

TEST_CASE("What a loss does not weigh has no temperature", "[train]") {
  using Temperatures = std::optional<TeacherTemperatures>;
  CHECK(teacher_temperatures(Dkd{.temperature = 4, .alpha = 0, .beta = 0}) == Temperatures{});
  CHECK(teacher_temperatures(Dkd{.temperature = 4, .alpha = 0}) == Temperatures{{4, 4}});
  CHECK(teacher_temperatures(Rld{.temperature = 4, .alpha = 0, .beta = 0}) == Temperatures{});
  CHECK(teacher_temperatures(Rld{.temperature = 4, .beta = 0}) == Temperatures{{1, 1}});
  CHECK(teacher_temperatures(Rld{.temperature = 4, .alpha = 0}) == Temperatures{{4, 4}});
  CHECK(teacher_temperatures(Rld{.temperature = 4}) == Temperatures{{1, 4}});
  CHECK(teacher_temperatures(Nkd{.temperature = 4, .gamma = 0}) == Temperatures{{1, 1}});
}

}  // namespace
