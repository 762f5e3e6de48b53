// SPDX-License-Identifier: MIT
#pragma once
/// @file
/// The table: a row for each loss and scheme, on the terminal and as a page.

#include <cstddef>
#include <filesystem>
#include <string>
#include <vector>

#include "retort/core/statistics.hpp"

namespace loss_table {

/// What the students of one loss or scheme make of the test images.
struct Row {
  std::string loss;     ///< or scheme
  std::string setting;  ///< the chosen one
  retort::Statistics errors;
  double fewest_errors = 0.0;
  retort::Statistics more_than_alone;  ///< of students of equal seeds
  double p = 1.0;                      ///< of these differences
};

/// `errors` and `alone`, those of the students alone, by seed.
Row make_row(std::string loss, std::string setting, const std::vector<double>& errors,
             const std::vector<double>& alone);

/// All rows for one student.
struct Table {
  std::string student;
  std::size_t parameters = 0;
  std::size_t epochs = 0;
  std::size_t test_images = 0;
  std::vector<Row> rows{};  ///< the first is the student alone
};

void print(const Table& table);

/// Throws retort::FileError.
void write_report_page(const std::filesystem::path& path, std::size_t teacher_errors, const std::vector<Table>& tables);

}  // namespace loss_table
