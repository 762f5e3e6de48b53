// SPDX-License-Identifier: MIT
#include "ptx/emulated_device.hpp"

#include <cxxabi.h>

#include <cstdlib>
#include <cstring>
#include <memory>
#include <regex>
#include <string_view>
#include <typeinfo>
#include <vector>

#include "ptx/emulated_system.hpp"
#include "ptx/machine.hpp"

namespace retort::test::ptx {

namespace {

constexpr unsigned block_threads = 128;

/// A type's or a function's name, without spaces and without the name of an instruction set: nvcc's host compiler may
/// have been told of another one.
std::string readable(const char* mangled) {
  const std::unique_ptr<char, void (*)(void*)> text(abi::__cxa_demangle(mangled, nullptr, nullptr, nullptr),
                                                    &std::free);
  std::string name =
      std::regex_replace(std::string(text ? text.get() : mangled), std::regex("retort::(x86|arm)\\w*::"), "retort::");
  std::erase(name, ' ');
  return name;
}

}  // namespace

EmulatedDevice& EmulatedDevice::get() {
  static EmulatedDevice device;
  return device;
}

void EmulatedDevice::load(const std::string& text) {
  module = read_module(text);
  for (auto& [name, constant] : module.constants) {
    memory.add(name, constant.bytes.data(), constant.bytes.size(), 1, GlobalMemory::Contents::constant);
  }
  for (const auto& [name, kernel] : module.kernels) {
    // "void retort::test::ptx::each<TYPE>(TYPE, unsigned long)"
    const std::string signature = readable(name.c_str());
    const std::string begin = "voidretort::test::ptx::each<";
    const std::string end = ",unsignedlong)";
    if (signature.starts_with(begin) && signature.ends_with(end)) {
      const std::size_t length = (signature.size() - begin.size() - end.size() - 2) / 2;
      programs.emplace(signature.substr(begin.size(), length), make_program(kernel, module));
    }
  }
}

void add_to_device(const void* data, std::size_t bytes, std::size_t cell_size) {
  EmulatedDevice::get().memory.add("an array of " + std::to_string(bytes) + " bytes",
                                   static_cast<std::byte*>(const_cast<void*>(data)), bytes, cell_size,
                                   GlobalMemory::Contents::uninitialized);
}

void remove_from_device(const void* data, std::size_t bytes) {
  EmulatedDevice::get().memory.remove(static_cast<const std::byte*>(data), bytes);
}

void mark_written(const void* data, std::size_t bytes) {
  if (bytes > 0) {
    EmulatedDevice::get().memory.mark_written(static_cast<const std::byte*>(data), bytes);
  }
}

void launch_each(const std::type_info& type, const void* function, std::size_t count) {
  EmulatedDevice& device = EmulatedDevice::get();
  const std::string name = readable(type.name());
  const auto found = device.programs.find(name);
  if (found == device.programs.end()) {
    throw PtxError("the module has no kernel for " + name);
  }
  ++device.launches[name];
  const Program& program = found->second;
  const Area& parameters = program.kernel.parameters;
  const std::size_t place_of_count = parameters.places.at(program.kernel.name + "_param_1");
  std::vector<std::byte> values(parameters.bytes);
  std::memcpy(values.data(), function, place_of_count);
  std::memcpy(values.data() + place_of_count, &count, sizeof(count));
  const auto blocks = static_cast<unsigned>((count + block_threads - 1) / block_threads);
  const Outcome outcome = launch(program, {.blocks = blocks, .threads = block_threads}, values.data(), device.memory);
  device.findings.add(outcome.findings);
}

}  // namespace retort::test::ptx
