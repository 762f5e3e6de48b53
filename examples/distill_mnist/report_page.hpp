// SPDX-License-Identifier: MIT
#pragma once
/// @file
/// The run as a page: curves and tables.

#include "options.hpp"
#include "report.hpp"

namespace distill_mnist {

/// Writes the page to `options.report`. Two equal runs write equal pages but for the seconds. Throws retort::FileError.
void write_report_page(const Options& options, const Report& report);

}  // namespace distill_mnist
