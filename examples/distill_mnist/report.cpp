// SPDX-License-Identifier: MIT
#include "report.hpp"

#include <cstdio>
#include <optional>
#include <string>

#include "common/number_text.hpp"
#include "retort/core/size.hpp"
#include "retort/core/text.hpp"

namespace distill_mnist {

namespace {

using examples::with_separators;

std::string kilobytes(std::uintmax_t bytes) { return with_separators(retort::to_size((bytes + 512) / 1024)); }

/// "146.3x", or "-" without a teacher to compare with.
std::string speed(const ReportRow& row, const std::optional<ReportRow>& teacher) {
  if (!teacher) {
    return "-";
  }
  char text[32];
  std::snprintf(text, sizeof text, "%.1fx", teacher->microseconds_per_image / row.microseconds_per_image);
  return text;
}

void print_row(const ReportRow& row, const std::optional<ReportRow>& teacher) {
  std::printf("%-17s %10s %6.2f %% %6zu %10.2f %6s %8.3f %7s\n", row.name.c_str(),
              with_separators(row.parameters).c_str(), 100.0 * row.evaluation.accuracy, row.evaluation.errors,
              row.seconds, kilobytes(row.bytes).c_str(), row.microseconds_per_image, speed(row, teacher).c_str());
}

/// "225 errors fewer than alone (-23.3 %)".
std::string difference(std::size_t alone, std::size_t distilled) {
  const bool fewer = distilled < alone;
  const std::size_t apart = fewer ? alone - distilled : distilled - alone;
  std::string text = with_separators(apart) + (apart == 1 ? " error " : " errors ") + (fewer ? "fewer" : "more");
  text += " than alone";
  if (alone > 0) {
    char percent[32];
    std::snprintf(percent, sizeof percent, " (%c%.1f %%)", fewer ? '-' : '+',
                  100.0 * static_cast<double>(apart) / static_cast<double>(alone));
    text += percent;
  }
  return text;
}

}  // namespace

std::string comparison(const Report& report) {
  const std::size_t alone = report.alone.evaluation.errors;
  const std::size_t distilled = report.distilled.evaluation.errors;
  if (distilled == alone) {
    return retort::concatenate(
        {"In this run distillation changed nothing: both students make ", with_separators(alone), " errors."});
  }
  return retort::concatenate(
      {"In this run distillation ", distilled < alone ? "helped: " : "hurt: ", difference(alone, distilled), "."});
}

void print_report(const Report& report) {
  std::printf("recipe  %s: %s of %s training images for the students\n", report.recipe.c_str(),
              with_separators(report.student_images).c_str(), with_separators(report.training_images).c_str());
  std::printf("loss    %s\n        %.4f in the last epoch%s\n", report.loss.c_str(), report.last_loss,
              report.last_loss < 0.0 ? " (it may be negative: no fault of the run)" : "");
  if (!report.teacher_table.empty()) {
    std::printf("teacher %s\n", report.teacher_table.c_str());
  }
  std::printf("errors  of %s images held out\n\n", with_separators(report.held_out).c_str());
  std::printf("%-17s %10s %8s %6s %10s %6s %8s %7s\n", "", "parameters", "accuracy", "errors", "training s", "KiB",
              "us/image", "speed");
  if (report.teacher) {
    print_row(*report.teacher, report.teacher);
  }
  print_row(report.alone, report.teacher);
  print_row(report.distilled, report.teacher);
  std::printf("\n%s\n", comparison(report).c_str());
  std::printf("One run is one seed; examples/distill_mnist/over_seeds.py compares many.\n");
  std::fflush(stdout);
}

}  // namespace distill_mnist
