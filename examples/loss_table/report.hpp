// SPDX-License-Identifier: MIT
#pragma once
/// @file
/// The tables: a row for each loss and scheme, on the terminal and as a page.

#include <cstddef>
#include <filesystem>
#include <string>
#include <vector>

#include "common/comparison.hpp"

namespace loss_table {

/// All losses and schemes for one student. Their competitors' notes are the chosen settings.
struct Table {
  std::string student;
  std::size_t parameters = 0;
  std::size_t epochs = 0;
  std::size_t test_images = 0;
  examples::Comparison comparison;
};

void print(const Table& table);

/// Throws retort::FileError.
void write_report_page(const std::filesystem::path& path, std::size_t teacher_errors, const std::vector<Table>& tables);

}  // namespace loss_table
