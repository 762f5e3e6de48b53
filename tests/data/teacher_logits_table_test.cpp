// SPDX-License-Identifier: MIT
#include "retort/data/teacher_logits_table.hpp"

#include <cmath>
#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "catch.hpp"
#include "data/data_test.hpp"
#include "retort/backend/eigen/backend.hpp"
#include "retort/data/ensemble_logits.hpp"
#include "retort/data/save_npy.hpp"
#include "retort/data/teacher_logits.hpp"
#include "retort/loss/hinton.hpp"
#include "retort/loss/mean_squared_error.hpp"
#include "retort/loss/towards_teacher.hpp"
#include "retort/optim/adam.hpp"
#include "retort/train/distillation_trainer.hpp"
#include "temporary_folder.hpp"

namespace {

using namespace retort;
using namespace retort::test;

using Reals = data::Matrix<float>;
using Student = Network<Sequential<Linear<1, 3>>>;

/// Ten samples of three classes in turn.
data::Dataset turns() {
  Reals features(10, 1);
  data::Labels labels(10);
  for (std::uint32_t i = 0; i < 10; ++i) {
    features(i, 0) = static_cast<float>(i) / 10;
    labels[i] = i % 3;
  }
  return {std::move(features), std::move(labels), 3};
}

/// Sure of each label: 0.75, and the rest for the others, of which one is 0.
Reals probabilities() {
  const data::Labels labels = turns().labels();
  Reals rows(10, 3);
  for (std::size_t i = 0; i < 10; ++i) {
    rows(i, labels[i]) = 0.75f;
    rows(i, (labels[i] + 1) % 3) = 0.25f;
  }
  return rows;
}

Reals logarithms(Reals rows) {
  for (float& value : rows.values()) {
    value = std::log(std::max(value, 1e-7f));
  }
  return rows;
}

struct File {
  TemporaryFolder folder;
  std::filesystem::path path = folder / "logits.npy";

  data::TeacherLogitsTable load(const Reals& rows) const {
    data::save_npy(path, rows);
    return data::load_teacher_logits(path);
  }
};

const std::string are_probabilities =
    ": rows are probabilities, none below 0 and with the sum 1, expected logits: save numpy.log of them (as_logits() "
    "takes them as they are)";

}  // namespace

TEST_CASE("A file of probabilities is refused for classes, and passes where it is taken for logits", "[data]") {
  const File file;
  const data::Dataset data = turns();
  const auto table = file.load(probabilities());
  const auto refusal = [&](const data::TeacherLogitsTable& of) {
    return message_of<OptionError>([&] { of.require_made_for(data, {}, {}, 3); });
  };
  CHECK(refusal(table) == path_text(file.path) + are_probabilities);
  CHECK(message_of<OptionError>([&] { table.require_logits(); }) == refusal(table));
  CHECK_NOTHROW(table.as_logits().require_made_for(data, {}, {}, 3));
  CHECK((table.as_logits().logits() == probabilities()));
  CHECK(refusal(data::TeacherLogitsTable(probabilities(), data)) == "teacher logits" + are_probabilities);
  CHECK_NOTHROW(file.load(logarithms(probabilities())).require_made_for(data, {}, {}, 3));

  // As float16 rounds them, and hard answers.
  Reals rounded = probabilities();
  rounded(3, 0) = 0.7504883f;
  CHECK(contains(refusal(file.load(rounded)), "are probabilities"));
  Reals hard(10, 3);
  for (std::size_t i = 0; i < 10; ++i) {
    hard(i, data.labels()[i]) = 1;
  }
  CHECK(contains(refusal(file.load(hard)), "are probabilities"));
}

TEST_CASE("One row that is no probabilities makes a table one of logits", "[data]") {
  const data::Dataset data = turns();
  for (const float value : {-0.001f, 0.7475f, 0.7525f}) {
    Reals rows = probabilities();
    rows(9, 0) = value;
    rows(9, 2) = value < 0 ? 0.001f : 0.0f;
    CAPTURE(value);
    CHECK_NOTHROW(data::TeacherLogitsTable(rows, data).require_made_for(data, {}, {}, 3));
  }
  // A single class: each of its probabilities is 1.
  const data::Dataset one{Reals(2, 1), data::Labels{0, 0}, 1};
  CHECK_NOTHROW(data::TeacherLogitsTable(Reals{{1}, {1}}, one).require_made_for(one, {}, {}, 1));
}

TEST_CASE("A training of classes refuses probabilities, one of targets takes them", "[data]") {
  const File file;
  const auto table = file.load(probabilities());
  const FitOptions options{.epochs = 1, .batch_size = 5};
  Student student{Seed{1}};
  const data::Dataset unlabelled{turns().features()};  // without classes: only the loss tells
  DistillationTrainer of_classes{table, student, HintonLoss{.hard_weight = 0}, Adam{}};
  CHECK(message_of<OptionError>([&] { of_classes.fit(unlabelled, options); }) ==
        path_text(file.path) + are_probabilities);
  CHECK(contains(message_of<OptionError>([&] { of_classes.fit(turns(), options); }), "are probabilities"));
  DistillationTrainer taken{table.as_logits(), student, HintonLoss{}, Adam{}};
  CHECK_NOTHROW(taken.fit(turns(), options));

  // Shares of a whole are real outputs as good as any.
  DistillationTrainer of_targets{table, student, TowardsTeacher{MeanSquaredError{}}, Adam{}};
  CHECK_NOTHROW(of_targets.fit(unlabelled, options));
  CHECK_NOTHROW(of_targets.fit(turns().with_targets(Reals(10, 3)), options));
}

TEST_CASE("An ensemble with a table of probabilities is refused", "[data]") {
  const data::Dataset data = turns();
  const data::TeacherLogitsTable logits(logarithms(probabilities()), data);
  const data::TeacherLogitsTable wrong(probabilities(), data);
  CHECK(message_of<OptionError>([&] { data::ensemble_logits({logits, wrong}, 2); }) ==
        "ensemble_logits: table 1" + are_probabilities);
  CHECK_NOTHROW(data::ensemble_logits({logits, wrong.as_logits()}, 2).require_made_for(data, {}, {}, 3));
  CHECK_NOTHROW(data::ensemble_logits({wrong.as_logits()}, 2).require_made_for(data, {}, {}, 3));
}
