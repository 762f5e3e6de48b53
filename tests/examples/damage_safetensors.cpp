// SPDX-License-Identifier: MIT
/// damage_safetensors SOURCE TARGET missing|extra|misshaped|nan|weights
/// Copies a safetensors file with one thing wrong in it, each time in the first tensor or beside it. `weights` changes
/// signs: still a valid file, whose example no longer gives its logits.

#include <cstddef>
#include <cstdio>
#include <cstring>
#include <exception>
#include <limits>
#include <stdexcept>
#include <string>
#include <vector>

#include "retort/io/safetensors_file.hpp"

namespace {

void damage(const char* source, const char* target, const std::string& how) {
  using retort::io::Tensor;
  const retort::io::SafetensorsFile file = retort::io::SafetensorsFile::read(source);
  std::vector<Tensor> tensors(file.tensors().begin(), file.tensors().end());
  std::vector<float> values(tensors.front().count());
  file.copy_to(tensors.front(), std::span{values});
  const auto replace_values = [&] {
    tensors.front() = Tensor::of<float>(tensors.front().name, tensors.front().shape, values);
  };
  if (how == "missing") {
    tensors.erase(tensors.begin());
  } else if (how == "extra") {
    tensors.push_back(Tensor::of<float>("surplus", {tensors.front().count()}, values));
  } else if (how == "misshaped") {
    tensors.front().shape = {tensors.front().count()};
  } else if (how == "nan") {
    values[1] = std::numeric_limits<float>::quiet_NaN();
    replace_values();
  } else if (how == "weights") {
    for (float& value : values) {
      value = -value;
    }
    replace_values();
  } else {
    throw std::invalid_argument(how + ": expected missing, extra, misshaped, nan or weights");
  }
  retort::io::write_safetensors(target, tensors, file.metadata());
}

}  // namespace

int main(int argc, char** argv) {
  try {
    if (argc != 4) {
      std::fprintf(stderr, "usage: damage_safetensors SOURCE TARGET missing|extra|misshaped|nan|weights\n");
      return 2;
    }
    damage(argv[1], argv[2], argv[3]);
    return 0;
  } catch (const std::exception& error) {
    std::fprintf(stderr, "damage_safetensors: %s\n", error.what());
    return 1;
  }
}
