// SPDX-License-Identifier: MIT
#include "retort/train/json_lines_log.hpp"

#include <algorithm>
#include <cstddef>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

#include "catch.hpp"
#include "retort/core/error.hpp"
#include "temporary_folder.hpp"

namespace {

using namespace retort;

EpochMetrics metrics(std::size_t epoch, bool validated = false) {
  EpochMetrics result{.epoch = epoch,
                      .learning_rate = 2e-4,
                      .loss = 1.0 / 3.0,
                      .accuracy = 0.5,
                      .errors = 30,
                      .seconds = 1.25,
                      .samples_per_second = 48.0};
  if (validated) {
    result.validation = Evaluation{.loss = 9.0, .accuracy = 0.75, .errors = 10};
  }
  return result;
}

std::vector<nlohmann::json> lines_of(const std::filesystem::path& path) {
  const std::string text = test::read_file(path);
  CHECK((text.empty() || text.back() == '\n'));
  std::vector<nlohmann::json> lines;
  std::istringstream stream(text);
  for (std::string line; std::getline(stream, line);) {
    lines.push_back(nlohmann::json::parse(line));
  }
  return lines;
}

TEST_CASE("A line holds an epoch's figures, to the last bit", "[train]") {
  const test::TemporaryFolder folder;
  JsonLinesLog log(folder / "log.jsonl");
  JsonLinesObserver observer(log, "teacher");
  observer.on_fit_begin({}, 2);
  CHECK(lines_of(folder / "log.jsonl").empty());
  observer.on_epoch_end(metrics(1), 2);
  const auto lines = lines_of(folder / "log.jsonl");
  REQUIRE(lines.size() == 1);
  CHECK(lines[0].at("phase") == "teacher");
  CHECK(lines[0].at("epoch") == 1);
  CHECK(lines[0].at("loss").get<double>() == 1.0 / 3.0);
  CHECK(lines[0].at("accuracy") == 0.5);
  CHECK(lines[0].at("errors") == 30);
  CHECK(lines[0].at("seconds") == 1.25);
  CHECK(lines[0].at("learning_rate") == 2e-4);
  CHECK(lines[0].at("samples_per_second") == 48.0);
  CHECK(lines[0].size() == 8);
}

TEST_CASE("Held-out figures take the place of training's", "[train]") {
  const test::TemporaryFolder folder;
  JsonLinesLog log(folder / "log.jsonl");
  JsonLinesObserver observer(log, "student");
  observer.on_epoch_end(metrics(1, true), 1);
  const auto lines = lines_of(folder / "log.jsonl");
  REQUIRE(lines.size() == 1);
  CHECK(lines[0].at("loss").get<double>() == 1.0 / 3.0);
  CHECK(lines[0].at("accuracy") == 0.75);
  CHECK(lines[0].at("errors") == 10);
}

TEST_CASE("Where no sample has a label accuracy and errors are null", "[train]") {
  const test::TemporaryFolder folder;
  JsonLinesLog log(folder / "log.jsonl");
  EpochMetrics unlabelled = metrics(1);
  unlabelled.accuracy.reset();
  unlabelled.errors.reset();
  log.append("student", unlabelled);
  const auto lines = lines_of(folder / "log.jsonl");
  REQUIRE(lines.size() == 1);
  CHECK(lines[0].at("accuracy").is_null());
  CHECK(lines[0].at("errors").is_null());
  CHECK(lines[0].size() == 8);
}

TEST_CASE("The phases of a program follow one another, also after a resume", "[train]") {
  const test::TemporaryFolder folder;
  const auto run = [&](const History& restored_teacher, const History& restored_student) {
    JsonLinesLog log(folder / "log.jsonl");
    JsonLinesObserver teacher(log, "teacher");
    teacher.on_fit_begin(restored_teacher, 2);
    for (std::size_t epoch = restored_teacher.size() + 1; epoch <= 2; ++epoch) {
      teacher.on_epoch_end(metrics(epoch), 2);
    }
    JsonLinesObserver student(log, "student");
    student.on_fit_begin(restored_student, 3);
    for (std::size_t epoch = restored_student.size() + 1; epoch <= 3; ++epoch) {
      student.on_epoch_end(metrics(epoch), 3);
    }
    return test::read_file(folder / "log.jsonl");
  };
  const std::string straight = run({}, {});
  CHECK(run({metrics(1), metrics(2)}, {metrics(1)}) == straight);
  CHECK(run({metrics(1)}, {}) == straight);
  const auto lines = lines_of(folder / "log.jsonl");
  REQUIRE(lines.size() == 5);
  CHECK(lines[1].at("phase") == "teacher");
  CHECK(lines[2].at("phase") == "student");
  CHECK(lines[2].at("epoch") == 1);
}

TEST_CASE("A log that is ahead of its checkpoint, behind it or not there ends with the same epochs", "[train]") {
  const test::TemporaryFolder folder;
  const History done{metrics(1), metrics(2)};
  // A first phase of three epochs, of which two are in the checkpoint, then another.
  const auto go_on = [&](const std::string& found) {
    test::write_file(folder / "log.jsonl", found);
    JsonLinesLog log(folder / "log.jsonl");
    JsonLinesObserver teacher(log, "teacher");
    teacher.on_fit_begin(done, 3);
    const std::string begun = test::read_file(folder / "log.jsonl");
    teacher.on_epoch_end(metrics(3), 3);
    JsonLinesObserver student(log, "student");
    student.on_fit_begin({}, 1);
    student.on_epoch_end(metrics(1), 1);
    return std::pair(begun, test::read_file(folder / "log.jsonl"));
  };
  const auto [two, straight] = go_on("");
  CHECK(std::ranges::count(two, '\n') == 2);
  CHECK(std::ranges::count(straight, '\n') == 4);
  // Ahead: what comes after the checkpoint stays until there is something better.
  CHECK(go_on(straight) == std::pair(straight, straight));
  const std::string torn = straight.substr(0, straight.size() - 20);
  CHECK(go_on(torn) == std::pair(torn, straight));
  // Behind, by an epoch or a part of one, and of another run.
  for (const std::string& found :
       {two.substr(0, two.size() / 2), two.substr(0, two.size() - 1), std::string("{}\n{}\n{}\n")}) {
    CHECK(go_on(found) == std::pair(two, straight));
  }
}

TEST_CASE("A run that begins anew replaces an older log", "[train]") {
  const test::TemporaryFolder folder;
  test::write_file(folder / "log.jsonl", "old\n");
  JsonLinesLog log(folder / "log.jsonl");
  CHECK(test::read_file(folder / "log.jsonl") == "old\n");
  JsonLinesObserver observer(log, "teacher");
  observer.on_fit_begin({}, 1);
  CHECK(test::read_file(folder / "log.jsonl").empty());
}

TEST_CASE("An epoch is appended: what was written stays where it is", "[train]") {
  const test::TemporaryFolder folder;
  JsonLinesLog log(folder / "log.jsonl");
  JsonLinesObserver observer(log, "teacher");
  observer.on_fit_begin({}, 3);
  observer.on_epoch_end(metrics(1), 3);
  // A log that is written anew is another file.
  std::filesystem::create_hard_link(folder / "log.jsonl", folder / "first");
  observer.on_epoch_end(metrics(2), 3);
  observer.on_epoch_end(metrics(3), 3);
  CHECK(std::filesystem::equivalent(folder / "log.jsonl", folder / "first"));
  CHECK(std::ranges::count(test::read_file(folder / "first"), '\n') == 3);
}

TEST_CASE("A log that cannot be written is a FileError", "[train]") {
  const test::TemporaryFolder folder;
  JsonLinesLog log(folder / "missing/log.jsonl");
  JsonLinesObserver observer(log, "teacher");
  CHECK_THROWS_AS(observer.on_fit_begin({}, 1), FileError);
}

}  // namespace
