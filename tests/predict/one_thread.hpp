// SPDX-License-Identifier: MIT
#pragma once
/// @file
/// The operations of backend/generic on one thread: what predict.hpp is compared with, to the bit.

#include <cstddef>
#include <string>

#include "retort/backend/generic/host_memory.hpp"
#include "retort/backend/generic/inference.hpp"

namespace retort::test {

struct OneThread : backend::HostMemory, backend::Generic<OneThread> {
  static constexpr const char* name = "one thread";

  std::string describe() const { return name; }
  template <typename Function>
  void for_each(std::size_t count, const Function& function) const {
    for (std::size_t index = 0; index < count; ++index) {
      function(index);
    }
  }
};

}  // namespace retort::test
