// SPDX-License-Identifier: MIT
#pragma once
/// @file
/// Arrays saved for NumPy (NPY format, version 1.0: numpy.lib.format). data/npy.hpp reads them; data/xtensor.hpp saves
/// arrays of xtensor.

#include <algorithm>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <type_traits>
#include <vector>

#include "retort/core/atomic_file.hpp"
#include "retort/core/error.hpp"
#include "retort/core/instruction_set.hpp"
#include "retort/core/text.hpp"
#include "retort/data/dataset.hpp"
#include "retort/data/dataset_view.hpp"
#include "retort/data/matrix.hpp"
#include "retort/data/message.hpp"

namespace retort::inline RETORT_INSTRUCTION_SET::data {

namespace detail {

static_assert(std::endian::native == std::endian::little, "NPY files are written as the values lie in memory");

/// "<f4": the byte order, the kind of number and its bytes.
template <typename T>
std::string npy_type() {
  static_assert(std::is_arithmetic_v<T> && sizeof(T) <= 8, "retort::data::save_npy: numbers of up to 8 bytes");
  const char kind = std::is_same_v<T, bool> ? 'b' : std::is_floating_point_v<T> ? 'f' : std::is_signed_v<T> ? 'i' : 'u';
  return concatenate({sizeof(T) == 1 ? '|' : '<', kind, sizeof(T)});
}

/// What stands before the elements of an array of that type and shape. In Fortran order the first axis runs fastest.
inline std::string npy_header(const std::string& type, bool fortran_order, std::span<const std::size_t> shape) {
  std::string extents;
  for (const std::size_t extent : shape) {
    extents += concatenate({extents.empty() ? "" : ", ", extent});
  }
  std::string header = concatenate({"{'descr': '", type, "', 'fortran_order': ", fortran_order ? "True" : "False",
                                    ", 'shape': (", extents, shape.size() == 1 ? "," : "", "), }"});
  // Ten bytes stand before this text: magic number, version and the text's length. The elements begin at a multiple of
  // 64.
  constexpr std::size_t prefix = 10;
  constexpr std::size_t alignment = 64;
  header.resize((prefix + header.size() + 1 + alignment - 1) / alignment * alignment - prefix, ' ');
  header.back() = '\n';
  return concatenate(
      {"\x93NUMPY\x01", '\0', static_cast<char>(header.size() & 0xFFu), static_cast<char>(header.size() >> 8), header});
}

/// Writes an array of that type and shape, whole or not at all.
inline void write_npy(const std::filesystem::path& path, const std::string& type, bool fortran_order,
                      std::span<const std::size_t> shape, std::span<const std::byte> elements) {
  AtomicFile file(path);
  file.write(npy_header(type, fortran_order, shape));
  file.write(elements);
  file.commit();
}

}  // namespace detail

/// Writes a matrix, (rows, columns), whole or not at all. Throws FileError; ShapeError for a matrix without values,
/// such as one that was moved from, since `load_npy` reads no such file.
template <typename T>
void save_npy(const std::filesystem::path& path, const Matrix<T>& matrix) {
  const std::size_t shape[] = {matrix.rows(), matrix.columns()};
  if (matrix.values().empty()) {
    throw ShapeError(concatenate(
        {"save_npy: a matrix of ", detail::extents_text(shape), ", expected at least one row and one column"}));
  }
  detail::write_npy(path, detail::npy_type<T>(), false, shape, std::as_bytes(matrix.values()));
}

/// The same for labels, (samples): uint32, or where a sample has none int64, with -1 for it
/// (NpyOptions::minus_one_is_unlabelled).
inline void save_npy(const std::filesystem::path& path, const Labels& labels) {
  if (labels.empty()) {
    throw ShapeError("save_npy: no labels, expected at least one");
  }
  const std::size_t shape[] = {labels.size()};
  if (std::find(labels.begin(), labels.end(), unlabelled) != labels.end()) {
    std::vector<std::int64_t> numbers(labels.begin(), labels.end());
    std::replace(numbers.begin(), numbers.end(), std::int64_t{unlabelled}, std::int64_t{-1});
    detail::write_npy(path, detail::npy_type<std::int64_t>(), false, shape, std::as_bytes(std::span(numbers)));
    return;
  }
  detail::write_npy(path, detail::npy_type<Labels::value_type>(), false, shape, std::as_bytes(std::span(labels)));
}

}  // namespace retort::inline RETORT_INSTRUCTION_SET::data
