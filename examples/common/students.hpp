// SPDX-License-Identifier: MIT
#pragma once
/// @file
/// The students of a program that has several types of them.

#include <algorithm>
#include <cstddef>
#include <span>
#include <string>
#include <variant>
#include <vector>

#include "retort/data/dataset.hpp"
#include "retort/train/evaluate.hpp"

namespace examples {

/// The places in `names` of those wanted, each once, in the order of `names`; all of them where none is named.
inline std::vector<std::size_t> places_of(std::span<const char* const> names, const std::vector<std::string>& wanted) {
  std::vector<std::size_t> places;
  for (std::size_t place = 0; place < names.size(); ++place) {
    if (wanted.empty() || std::ranges::find(wanted, names[place]) != wanted.end()) {
      places.push_back(place);
    }
  }
  return places;
}

/// The errors of a student, one of a sweep over a OneOfModels, on `data`.
template <typename Result>
std::size_t count_errors(const Result& student, const retort::data::Dataset& data) {
  return std::visit([&](const auto& network) { return retort::evaluate(network, data).errors; }, student.network);
}

}  // namespace examples
