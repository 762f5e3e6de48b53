#pragma once
/// @file
/// What the job learns from.

#include <utility>

#include "options.hpp"
#include "retort/data/dataset.hpp"

namespace distill_mnist {

/// The training samples and those that results are reported on. Throws retort::FileError and retort::FormatError.
std::pair<retort::data::Dataset, retort::data::Dataset> load_data(const Options& options);

}  // namespace distill_mnist
