// SPDX-License-Identifier: MIT
/// Pairs of NPY files, features and labels, and tables of logits with the file beside them: what loads, saves and loads
/// equal.

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "fuzz_target.hpp"
#include "retort/data/dataset.hpp"
#include "retort/data/npy.hpp"
#include "retort/data/save_npy.hpp"
#include "retort/data/teacher_logits.hpp"
#include "retort/data/teacher_logits_table.hpp"

namespace {

using retort::data::Dataset;
using retort::data::TeacherLogitsTable;

Dataset load(const std::filesystem::path& features, const std::filesystem::path& labels, std::uint32_t classes = 0) {
  return retort::data::load_npy(
      features, labels, {.classes = classes, .minus_one_is_unlabelled = true, .size_limit = retort::fuzz::size_limit});
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto [first, second] = retort::fuzz::split(retort::fuzz::text_of(data, size));
  const std::filesystem::path features = retort::fuzz::input_file("features", first);
  const std::filesystem::path labels = retort::fuzz::input_file("labels", second);
  const std::optional<Dataset> dataset = retort::fuzz::accepted([&] { return load(features, labels); });
  if (dataset) {
    std::visit([&](const auto& values) { retort::data::save_npy(features, values); }, dataset->features());
    retort::data::save_npy(labels, dataset->labels());
    const Dataset again = load(features, labels, dataset->classes());
    retort::fuzz::require(again.features() == dataset->features() && again.labels() == dataset->labels(),
                          "NPY files save and load equal");
  }

  const std::filesystem::path logits = retort::fuzz::input_file("logits", first);
  retort::fuzz::input_file("logits.json", second);
  const auto load_table = [&] { return retort::data::load_teacher_logits(logits, retort::fuzz::size_limit); };
  if (const std::optional<TeacherLogitsTable> table = retort::fuzz::accepted(load_table)) {
    retort::data::save_teacher_logits(logits, *table);
    const TeacherLogitsTable again = load_table();
    retort::fuzz::require(again.logits() == table->logits() && again.views() == table->views() &&
                              again.inputs_fingerprint() == table->inputs_fingerprint() &&
                              again.temperature() == table->temperature(),
                          "tables of logits save and load equal");
  }
  return 0;
}

namespace {

/// An NPY file of version 1.0 whose header has this type and shape.
std::string npy(std::string_view type, std::string_view order, std::string_view shape, std::string_view elements) {
  std::string header = "{'descr': '";
  header.append(type).append("', 'fortran_order': ").append(order).append(", 'shape': ").append(shape).append(", }\n");
  return std::string("\x93NUMPY\x01\0", 8)
      .append(retort::fuzz::bytes_of(static_cast<std::uint16_t>(header.size())))
      .append(header)
      .append(elements);
}

}  // namespace

std::vector<retort::fuzz::Seed> retort::fuzz::seeds() {
  const std::string bytes = npy("|u1", "False", "(2, 2)", "abcd");
  const std::string labels = npy("<i8", "False", "(2,)", bytes_of(std::int64_t{1}) + bytes_of(std::int64_t{0}));
  const std::string floats = bytes_of(0.5f) + bytes_of(-2.0f) + bytes_of(1e30f) + bytes_of(0.0f);
  const std::string version_2 = std::string("\x93NUMPY\x02\0\x3D\0\0\0", 12) + labels.substr(10);
  const Dataset two{retort::data::Matrix<std::uint8_t>(2, 1), {0, 1}, 2};
  const TeacherLogitsTable table({{0.5f, -2.0f}, {1e30f, 0.0f}}, two);
  const std::string fingerprints = retort::data::detail::LogitsFingerprints{1, table.fingerprint(), 2.5}.json();
  return {
      {"logits", joined(npy("<f4", "False", "(2, 2)", floats), fingerprints)},
      {"logits_of_views", joined(npy("<f4", "False", "(2, 1, 2)", floats), R"({"inputs":1,"logits":2})")},
      {"bytes", joined(bytes, labels)},
      {"floats", joined(npy("<f4", "False", "(2, 2)", floats), labels)},
      {"fortran", joined(npy("<f4", "True", "(2, 1, 2)", floats), labels)},
      {"big_endian", joined(npy(">f8", "False", "(2, 1)", bytes_of(0.0) + bytes_of(0.0)), labels)},
      {"version_2", joined(bytes, version_2)},
      {"short_labels", joined(bytes, npy("<u2", "False", "(2,)", std::string_view("\x05\0\x01\0", 4)))},
      {"negative_label", joined(bytes, npy("|i1", "False", "(2,)", "\xFF\x01"))},
      {"highest_label", joined(bytes, npy("<u4", "False", "(2,)", "\xFF\xFF\xFF\xFF\xFE\xFF\xFF\xFF"))},
      {"not_a_number", joined(npy("<f4", "False", "(1, 1)", std::string_view("\0\0\xC0\x7F", 4)), labels)},
      {"shape_wraps_around", joined(npy("<f8", "False", "(4294967296, 4294967296, 8)", ""), labels)},
      {"rank_0", joined(npy("|u1", "False", "()", "a"), labels)},
      {"one_key", joined(std::string("\x93NUMPY\x01\0\x0E\0{'shape': (1,)", 24), labels)},
      {"header_longer_than_the_file", joined(std::string("\x93NUMPY\x01\0\xFF\xFF{", 11), labels)},
      {"python_2", joined(npy("|u1", "False", "(2L, 2L)", "abcd"), labels)},
  };
}
