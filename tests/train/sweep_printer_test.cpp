// SPDX-License-Identifier: MIT
#include "retort/train/sweep_printer.hpp"

#include <cstddef>
#include <cstdio>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "catch.hpp"
#include "retort/train/sweep_setting.hpp"
#include "terminal.hpp"

namespace {

using namespace retort;

const EpochMetrics epoch{.accuracy = 0.5, .errors = 50, .seconds = 0.25};
const StudentReport student{.description = "HintonLoss(temperature=2, hard_weight=0.3), seed 1",
                            .difference = "temperature=2, seed 1",
                            .history = {epoch, epoch},
                            .evaluation = Evaluation{.accuracy = 0.9, .errors = 10}};

TEST_CASE("A sweep's progress is one line a student", "[train]") {
  const std::unique_ptr<std::FILE, int (*)(std::FILE*)> file(std::tmpfile(), &std::fclose);
  REQUIRE(file != nullptr);
  SweepPrinter printer(file.get());
  StudentReport report = student;
  printer.on_student_end(report, {1, 3, 60.0});
  report.evaluation = std::nullopt;
  printer.on_student_end(report, {2, 4, 60.0});
  report.history.back().accuracy.reset();  // no sample had a label
  report.history.back().errors.reset();
  printer.on_student_end(report, {3, 4, 60.0});
  report.divergence = "training has diverged";
  report.history.clear();
  printer.on_student_end(report, {4, 4, 60.0});
  std::string text(static_cast<std::size_t>(std::ftell(file.get())), '\0');
  std::rewind(file.get());
  REQUIRE(std::fread(text.data(), 1, text.size(), file.get()) == text.size());
  CHECK(text ==
        "student 1/3  accuracy 90.00 %  errors 10  temperature=2, seed 1  2:00 left  0.50 s\n"
        "student 2/4  accuracy 50.00 %  errors 50  temperature=2, seed 1  1:00 left  0.50 s\n"
        "student 3/4  temperature=2, seed 1  0:20 left  0.50 s\n"
        "student 4/4  diverged  temperature=2, seed 1  0.00 s\n");
}

TEST_CASE("A sweep's printer without a stream is refused", "[train]") {
  CHECK_THROWS_WITH(SweepPrinter(nullptr), "SweepPrinter: stream is null, expected one that is open, such as stdout");
}

TEST_CASE("On a terminal a student's line does not wrap", "[train]") {
  const auto line = [](unsigned columns) {
    const test::Terminal terminal(columns);
    SweepPrinter(terminal.stream()).on_student_end(student, {1, 3, 60.0});
    return terminal.printed();
  };
  CHECK(line(40) == "student 1/3  accuracy 90.00 %\r\n");
  CHECK(line(60) == "student 1/3  accuracy 90.00 %  errors 10  2:00 left\r\n");
  CHECK(line(80) == "student 1/3  accuracy 90.00 %  errors 10  temperature=2, seed 1  2:00 left\r\n");
  CHECK(line(120) == "student 1/3  accuracy 90.00 %  errors 10  temperature=2, seed 1  2:00 left  0.50 s\r\n");
}

TEST_CASE("What students share is not said of each", "[train]") {
  using detail::setting_differences;
  CHECK(
      setting_differences({"HintonLoss(temperature=1, hard_weight=0.3), Adam(learning_rate=0.1), seed 0",
                           "HintonLoss(temperature=1, hard_weight=0.5), Adam(learning_rate=0.1), seed 0",
                           "HintonLoss(temperature=1, hard_weight=0.3), Adam(learning_rate=0.1), teacher 1, seed 0"}) ==
      std::vector<std::string>{"hard_weight=0.3", "hard_weight=0.5", "hard_weight=0.3, teacher 1"});
  CHECK(setting_differences({"Loss(), Adam(a=1), seed 4"}) == std::vector<std::string>{""});
  CHECK(setting_differences({"Loss(a=1)", "Loss(a=2)"}) == std::vector<std::string>{"a=1", "a=2"});
  CHECK(setting_differences({"0.5 * A(a=1) + 0.5 * B(a=1), seed 0", "0.5 * A(a=2) + 1e+30 * B(a=1), seed 0"}) ==
        std::vector<std::string>{"a[0]=1, 0.5 * B", "a[0]=2, 1e+30 * B"});
  // Neither of the two is lost where they change places.
  CHECK(setting_differences({"A(t=2, w=0) + A(t=4, w=0), seed 0", "A(t=4, w=0) + A(t=2, w=0), seed 0"}) ==
        std::vector<std::string>{"t[0]=2, t[1]=4", "t[0]=4, t[1]=2"});
  CHECK(setting_differences({}).empty());
}

}  // namespace
