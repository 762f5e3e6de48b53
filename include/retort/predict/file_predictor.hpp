// SPDX-License-Identifier: MIT
#pragma once
/// @file
/// A saved network that answers questions, read from a file.

#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <memory>
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

struct CloseFile {
  void operator()(std::FILE* file) const { static_cast<void>(std::fclose(file)); }
};

inline constexpr std::align_val_t file_alignment{64};
struct FreeFile {
  void operator()(std::byte* bytes) const { ::operator delete(bytes, file_alignment); }
};

/// The bytes of a file.
struct FileBytes {
  std::unique_ptr<std::byte, FreeFile> memory;
  std::span<const std::byte> bytes;
};

/// Reads a safetensors file of at most `most` bytes, so that its data is aligned. False, and a sentence, if it cannot.
[[gnu::cold, gnu::noinline]] inline bool read_file(const char* path, std::size_t most, FileBytes& result,
                                                   Message& reason) {
  errno = 0;
  const auto fail = [&] {
    reason.add("cannot be read");
    if (errno != 0) {
      reason.add(" (").add(std::strerror(errno)).add(')');
    }
    return false;
  };
  const std::unique_ptr<std::FILE, CloseFile> file(std::fopen(path, "rb"));
  if (!file || std::fseek(file.get(), 0, SEEK_END) != 0) {
    return fail();
  }
  const long end = std::ftell(file.get());
  std::uint64_t header = 0;
  if (end < 0 || std::fseek(file.get(), 0, SEEK_SET) != 0) {
    return fail();
  }
  const auto size = static_cast<std::size_t>(end);
  if (size > most) {
    reason.add("the file has ").add(size).add(" bytes, expected at most ").add(most).add(" for this model");
    return false;
  }
  if (size >= sizeof(header) &&
      (std::fread(&header, sizeof(header), 1, file.get()) != 1 || std::fseek(file.get(), 0, SEEK_SET) != 0)) {
    return fail();
  }
  constexpr auto alignment = static_cast<std::size_t>(file_alignment);
  const std::size_t before = (2 * alignment - (sizeof(header) + header % alignment) % alignment) % alignment;
  result.memory.reset(static_cast<std::byte*>(::operator new(before + size + 1, file_alignment, std::nothrow)));
  if (!result.memory) {
    reason.add(size).add(" bytes: out of memory");
    return false;
  }
  if (size != 0 && std::fread(result.memory.get() + before, 1, size, file.get()) != size) {
    return fail();
  }
  result.bytes = {result.memory.get() + before, size};
  return true;
}

}  // namespace detail

/// A Predictor that owns the bytes of its file. It can be moved.
template <Model M, RawFeature Raw>
class FilePredictor : public Predictor<M, Raw> {
 public:
  /// The network in the file at `path`: see Predictor::in. A fault is also a file that cannot be read.
  [[gnu::cold]] static Result<FilePredictor> read(const char* path) {
    constexpr std::size_t longest_header = std::size_t{1} << 24;
    constexpr std::size_t most =
        longest_header + (M::parameter_arena_size + M::buffer_arena_size) * sizeof(std::uint64_t);
    detail::FileBytes file;
    if (Message reason; !detail::read_file(path, most, file, reason)) {
      return Fault(Fault::Kind::file, path, reason);
    }
    Result<Predictor<M, Raw>> predictor = Predictor<M, Raw>::in(file.bytes, path);
    if (!predictor) {
      return predictor.fault();
    }
    return FilePredictor(*predictor, std::move(file));
  }

 private:
  FilePredictor(const Predictor<M, Raw>& predictor, detail::FileBytes file)
      : Predictor<M, Raw>(predictor), file_(std::move(file)) {}

  detail::FileBytes file_;
};

}  // namespace retort::inline RETORT_INSTRUCTION_SET
