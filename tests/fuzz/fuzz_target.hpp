// SPDX-License-Identifier: MIT
#pragma once
/// @file
/// What the fuzz targets share. A target is one source file NAME_fuzz.cpp with LLVMFuzzerTestOneInput, as libFuzzer
/// calls it, and the seeds it starts from. It stops the program where a property does not hold; replay.cpp runs the
/// seeds without libFuzzer.

#include <algorithm>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

#include "retort/core/error.hpp"
#include "temporary_folder.hpp"

// libFuzzer's interface (llvm.org/docs/LibFuzzer.html). `LLVMFuzzerCustomMutator` is there where a target defines it;
// replay.cpp brings a `LLVMFuzzerMutate` of its own.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);
extern "C" std::size_t LLVMFuzzerMutate(std::uint8_t* data, std::size_t size, std::size_t max_size);
extern "C" [[gnu::weak]] std::size_t LLVMFuzzerCustomMutator(std::uint8_t* data, std::size_t size, std::size_t max_size,
                                                             unsigned seed);

namespace retort::fuzz {

struct Seed {
  std::string name;
  std::string bytes;
};

/// Defined by each target: files as their writers write them, each limit of the format, and every input that once
/// failed, under a name that says what it is.
std::vector<Seed> seeds();

/// The most bytes that a reader which takes a limit is given.
inline constexpr std::uint64_t size_limit = 1 << 20;

/// Bytes of an error's 4,000 characters and the dots after them.
inline constexpr std::size_t longest_error = 4 * 4'000 + 3;

/// Stops the program unless `holds`, as a sanitizer would.
inline void require(bool holds, std::string_view property) {
  if (!holds) {
    std::fprintf(stderr, "does not hold: %.*s\n", static_cast<int>(property.size()), property.data());
    std::abort();
  }
}

/// What `read` returns, or nothing where it throws an Error; whatever else it throws ends the program. An error's text
/// is one line that a terminal can show, however long and odd the input.
template <std::invocable Read>
auto accepted(const Read& read) -> std::optional<std::invoke_result_t<Read>> {
  try {
    return read();
  } catch (const Error& error) {
    const std::string_view text = error.what();
    const auto is_control = [](char letter) { return static_cast<unsigned char>(letter) < ' ' || letter == '\x7F'; };
    require(!text.empty() && std::ranges::none_of(text, is_control), "an error is one line without control characters");
    require(text.size() <= longest_error, "an error is at most 4,000 characters");
    return std::nullopt;
  }
}

inline std::string_view text_of(const std::uint8_t* data, std::size_t size) {
  return {reinterpret_cast<const char*>(data), size};
}

/// The bytes of a number as they lie in memory.
template <typename Number>
std::string bytes_of(const Number& number) {
  return {reinterpret_cast<const char*>(&number), sizeof(Number)};
}

/// A file of that name that holds `bytes`, in a folder of this process: in memory, where the system has such a folder
/// and TMPDIR names no other.
inline std::filesystem::path input_file(std::string_view name, std::string_view bytes) {
  static const test::TemporaryFolder folder = [] {
    if (std::filesystem::is_directory("/dev/shm")) {
      ::setenv("TMPDIR", "/dev/shm", 0);
    }
    return test::TemporaryFolder();
  }();
  test::write_file(folder / name, bytes);
  return folder / name;
}

/// Two inputs in one: the length of the first in two bytes, little-endian, the first, the second.
struct Pair {
  std::string_view first;
  std::string_view second;
};

inline Pair split(std::string_view input) {
  if (input.size() < 2) {
    return {};
  }
  const std::size_t length =
      static_cast<unsigned char>(input[0]) | static_cast<std::size_t>(static_cast<unsigned char>(input[1])) << 8;
  input.remove_prefix(2);
  return {input.substr(0, length), input.substr(std::min(length, input.size()))};
}

/// The pair as `split` reads it. Precondition: `first` has less than 64 KiB.
inline std::string joined(std::string_view first, std::string_view second) {
  return bytes_of(static_cast<std::uint16_t>(first.size())).append(first).append(second);
}

}  // namespace retort::fuzz
