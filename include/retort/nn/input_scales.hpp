// SPDX-License-Identifier: MIT
#pragma once
/// @file
/// How raw features become a network's inputs, in float, for programs that have nothing of this library.

#include <cmath>
#include <cstddef>
#include <vector>

#include "retort/core/error.hpp"
#include "retort/core/float_bits.hpp"
#include "retort/core/instruction_set.hpp"
#include "retort/core/text.hpp"
#include "retort/nn/preprocessing.hpp"

namespace retort::inline RETORT_INSTRUCTION_SET::internal {

/// Feature i becomes (x - centers[i] - rests[i]) * factors[i]. The vectors have one entry for all features, or one for
/// each; `rests`, what a center loses as a float, are left out where no float near 1 would show them.
struct InputScales {
  std::vector<float> centers{};
  std::vector<float> rests{};
  std::vector<float> factors{};

  bool by_columns() const { return centers.size() > 1; }
  std::size_t entry(std::size_t feature) const { return by_columns() ? feature : 0; }
  float rest(std::size_t feature) const { return rests.empty() ? 0.0f : rests[entry(feature)]; }
};

/// Those of a network with that many inputs, with factors `scale` times as large. Throws Error for a normalisation that
/// float cannot compute.
[[gnu::cold]] inline InputScales input_scales(const Preprocessing& from, std::size_t inputs, double scale) {
  constexpr double farthest = 0x1p120;  // of the inputs that are numbers up to 512
  const double unit = from.bytes ? 255.0 : 1.0;
  const bool by_columns = !from.column_means.empty();
  InputScales result;
  bool has_rests = false;
  for (std::size_t i = 0; i < (by_columns ? inputs : 1); ++i) {
    const double deviation = by_columns ? from.column_deviations[i] : 1.0;
    const double mean = by_columns ? from.column_means[i] : 0.0;
    const double center = mean + from.mean * unit * deviation;
    const double factor = scale / (from.standard_deviation * unit * deviation);
    if (!is_finite_float(factor) || !is_finite_float(center) || !(std::abs(center) + 512 / factor < farthest)) {
      throw Error(concatenate({"inputs: they are ", describe_inputs(from),
                               ", expected means and deviations with which ", "float can compute"}));
    }
    const double rest = center - static_cast<double>(static_cast<float>(center));
    has_rests = has_rests || std::abs(rest * factor) > 0x1p-24 * scale;
    result.centers.push_back(static_cast<float>(center));
    result.rests.push_back(static_cast<float>(rest));
    result.factors.push_back(static_cast<float>(factor));
  }
  if (!has_rests) {
    result.rests.clear();
  }
  return result;
}

}  // namespace retort::inline RETORT_INSTRUCTION_SET::internal
