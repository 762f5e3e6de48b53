// SPDX-License-Identifier: MIT
#pragma once
/// @file
/// One sentence for every hyperparameter outside its range.

#include <string>
#include <string_view>

#include "retort/core/error.hpp"
#include "retort/core/instruction_set.hpp"
#include "retort/core/text.hpp"

namespace retort::inline RETORT_INSTRUCTION_SET {

/// Throws OptionError "OWNER: OPTION is VALUE, expected RANGE" unless `accepted`. Write `accepted` so that it is false
/// for NaN: `value > 0`, not `!(value <= 0)`.
inline void require_option(bool accepted, std::string_view owner, std::string_view option, const TextPart& value,
                           std::string_view range) {
  if (!accepted) {
    throw OptionError(concatenate({owner, ": ", option, " is ", value.text(), ", expected ", range}));
  }
}

}  // namespace retort::inline RETORT_INSTRUCTION_SET
