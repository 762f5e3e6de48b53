// SPDX-License-Identifier: MIT
#include "retort/train/sweep_printer.hpp"

#include <cstddef>
#include <cstdio>
#include <memory>
#include <optional>
#include <string>

#include "catch.hpp"

namespace {

using namespace retort;

TEST_CASE("A sweep's progress is one line a student", "[train]") {
  const std::unique_ptr<std::FILE, int (*)(std::FILE*)> file(std::tmpfile(), &std::fclose);
  REQUIRE(file != nullptr);
  SweepPrinter printer(file.get());
  const EpochMetrics epoch{.accuracy = 0.5, .errors = 50, .seconds = 0.25};
  StudentReport report{
      .description = "a setting", .history = {epoch, epoch}, .evaluation = Evaluation{.accuracy = 0.9, .errors = 10}};
  printer.on_student_end(report, {1, 3});
  report.evaluation = std::nullopt;
  printer.on_student_end(report, {2, 3});
  report.divergence = "training has diverged";
  report.history.clear();
  printer.on_student_end(report, {3, 3});
  std::string text(static_cast<std::size_t>(std::ftell(file.get())), '\0');
  std::rewind(file.get());
  REQUIRE(std::fread(text.data(), 1, text.size(), file.get()) == text.size());
  CHECK(text ==
        "student 1/3  accuracy 90.00 %  errors 10  0.50 s  a setting\n"
        "student 2/3  accuracy 50.00 %  errors 50  0.50 s  a setting\n"
        "student 3/3  diverged  0.00 s  a setting\n");
}

}  // namespace
