// SPDX-License-Identifier: MIT
// A backend that lacks operations: the compiler names the concept, and the first operation that is missing.
// expect: InfersLayer

#include <string>

#include "retort/retort.hpp"

struct Device : retort::backend::HostMemory {
  static constexpr const char* name = "device";
  std::string describe() const { return name; }
};

using Model = retort::Sequential<retort::Linear<8, 4>>;

void train(retort::Network<Model, Device>& network) {
  retort::Trainer{network, retort::CrossEntropy{}, retort::Adam{}};
}
