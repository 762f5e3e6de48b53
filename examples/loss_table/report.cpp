// SPDX-License-Identifier: MIT
#include "report.hpp"

#include <algorithm>
#include <cstdio>
#include <utility>

#include "common/number_text.hpp"
#include "common/page.hpp"
#include "retort/core/text.hpp"

namespace loss_table {

namespace {

using examples::counted;
using examples::fixed;
using examples::with_separators;

std::string mean_and_deviation(const retort::Statistics& statistics) {
  return fixed(statistics.mean, 1) + " \u00B1 " + fixed(statistics.standard_deviation, 1);
}

std::string section_of(const Table& table) {
  using examples::Column;
  examples::Table markup(retort::concatenate({"Errors of ", with_separators(table.test_images),
                                              " test images, means and standard deviations over ",
                                              counted(table.rows.front().errors.count, "seed")}),
                         {{"loss or scheme", Column::Kind::text},
                          {"errors"},
                          {"fewest"},
                          {"more than alone"},
                          {"p"},
                          {"chosen setting", Column::Kind::text}});
  for (const Row& row : table.rows) {
    const bool is_alone = &row == &table.rows.front();
    markup.add_row({row.loss, mean_and_deviation(row.errors), fixed(row.fewest_errors, 0),
                    is_alone ? "" : mean_and_deviation(row.more_than_alone), is_alone ? "" : fixed(row.p, 4),
                    row.setting});
  }
  return examples::section(retort::concatenate({table.student, ", ", with_separators(table.parameters), " parameters"}),
                           markup.markup());
}

}  // namespace

Row make_row(std::string loss, std::string setting, const std::vector<double>& errors,
             const std::vector<double>& alone) {
  std::vector<double> more(errors.size());
  std::ranges::transform(errors, alone, more.begin(), [](double x, double y) { return x - y; });
  return {.loss = std::move(loss),
          .setting = std::move(setting),
          .errors = retort::statistics(errors),
          .fewest_errors = *std::ranges::min_element(errors),
          .more_than_alone = retort::statistics(more),
          .p = retort::sign_flip_p_value(more)};
}

void print(const Table& table) {
  std::printf("\n%s, %zu parameters, %zu epochs: errors of %zu, mean and deviation over %s\n", table.student.c_str(),
              table.parameters, table.epochs, table.test_images,
              counted(table.rows.front().errors.count, "seed").c_str());
  std::printf("%-18s %15s  %5s  %16s  %6s  %s\n", "", "errors", "best", "more than alone", "p", "chosen setting");
  for (const Row& row : table.rows) {
    std::printf("%-18s %6.1f +- %5.1f  %5.0f", row.loss.c_str(), row.errors.mean, row.errors.standard_deviation,
                row.fewest_errors);
    if (&row == &table.rows.front()) {
      std::printf("  %16s  %6s", "", "");
    } else {
      std::printf("  %7.1f +- %5.1f  %6.4f", row.more_than_alone.mean, row.more_than_alone.standard_deviation, row.p);
    }
    std::printf("  %s\n", row.setting.c_str());
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
