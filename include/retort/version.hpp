// SPDX-License-Identifier: MIT
#pragma once
/// @file
/// The version of the library, stated here and nowhere else: both builds and the package files read it from this file.
/// Before 1.0 a new minor version may change the interface; a new patch version does not.

#include <string_view>

#include "retort/core/require_cxx20.hpp"

#define RETORT_VERSION_MAJOR 0
#define RETORT_VERSION_MINOR 2
#define RETORT_VERSION_PATCH 0

#define RETORT_DOTTED_TEXT(major, minor, patch) #major "." #minor "." #patch
#define RETORT_DOTTED(...) RETORT_DOTTED_TEXT(__VA_ARGS__)

namespace retort {  // for every instruction set

/// "MAJOR.MINOR.PATCH".
inline constexpr std::string_view version =
    RETORT_DOTTED(RETORT_VERSION_MAJOR, RETORT_VERSION_MINOR, RETORT_VERSION_PATCH);

}  // namespace retort

#undef RETORT_DOTTED
#undef RETORT_DOTTED_TEXT
