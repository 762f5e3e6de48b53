// SPDX-License-Identifier: MIT
#pragma once
/// @file
/// Numbers as people read them.

#include <cstddef>
#include <string>

namespace examples {

/// 2395210 as "2,395,210".
std::string with_separators(std::size_t number);

/// 0.12345 with 2 digits behind the point as "0.12".
std::string fixed(double value, int digits);

}  // namespace examples
