// SPDX-License-Identifier: MIT
#pragma once
/// @file
/// The closing table.

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "retort/train/metrics.hpp"

namespace distill_mnist {

struct ReportRow {
  std::string name;
  std::size_t parameters = 0;
  retort::Evaluation evaluation{};
  double seconds = 0.0;  ///< of training; 0 for a network that was loaded
  std::uintmax_t bytes = 0;
  double microseconds_per_image = 0.0;
};

/// Prints one line for each network. The speed-up is of inference, over the first row.
void print_report(const std::vector<ReportRow>& rows);

}  // namespace distill_mnist
