// SPDX-License-Identifier: MIT
#pragma once
/// @file
/// What the tests of the readers share: the message of an exception, and files made by hand.

#include <zlib.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <initializer_list>
#include <stdexcept>
#include <string>
#include <string_view>

#include "retort/core/error.hpp"
#include "retort/core/philox.hpp"

namespace retort::test {

/// what() of the `Expected` that `function` throws; a text no message contains when it throws nothing. Other exceptions
/// pass.
template <typename Expected, typename Function>
std::string message_of(const Function& function) {
  try {
    function();
  } catch (const Expected& error) {
    return error.what();
  }
  return "<no exception>";
}

inline bool contains(std::string_view text, std::string_view part) { return text.find(part) != std::string_view::npos; }

/// One line that names the file and says each of `parts`.
inline bool is_message(const std::string& message, const std::filesystem::path& path,
                       std::initializer_list<std::string_view> parts) {
  bool result = message.rfind(path.string(), 0) == 0 && !contains(message, "\n");
  for (const std::string_view part : parts) {
    result = result && contains(message, part);
  }
  return result;
}

inline std::string gzip(std::string_view bytes) {
  z_stream stream{};
  if (deflateInit2(&stream, 6, Z_DEFLATED, 16 + MAX_WBITS, 8, Z_DEFAULT_STRATEGY) != Z_OK) {
    throw std::runtime_error("deflateInit2");
  }
  std::string result(deflateBound(&stream, uLong{bytes.size()}), '\0');
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(bytes.data()));
  stream.avail_in = static_cast<uInt>(bytes.size());
  stream.next_out = reinterpret_cast<Bytef*>(result.data());
  stream.avail_out = static_cast<uInt>(result.size());
  const int status = deflate(&stream, Z_FINISH);
  result.resize(stream.total_out);
  deflateEnd(&stream);
  if (status != Z_STREAM_END) {
    throw std::runtime_error("deflate");
  }
  return result;
}

/// An IDX file of unsigned bytes.
inline std::string idx_bytes(std::initializer_list<std::uint32_t> extents, std::string_view elements) {
  std::string bytes{'\0', '\0', '\x08', static_cast<char>(extents.size())};
  for (const std::uint32_t extent : extents) {
    for (const int shift : {24, 16, 8, 0}) {
      bytes += static_cast<char>(extent >> shift & 255u);
    }
  }
  return bytes.append(elements);
}

/// `bytes` with one to four changes: a byte replaced, put in or taken out, or the end cut off. A function of `round`.
inline std::string mutated(std::string bytes, std::uint32_t round) {
  RandomSequence random{RandomStream{Seed{42}, Stream::synthetic, round}};
  for (std::uint32_t change = 0, changes = 1 + random.below(4); change < changes && !bytes.empty(); ++change) {
    const std::uint32_t position = random.below(static_cast<std::uint32_t>(bytes.size()));
    const char byte = static_cast<char>(random.below(256));
    switch (random.below(5)) {
      case 0:
        bytes.insert(position, 1, byte);
        break;
      case 1:
        bytes.erase(position, 1);
        break;
      case 2:
        bytes.resize(position);
        break;
      default:
        bytes[position] = byte;
    }
  }
  return bytes;
}

/// Calls `read` for `rounds` mutations of `bytes` after `write` has put them where it reads. Returns how many were
/// refused with one line; any exception but retort::Error passes, and sanitizers see the rest.
template <typename Write, typename Read>
std::uint32_t refused_mutations(const std::string& bytes, std::uint32_t rounds, const Write& write, const Read& read) {
  std::uint32_t refused = 0;
  for (std::uint32_t round = 0; round < rounds; ++round) {
    write(mutated(bytes, round));
    try {
      read();
    } catch (const Error& error) {
      refused += contains(error.what(), "\n") ? 0u : 1u;
    }
  }
  return refused;
}

}  // namespace retort::test
