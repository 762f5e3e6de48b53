// SPDX-License-Identifier: MIT
#pragma once
/// @file
/// What runs on the device of emulated_system.hpp.

#include <cstddef>
#include <map>
#include <string>

#include "ptx/memory.hpp"
#include "ptx/module.hpp"
#include "ptx/program.hpp"

namespace retort::test::ptx {

/// The kernels of a module, each launched by its function object's type.
struct EmulatedDevice {
  Module module;
  std::map<std::string, Program> programs;  // by the object's type
  GlobalMemory memory;
  Findings findings;
  std::map<std::string, std::size_t> launches;  // by the object's type

  /// The only one.
  static EmulatedDevice& get();
  /// Takes over the kernels `each` of a module. Throws PtxError.
  void load(const std::string& text);
};

}  // namespace retort::test::ptx
