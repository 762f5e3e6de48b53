// SPDX-License-Identifier: MIT
#pragma once
/// @file
/// The safetensors container: named tensors and text in one file. Format: the README of huggingface/safetensors (8
/// bytes of header length, a JSON header, the data). It knows nothing of networks.

#include <algorithm>
#include <bit>
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <ios>
#include <iterator>
#include <limits>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <system_error>
#include <type_traits>
#include <utility>
#include <vector>

#include "retort/core/aligned_buffer.hpp"
#include "retort/core/atomic_file.hpp"
#include "retort/core/error.hpp"
#include "retort/core/file_descriptor.hpp"
#include "retort/core/float_bits.hpp"
#include "retort/core/instruction_set.hpp"
#include "retort/core/json.hpp"
#include "retort/core/out_of_memory.hpp"
#include "retort/core/size.hpp"
#include "retort/core/small_floats.hpp"
#include "retort/core/text.hpp"
#include "retort/io/checksum.hpp"
#include "retort/io/safetensors_header.hpp"
#include "retort/io/tensor.hpp"

namespace retort::inline RETORT_INSTRUCTION_SET::io {

static_assert(std::endian::native == std::endian::little, "safetensors data is little-endian, and so must be the host");

namespace detail {

/// Writes the same number to `result`; false if `Scalar` cannot hold it. Floating-point numbers are rounded, but do not
/// become infinite; integers become floating-point numbers only where all their neighbours would be exact too.
template <typename Scalar, typename Value>
bool convert(Value value, Scalar& result) {
  if constexpr (std::is_floating_point_v<Value>) {
    result = static_cast<Scalar>(value);
    return is_finite(result) || !is_finite(value);
  } else if constexpr (std::is_floating_point_v<Scalar>) {
    constexpr std::int64_t limit = std::int64_t{1} << std::numeric_limits<Scalar>::digits;
    result = static_cast<Scalar>(value);
    return std::cmp_less_equal(value, limit) && std::cmp_greater_equal(value, -limit);
  } else {
    result = static_cast<Scalar>(value);
    return std::in_range<Scalar>(value);
  }
}

}  // namespace detail

/// A safetensors file in memory, read and checked whole, or several as one (io/safetensors_index.hpp). It can be moved
/// but not copied: its tensors point into it.
class SafetensorsFile {
 public:
  /// Throws FileError if the file cannot be read, FormatError if it breaks a rule of the format: the header is JSON in
  /// UTF-8 of at most `header_limit` bytes (and 100 MB, the format's limit), begins with '{', has no key twice, and
  /// gives each tensor a dtype, a shape and data_offsets and nothing else; the tensors cover the data exactly, without
  /// gap, overlap or trailing bytes; and a file with a checksum (write_safetensors) is as it was written. Values are
  /// not checked: NaN and infinity pass. Memory: the file's size, and the header again while it is read.
  [[gnu::cold]] static SafetensorsFile read(std::filesystem::path path,
                                            std::uintmax_t header_limit = default_header_limit) {
    std::error_code error;
    const std::uintmax_t file_size = std::filesystem::file_size(path, error);
    if (error) {
      internal::throw_file_error(path, "cannot be read", error.value());
    }
    errno = 0;
    std::ifstream stream(path, std::ios::binary);
    if (!stream) {
      internal::throw_file_error(path, "cannot be read");
    }
    if (file_size < sizeof(std::uint64_t)) {
      throw FormatError(path, concatenate({"header length: the file has ", file_size, " bytes, expected at least 8"}));
    }
    std::uint64_t header_size = 0;
    take(stream, path, std::as_writable_bytes(std::span{&header_size, 1}));
    const std::uintmax_t allowed = std::min(header_limit, detail::largest_header);
    const std::uintmax_t most = std::min(file_size - sizeof(header_size), allowed);
    if (header_size > most) {
      throw FormatError(path, concatenate({"header length: ", header_size, ", expected at most ", most,
                                           most < allowed ? ", the rest of the file (is it a safetensors file?)"
                                           : allowed == detail::largest_header
                                               ? ", the format's limit"
                                               : ", the limit (SafetensorsFile::read takes another)"}));
    }
    std::string header(to_size(header_size), '\0');
    take(stream, path, std::as_writable_bytes(std::span{header}));
    const std::size_t data_size = to_size(file_size - sizeof(header_size) - header_size);
    detail::SafetensorsHeader facts = detail::parse_safetensors_header(path, header, data_size);
    // Not earlier: now the data is worth its memory.
    AlignedBuffer<std::byte> data =
        allocate_for(path.native(), data_size, [&] { return AlignedBuffer<std::byte>(data_size); });
    take(stream, path, data.span());
    SafetensorsFile file(std::move(path), std::move(facts), std::move(data));
    file.verify_checksum();
    return file;
  }

