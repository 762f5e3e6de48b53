// SPDX-License-Identifier: MIT
#pragma once
/// @file
/// Tables of a teacher's logits as NPY files.

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <span>
#include <system_error>
#include <utility>
#include <vector>

#include "retort/core/error.hpp"
#include "retort/core/instruction_set.hpp"
#include "retort/core/quote.hpp"
#include "retort/core/text.hpp"
#include "retort/data/gzip.hpp"
#include "retort/data/logits_fingerprints.hpp"
#include "retort/data/matrix.hpp"
#include "retort/data/message.hpp"
#include "retort/data/npy.hpp"
#include "retort/data/save_npy.hpp"
#include "retort/data/teacher_logits_table.hpp"

namespace retort::inline RETORT_INSTRUCTION_SET::data {

/// Reads a table from an NPY file, plain or compressed by gzip: float16, float32, or float64, which is rounded to
/// float, of shape (samples, classes) or (views, samples, classes), in C or Fortran order, as numpy.save writes them.
/// Row i answers sample i of the training set. If FILE.json lies beside the file, as save_teacher_logits leaves it, the
/// table knows its inputs, and the temperature of an ensemble; else a training can only compare it with the labels
/// (require_made_for). Logits, not probabilities: a training of classes refuses those (require_logits). Throws
/// FileError; FormatError for a file that is no such table, for a logit that is no finite number within float's range,
/// and for a FILE.json that belongs to other logits. A copy of that which save_views leaves beside the pixels names the
/// inputs alone. Memory: the file and its values, twice in Fortran order.
[[gnu::cold]] inline TeacherLogitsTable load_teacher_logits(const std::filesystem::path& path,
                                                            std::uint64_t size_limit = default_size_limit) {
  const std::vector<std::uint8_t> bytes = read_plain_or_gzip(path, size_limit);
  const detail::NpyHeader header = detail::read_npy_header(path, bytes);
  if (header.type.front() != 'f') {
    throw FormatError(path, concatenate({"element type: ", in_quotes(header.type),
                                         ", expected logits as f2, f4 or f8 (labels? a table has a column a class)"}));
  }
  const std::size_t rank = header.shape.size();
  if (rank != 2 && rank != 3) {
    throw FormatError(path,
                      concatenate({"rank: ", rank, ", expected 2 (samples, classes) or 3 (views, samples, classes)"}));
  }
  const std::size_t views = rank == 3 ? header.shape[0] : 1;
  const std::size_t rows = views * header.shape[rank - 2];
  std::vector<float> values =
      detail::in_c_order(header, detail::convert_npy<float>(header, bytes, detail::NpyToFloat{path, header}));
  TeacherLogitsTable table(path, Matrix<float>(rows, header.shape[rank - 1], std::move(values)), views, std::nullopt);

  const std::filesystem::path beside = detail::LogitsFingerprints::path_beside(path);
  std::error_code error;
  if (std::filesystem::exists(beside, error) || error) {
    const auto fingerprints = detail::LogitsFingerprints::load(beside);
    if (fingerprints.logits && *fingerprints.logits != table.fingerprint()) {
      throw FormatError(beside, concatenate({"written for other logits than those in ", path_text(path.filename()),
                                             ", expected a file of the same table (remove it if the table is new)"}));
    }
    table.inputs_fingerprint_ = fingerprints.inputs;
    table.temperature_ = fingerprints.temperature;
  }
  return table;
}

/// Writes the table as float32, and beside it FILE.json with the fingerprints of its inputs and of its logits, and with
/// the temperature of an ensemble; each file whole or not at all. Throws FileError; ShapeError for a table that was
/// moved from; OptionError for one that does not know its inputs.
[[gnu::cold]] inline void save_teacher_logits(const std::filesystem::path& path, const TeacherLogitsTable& table) {
  if (!table.inputs_fingerprint()) {
    throw OptionError("save_teacher_logits: the table does not know its inputs, expected one made with its dataset");
  }
  const std::size_t shape[] = {table.views(), table.samples(), table.classes()};
  if (table.logits().values().empty()) {
    throw ShapeError(concatenate({"save_teacher_logits: logits of ", detail::extents_text(shape),
                                  ", expected a table that was not moved from"}));
  }
  detail::LogitsFingerprints::forget(path);
  detail::write_npy(path, detail::npy_type<float>(), false, std::span(shape).subspan(table.views() > 1 ? 0 : 1),
                    std::as_bytes(table.logits().values()));
  detail::LogitsFingerprints{*table.inputs_fingerprint(), table.fingerprint(), table.temperature()}.save(
      detail::LogitsFingerprints::path_beside(path));
}

}  // namespace retort::inline RETORT_INSTRUCTION_SET::data
