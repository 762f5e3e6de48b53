// SPDX-License-Identifier: MIT
#pragma once
/// @file
/// The run as a page: curves, tables, and what the distilled student gets wrong.

#include "options.hpp"
#include "report.hpp"
#include "retort/data/dataset.hpp"

namespace distill_mnist {

/// Writes the page to `options.report`. Two equal runs write equal pages but for the seconds. Throws retort::FileError.
void write_report_page(const Options& options, const Report& report, const retort::data::Dataset& held_out);

}  // namespace distill_mnist
