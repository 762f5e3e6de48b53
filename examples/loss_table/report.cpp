// SPDX-License-Identifier: MIT
#include "report.hpp"

#include <algorithm>
#include <cstdio>
#include <optional>

#include "common/number_text.hpp"
#include "common/page.hpp"
#include "retort/core/statistics.hpp"
#include "retort/core/text.hpp"

namespace loss_table {

namespace {

using examples::counted;
using examples::with_separators;

std::size_t seeds_of(const Table& table) { return table.comparison.competitors().front().errors.size(); }

std::string section_of(const Table& table) {
  return examples::section(
      retort::concatenate({table.student, ", ", with_separators(table.parameters), " parameters"}),
      table.comparison.markup(retort::concatenate({"Errors of ", with_separators(table.test_images),
                                                   " test images, means and standard deviations over ",
                                                   counted(seeds_of(table), "seed")})));
}

}  // namespace

void print(const Table& table) {
  std::printf("\n%s, %zu parameters, %zu epochs: errors of %zu, mean and deviation over %s\n", table.student.c_str(),
              table.parameters, table.epochs, table.test_images, counted(seeds_of(table), "seed").c_str());
  std::printf("%-18s %15s  %5s  %16s  %6s  %s\n", "", "errors", "best", "more than alone", "p", "chosen setting");
  for (const examples::Competitor& competitor : table.comparison.competitors()) {
    const retort::Statistics errors = retort::statistics(competitor.errors);
    std::printf("%-18s %6.1f +- %5.1f  %5.0f", competitor.name.c_str(), errors.mean, errors.standard_deviation,
                std::ranges::min(competitor.errors));
    if (const std::optional<examples::Difference> difference = table.comparison.difference(competitor)) {
      std::printf("  %7.1f +- %5.1f  %6.4f", difference->more.mean, difference->more.standard_deviation, difference->p);
    } else {
      std::printf("  %16s  %6s", "", "");
    }
    std::printf("  %s\n", competitor.note.c_str());
  }
  std::fflush(stdout);
}

void write_report_page(const std::filesystem::path& path, std::size_t teacher_errors,
                       const std::vector<Table>& tables) {
  std::string body = examples::paragraph(retort::concatenate(
      {"Students of a teacher that makes ", with_separators(teacher_errors), " errors, trained for ",
       tables.front().epochs,
       " epochs. Each row has the setting that made the fewest errors on held-out training images. The differences "
       "are between students of equal seeds; p is that of their exact sign-flip test, two-sided."}));
  for (const Table& table : tables) {
    body += section_of(table);
  }
  examples::write_page(path, "loss_table", body);
}

}  // namespace loss_table
