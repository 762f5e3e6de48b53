// SPDX-License-Identifier: MIT
#pragma once
/// @file
/// Defects planted in a kernel.

#include <cstddef>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "ptx/module.hpp"

namespace retort::test::ptx {

/// The statements whose text has `part`, in order.
inline std::vector<std::size_t> find_statements(const Kernel& kernel, std::string_view part) {
  std::vector<std::size_t> found;
  for (std::size_t i = 0; i < kernel.statements.size(); ++i) {
    if (kernel.statements[i].text().find(part) != std::string::npos) {
      found.push_back(i);
    }
  }
  return found;
}

inline Kernel without(Kernel kernel, std::size_t statement) {
  kernel.statements.erase(kernel.statements.begin() + static_cast<std::ptrdiff_t>(statement));
  for (auto& [name, place] : kernel.labels) {
    place -= place > statement ? 1 : 0;
  }
  return kernel;
}

/// With an operand replaced.
inline Kernel with_operand(Kernel kernel, std::size_t statement, std::size_t operand, std::string text) {
  kernel.statements.at(statement).operands.at(operand) = std::move(text);
  return kernel;
}

/// Only the lower half of a warp's lanes comes to the statement.
inline Kernel for_half_a_warp(Kernel kernel, std::size_t statement) {
  kernel.registers["%is_lower"] = 1;
  kernel.statements.at(statement).guard = "%is_lower";
  kernel.statements.insert(kernel.statements.begin(),
                           {.mnemonic = "setp.lt.u32", .operands = {"%is_lower", "%laneid", "16"}});
  for (auto& [name, place] : kernel.labels) {
    ++place;
  }
  return kernel;
}

/// The address of a load or a store, "[%r1+8]", with so many bytes added.
inline std::string moved_address(const std::string& address, long long bytes) {
  const std::string inner = address.substr(1, address.size() - 2);
  const std::size_t plus = inner.find('+');
  const long long offset = plus == std::string::npos ? 0 : std::stoll(inner.substr(plus + 1));
  return "[" + inner.substr(0, plus) + "+" + std::to_string(offset + bytes) + "]";
}

}  // namespace retort::test::ptx
