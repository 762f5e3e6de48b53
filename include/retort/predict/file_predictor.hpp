// SPDX-License-Identifier: MIT
#pragma once
/// @file
/// A saved network that answers questions, read from a file.

#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <new>
#include <span>
#include <string_view>
#include <utility>

#include "retort/core/instruction_set.hpp"
#include "retort/nn/sequential.hpp"
#include "retort/predict/message.hpp"
#include "retort/predict/predictor.hpp"
#include "retort/predict/raw_features.hpp"
#include "retort/predict/result.hpp"

namespace retort::inline RETORT_INSTRUCTION_SET {

namespace detail {

inline constexpr std::align_val_t file_alignment{64};

/// Memory for the bytes of a file.
class FileBytes {
 public:
  FileBytes() = default;
  FileBytes(FileBytes&& other) noexcept : memory_(std::exchange(other.memory_, nullptr)) {}
  FileBytes& operator=(FileBytes&& other) noexcept {
    std::swap(memory_, other.memory_);
    return *this;
  }
  FileBytes(const FileBytes&) = delete;
  FileBytes& operator=(const FileBytes&) = delete;
  ~FileBytes() { ::operator delete(memory_, file_alignment); }

  /// Null if there is not so much. Precondition: it has none yet.
  std::byte* allocate(std::size_t size) {
    return memory_ = static_cast<std::byte*>(::operator new(size, file_alignment, std::nothrow));
  }

 private:
  std::byte* memory_ = nullptr;
};

/// Reads a safetensors file of at most `most` bytes to a place of which its data is aligned. False, and perhaps a
/// sentence, if it cannot.
[[gnu::cold]] inline bool read_open_file(std::FILE* file, std::size_t most, FileBytes& memory,
                                         std::span<const std::byte>& bytes, Message& reason) {
  std::uint64_t header = 0;
  static_cast<void>(std::fread(&header, sizeof(header), 1, file));  // of a shorter file the reader says that
  // A folder can be opened, but not read; its size is of no use.
  if (std::ferror(file) != 0 || std::fseek(file, 0, SEEK_END) != 0) {
    return false;
  }
  const long end = std::ftell(file);
  if (end < 0 || std::fseek(file, 0, SEEK_SET) != 0) {
    return false;
  }
  const auto size = static_cast<std::size_t>(end);
  if (size > most) {
    reason.add("the file has ").add(size).add(" bytes, expected at most ").add(most).add(" for this model");
    return false;
  }
  constexpr auto alignment = static_cast<std::size_t>(file_alignment);
  const std::size_t before = (2 * alignment - (sizeof(header) + header % alignment) % alignment) % alignment;
  std::byte* const place = memory.allocate(before + size + 1);
  if (place == nullptr) {
    reason.add(size).add(" bytes: out of memory");
    return false;
  }
  bytes = {place + before, size};
  return std::fread(place + before, 1, size, file) == size;
}

[[gnu::cold, gnu::noinline]] inline bool read_file(const char* path, std::size_t most, FileBytes& memory,
                                                   std::span<const std::byte>& bytes, Message& reason) {
  errno = 0;
  std::FILE* const file = std::fopen(path, "rb");
  const bool done = file != nullptr && read_open_file(file, most, memory, bytes, reason);
  const int error = errno;
  if (file != nullptr) {
    static_cast<void>(std::fclose(file));
  }
  if (!done && reason.empty()) {
    reason.add("cannot be read");
    if (error != 0) {
      reason.add(" (").add(std::strerror(error)).add(')');
    }
  }
  return done;
}

}  // namespace detail

/// A Predictor that owns the bytes of its file. It can be moved.
template <Model M, RawFeature Raw>
class FilePredictor : public Predictor<M, Raw> {
 public:
  /// The network in the file at `path`: see Predictor::in. A fault is also a file that cannot be read.
  static Result<FilePredictor> read(const char* path) {
    constexpr std::size_t longest_header = std::size_t{1} << 24;
    constexpr std::size_t most =
        longest_header + (M::parameter_arena_size + M::buffer_arena_size) * sizeof(std::uint64_t);
    detail::FileBytes memory;
    std::span<const std::byte> bytes;
    if (Message reason; !detail::read_file(path, most, memory, bytes, reason)) {
      return Fault(Fault::Kind::file, path, reason);
    }
    const Result<Predictor<M, Raw>> predictor = Predictor<M, Raw>::in(bytes, path);
    if (!predictor) {
      return predictor.fault();
    }
    return FilePredictor(*predictor, std::move(memory));
  }

 private:
  FilePredictor(const Predictor<M, Raw>& predictor, detail::FileBytes memory)
      : Predictor<M, Raw>(predictor), memory_(std::move(memory)) {}

  detail::FileBytes memory_;
};

}  // namespace retort::inline RETORT_INSTRUCTION_SET