  /// The tensors of several files as those of one, named `path` in errors, and their metadata; where several have a
  /// key, the first one's text. Precondition: no two have a tensor of the same name.
  [[gnu::cold]] static SafetensorsFile join(std::filesystem::path path, std::vector<SafetensorsFile> parts) {
    SafetensorsFile file(std::move(path), {}, {});
    for (SafetensorsFile& part : parts) {
      std::move(part.tensors_.begin(), part.tensors_.end(), std::back_inserter(file.tensors_));
      std::move(part.data_.begin(), part.data_.end(), std::back_inserter(file.data_));
      file.metadata_.merge(part.metadata_);
    }
    return file;
  }

  SafetensorsFile(const SafetensorsFile&) = delete;
  SafetensorsFile& operator=(const SafetensorsFile&) = delete;
  SafetensorsFile(SafetensorsFile&&) noexcept = default;
  SafetensorsFile& operator=(SafetensorsFile&&) noexcept = default;
  ~SafetensorsFile() = default;

  const std::filesystem::path& path() const& { return path_; }
  /// The metadata without the checksum.
  const Metadata& metadata() const& { return metadata_; }

  /// The tensors, file by file, in the order of their data; by name if several are empty and share a place.
  std::span<const Tensor> tensors() const& { return tensors_; }

  /// The tensor with that name, or null.
  const Tensor* find(std::string_view name) const& {
    for (const Tensor& tensor : tensors_) {
      if (tensor.name == name) {
        return &tensor;
      }
    }
    return nullptr;
  }

  /// The tensor with that name. Throws FormatError naming it if it is missing.
  const Tensor& at(std::string_view name) const& {
    const Tensor* const tensor = find(name);
    if (tensor == nullptr) {
      throw FormatError(path_, concatenate({"tensor ", detail::in_quotes(name), ": missing, expected among the file's ",
                                            tensors_.size(), " tensors"}));
    }
    return *tensor;
  }

  // Their results would not outlive the file.
  const std::filesystem::path& path() const&& = delete;
  const Metadata& metadata() const&& = delete;
  std::span<const Tensor> tensors() const&& = delete;
  const Tensor* find(std::string_view) const&& = delete;
  const Tensor& at(std::string_view) const&& = delete;

  /// Copies the values of a tensor of this file, converted to `Scalar`. A floating-point `Scalar` takes F64, F32, F16
  /// and BF16 (rounded to nearest) and integers small enough to be exact (up to 2^24 for float, 2^53 for double); an
  /// integer takes integers in its range. Throws FormatError naming the tensor for any other dtype, for a value out of
  /// range (also a finite one that would become infinite) and if the tensor does not have `destination.size()`
  /// elements; the destination is then partly written.
  template <typename Scalar>
  void copy_to(const Tensor& tensor, std::span<Scalar> destination) const {
    static_assert(std::is_arithmetic_v<Scalar> && !std::is_same_v<Scalar, bool>);
    if (tensor.count() != destination.size()) {
      fail(tensor,
           concatenate({"shape ", detail::shape_text(tensor.shape), ", expected ", destination.size(), " elements"}));
    }
    if (tensor.dtype == DType::F16) {
      return copy_values<std::uint16_t>(tensor, destination, internal::half_to_float);
    }
    if (tensor.dtype == DType::BF16) {
      return copy_values<std::uint16_t>(tensor, destination, internal::bfloat16_to_float);
    }
    const auto copy_any_of = [&]<typename... Stored>() {
      return (... || (tensor.dtype == dtype_of<Stored>() &&
                      (copy_values<Stored>(tensor, destination, [](Stored value) { return value; }), true)));
    };
    if (!copy_any_of.template operator()<double, float, std::int64_t, std::uint64_t, std::int32_t, std::uint32_t,
                                         std::int16_t, std::uint16_t, std::int8_t, std::uint8_t>()) {
      unfit(tensor, std::is_floating_point_v<Scalar>);
    }
  }

 private:
  [[gnu::cold]] SafetensorsFile(std::filesystem::path path, detail::SafetensorsHeader header,
                                AlignedBuffer<std::byte> data)
      : path_(std::move(path)), metadata_(std::move(header.metadata)) {
    const std::span<const std::byte> bytes = data_.emplace_back(std::move(data)).span();
    tensors_.reserve(header.tensors.size());
    for (detail::TensorEntry& entry : header.tensors) {
      tensors_.push_back({std::move(entry.name), entry.dtype, std::move(entry.shape),
                          bytes.subspan(entry.begin, entry.end - entry.begin)});
    }
  }

  [[gnu::cold]] void verify_checksum() {
    const auto written = metadata_.find(detail::checksum_key);
    if (written == metadata_.end()) {
      return;
    }
    const std::string found = detail::checksum(metadata_, tensors_);
    if (found != written->second) {
      throw FormatError(path_, concatenate({"checksum: ", found, ", expected ", in_quotes(written->second),
                                            ", that of the metadata: the file is not as it was written; restore it "
                                            "from a copy (a program that changes a file on purpose removes the "
                                            "metadata's key ",
                                            detail::checksum_key, ")"}));
    }
    metadata_.erase(written);
  }

