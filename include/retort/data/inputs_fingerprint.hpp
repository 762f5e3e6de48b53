// SPDX-License-Identifier: MIT
#pragma once
/// @file
/// What a teacher's answers belong to, as a number.

#include <cstdint>
#include <span>

#include "retort/core/fingerprint.hpp"
#include "retort/core/instruction_set.hpp"
#include "retort/data/augment.hpp"
#include "retort/data/dataset.hpp"

namespace retort::inline RETORT_INSTRUCTION_SET::data::detail {

/// Of all that a teacher's answers belong to: samples, their order, and their views if they are augmented.
inline std::uint64_t inputs_fingerprint(const Dataset& data, const Augmentation& augmentation, Views views) {
  const std::uint64_t samples = data.fingerprint();
  if (!augmentation.is_set()) {
    return samples;
  }
  const std::uint64_t numbers[] = {samples, augmentation.shift, views.count, views.seed.value};
  Fingerprint fingerprint;
  fingerprint.add(std::span<const std::uint64_t>(numbers));
  if (augmentation.distorts()) {
    const double amounts[] = {augmentation.rotation, augmentation.scale, augmentation.shear, augmentation.noise};
    fingerprint.add(std::span<const double>(amounts));
  }
  if (augmentation.elastic != 0.0) {  // else tables of before there was one would belong to nothing
    const double amounts[] = {augmentation.elastic, augmentation.elastic_sigma};
    fingerprint.add(std::span<const double>(amounts));
  }
  if (augmentation.mix != 0.0) {
    fingerprint.add(std::span<const double>(&augmentation.mix, 1));
  }
  return fingerprint.value();
}

}  // namespace retort::inline RETORT_INSTRUCTION_SET::data::detail