  static void take(std::ifstream& stream, const std::filesystem::path& path, std::span<std::byte> bytes) {
    stream.read(reinterpret_cast<char*>(bytes.data()), static_cast<std::streamsize>(bytes.size()));
    if (static_cast<std::size_t>(stream.gcount()) != bytes.size()) {
      throw FileError(path, "cannot be read to its end");
    }
  }

  template <typename Stored, typename Scalar, typename Decode>
  void copy_values(const Tensor& tensor, std::span<Scalar> destination, const Decode& decode) const {
    using Value = decltype(decode(Stored{}));
    if constexpr (std::is_floating_point_v<Value> && !std::is_floating_point_v<Scalar>) {
      unfit(tensor, false);
    } else {
      if (tensor.bytes.size() != destination.size() * sizeof(Stored)) {
        fail(tensor, concatenate({tensor.bytes.size(), " bytes, expected ", destination.size() * sizeof(Stored)}));
      }
      for (std::size_t index = 0; index < destination.size(); ++index) {
        Stored stored;
        std::memcpy(&stored, tensor.bytes.data() + index * sizeof(Stored), sizeof(Stored));
        if (!detail::convert(decode(stored), destination[index])) {
          fail(tensor, concatenate({"element ", index, " is ", decode(stored), ", expected a number that fits ",
                                    dtype_name(dtype_of<Scalar>())}));
        }
      }
    }
  }

  [[noreturn]] void unfit(const Tensor& tensor, bool floating) const {
    fail(tensor, concatenate({"dtype ", dtype_name(tensor.dtype), ", expected ",
                              (floating ? "F64, F32, F16, BF16 or an integer" : "an integer")}));
  }

  [[noreturn]] void fail(const Tensor& tensor, const std::string& reason) const {
    throw FormatError(path_, concatenate({"tensor ", detail::in_quotes(tensor.name), ": ", reason}));
  }

  std::filesystem::path path_;
  Metadata metadata_;
  std::vector<Tensor> tensors_;
  std::vector<AlignedBuffer<std::byte>> data_;  // of each file that was read
};

/// Writes a safetensors file whole or not at all: the tensors in the given order, the data from a multiple of 64 bytes
/// on. The metadata get one more key, "retort.checksum", a fingerprint of everything else (io/checksum.hpp), which
/// SafetensorsFile::read verifies. Equal arguments give equal bytes. To keep every tensor aligned, put wider elements
/// first. Throws FileError if `path` cannot be written, ShapeError if a tensor's bytes do not fit its dtype and shape,
/// FormatError for what the format cannot express (a name twice, the name "__metadata__", text that is not UTF-8, a
/// header over default_header_limit); in each case an older file stays as it was.
[[gnu::cold]] inline void write_safetensors(const std::filesystem::path& path, std::span<const Tensor> tensors,
                                            const Metadata& metadata = {}) {
  detail::SafetensorsHeader header{metadata, {}};
  header.metadata.insert_or_assign(std::string(detail::checksum_key), detail::checksum(metadata, tensors));
  std::set<std::string_view> names{detail::metadata_key};
  std::size_t end = 0;
  for (const Tensor& tensor : tensors) {
    if (!names.insert(tensor.name).second) {
      throw FormatError(
          path, concatenate({"tensor ", detail::in_quotes(tensor.name), ": the name is taken, expected another"}));
    }
    if (detail::tensor_bytes(tensor.dtype, tensor.shape) != tensor.bytes.size()) {
      throw ShapeError(concatenate({path_text(path), ": tensor ", detail::in_quotes(tensor.name), ": ",
                                    tensor.bytes.size(), " bytes, expected those of dtype ", dtype_name(tensor.dtype),
                                    " and shape ", detail::shape_text(tensor.shape)}));
    }
    header.tensors.push_back({tensor.name, tensor.dtype, tensor.shape, end, end + tensor.bytes.size()});
    end += tensor.bytes.size();
  }
  std::string text;
  try {
    text = detail::safetensors_header_text(header);
  } catch (const JsonError&) {
    throw FormatError(path, "header: a name or metadata that is not UTF-8, expected UTF-8");
  }
  // Spaces after the object are part of the header: they bring the data to an aligned offset.
  constexpr std::size_t length_size = sizeof(std::uint64_t);
  text.resize(internal::aligned_count<std::byte>(length_size + text.size()) - length_size, ' ');
  if (text.size() > default_header_limit) {
    throw FormatError(path, concatenate({"header: ", text.size(), " bytes, expected at most ", default_header_limit}));
  }
  const std::uint64_t header_size = text.size();
  AtomicFile file(path);
  file.write(std::as_bytes(std::span{&header_size, 1}));
  file.write(text);
  for (const Tensor& tensor : tensors) {
    file.write(tensor.bytes);
  }
  file.commit();
}

}  // namespace retort::inline RETORT_INSTRUCTION_SET::io
