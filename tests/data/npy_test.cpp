// SPDX-License-Identifier: MIT
#include "retort/data/npy.hpp"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <limits>
#include <string>
#include <string_view>
#include <vector>

#include "catch.hpp"
#include "data/data_test.hpp"
#include "retort/data/ensemble_logits.hpp"
#include "retort/data/teacher_logits.hpp"
#include "temporary_folder.hpp"

using namespace retort;
using namespace retort::test;

namespace {

using Bytes = data::Matrix<std::uint8_t>;
using Reals = data::Matrix<float>;

template <typename T>
std::string raw(const std::vector<T>& values) {
  return {reinterpret_cast<const char*>(values.data()), values.size() * sizeof(T)};
}

// A file with this dictionary as its header.
std::string npy(const std::string& dictionary, const std::string& elements, char version = 1) {
  std::string bytes{'\x93', 'N', 'U', 'M', 'P', 'Y', version, '\0'};
  const std::size_t length = dictionary.size() + 1;
  for (std::size_t i = 0; i < (version == 1 ? 2u : 4u); ++i) {
    bytes += static_cast<char>(length >> (8 * i) & 255u);
  }
  return bytes + dictionary + "\n" + elements;
}

std::string header(const std::string& type, const std::string& shape, const std::string& order = "False") {
  return "{'descr': '" + type + "', 'fortran_order': " + order + ", 'shape': " + shape + ", }";
}

struct Files {
  TemporaryFolder folder;
  std::filesystem::path features = folder / "features.npy";
  std::filesystem::path labels = folder / "labels.npy";

  Files() {
    write_file(features, npy(header("|u1", "(2, 3)"), "abcdef"));
    write_file(labels, npy(header("|u1", "(2,)"), std::string{"\0\1", 2}));
  }
  data::Dataset load(const data::NpyOptions& options = {}) const { return data::load_npy(features, labels, options); }
  std::string features_refusal(const std::string& bytes) const {
    write_file(features, bytes);
    return message_of<FormatError>([&] { load(); });
  }
  std::string labels_refusal(const std::string& bytes, const data::NpyOptions& options = {}) const {
    write_file(labels, bytes);
    return message_of<FormatError>([&] { load(options); });
  }
};

}  // namespace

TEST_CASE("three axes are images, four images with channels, more are flattened") {
  const Files files;
  write_file(files.features, npy(header("|u1", "(2, 3, 2)"), "abcdefghijkl"));
  const data::Dataset dataset = files.load();
  CHECK(dataset.image() == data::ImageShape{3, 2});
  CHECK((std::get<Bytes>(dataset.features()) == Bytes{{'a', 'b', 'c', 'd', 'e', 'f'}, {'g', 'h', 'i', 'j', 'k', 'l'}}));
  write_file(files.features, npy(header("|u1", "(2, 3, 1, 2)"), "abcdefghijkl"));
  CHECK(files.load().image() == data::ImageShape{1, 2, 3});
  for (const char* shape : {"(2, 3, 1, 2, 1)", "(2, 2, 1, 3)"}) {  // the second has its channels at the end
    write_file(files.features, npy(header("|u1", shape), "abcdefghijkl"));
    CHECK(files.load().image() == data::ImageShape{});
  }
  CHECK(files.load().image() == data::ImageShape{});
  CHECK(files.load().feature_count() == 6);
}

TEST_CASE("versions, key orders, byte orders and Fortran order are all read") {
  const Files files;
  const data::Dataset expected = files.load();
  const std::string reordered = "{\"shape\": (2, 3), 'fortran_order':False,  'descr': '|u1'}  ";
  for (const char version : {'\1', '\2', '\3'}) {
    write_file(files.features, npy(reordered, "abcdef", version));
    CHECK(files.load().fingerprint() == expected.fingerprint());
  }
  write_file(files.features, npy(header("|u1", "(2, 3)", "True"), "adbecf"));
  CHECK(files.load().fingerprint() == expected.fingerprint());
  // A header of 128 to 255 bytes, whose length's low byte is negative as a char.
  write_file(files.features, npy(header("|u1", "(2, 3)") + std::string(150, ' '), "abcdef"));
  CHECK(files.load().fingerprint() == expected.fingerprint());

  write_file(files.features, npy(header("|u1", "(2, 3, 2)", "True"), "abcdefghijkl"));
  CHECK((std::get<Bytes>(files.load().features()) ==
         Bytes{{'a', 'g', 'c', 'i', 'e', 'k'}, {'b', 'h', 'd', 'j', 'f', 'l'}}));

  write_file(files.features, npy(header(">f4", "(2, 1)"), std::string{"\x3f\x80\0\0\xc0\0\0\0", 8}));
  CHECK((std::get<Reals>(files.load().features()) == Reals{{1}, {-2}}));
  write_file(files.features, npy(header("<f8", "(2, 1)"), raw(std::vector<double>{0.1, -2.5})));
  CHECK((std::get<Reals>(files.load().features()) == Reals{{0.1f}, {-2.5f}}));
}

TEST_CASE("labels of every type are read, in one column too") {
  const Files files;
  const auto check = [&]<typename T>(const std::string& type, std::vector<T> values) {
    for (const char* shape : {"(2,)", "(2, 1)"}) {
      write_file(files.labels, npy(header(type, shape), raw(values)));
      CHECK((files.load({.classes = 101}).labels() == data::Labels{7, 100}));
      CHECK((files.load({.first_label = 7}).labels() == data::Labels{0, 93}));
    }
  };
  check("|u1", std::vector<std::uint8_t>{7, 100});
  check("<u2", std::vector<std::uint16_t>{7, 100});
  check("<u4", std::vector<std::uint32_t>{7, 100});
  check("<u8", std::vector<std::uint64_t>{7, 100});
  check("|i1", std::vector<std::int8_t>{7, 100});
  check("<i2", std::vector<std::int16_t>{7, 100});
  check("<i4", std::vector<std::int32_t>{7, 100});
  check("<i8", std::vector<std::int64_t>{7, 100});
  check("<f2", std::vector<std::uint16_t>{0x4700, 0x5640});
  check("<f4", std::vector<float>{7, 100});
  check("<f8", std::vector<double>{7, 100});
  write_file(files.labels, npy(header(">i2", "(2,)"), std::string{"\0\x07\0\x64", 4}));
  CHECK((files.load({.classes = 101}).labels() == data::Labels{7, 100}));
  write_file(files.labels, npy(header("|b1", "(2,)"), std::string{"\1\0", 2}));
  CHECK((files.load().labels() == data::Labels{1, 0}));
}

TEST_CASE("targets are read beside features, as many rows as there are samples") {
  const Files files;
  const auto load = [&](const std::string& shape, const std::string& order = "False") {
    write_file(files.labels, npy(header("<f4", shape, order), raw<float>({0.5f, -1, 2, 4})));
    return data::load_npy_with_targets(files.features, files.labels);
  };
  CHECK((load("(2, 2)").targets() == Reals{{0.5f, -1}, {2, 4}}));
  CHECK((load("(2, 2)", "True").targets() == Reals{{0.5f, 2}, {-1, 4}}));
  CHECK(load("(2, 2)").feature_count() == 3);
  write_file(files.labels, npy(header("|b1", "(2,)"), std::string{"\0\1", 2}));
  CHECK((data::load_npy_with_targets(files.features, files.labels).targets() == Reals{{0}, {1}}));

  const auto refusal = [&](const std::string& bytes) {
    write_file(files.labels, bytes);
    return message_of<FormatError>([&] { data::load_npy_with_targets(files.features, files.labels); });
  };
  CHECK(contains(refusal(npy(header("<f4", "(1, 4)"), raw<float>({1, 2, 3, 4}))),
                 "labels.npy: rows of targets: 1, expected 2 as in features.npy"));
  CHECK(contains(refusal(npy(header("<f4", "(2, 1, 2)"), raw<float>({1, 2, 3, 4}))), "labels.npy: rank: 3"));
  CHECK(contains(refusal(npy(header("<f4", "(2,)"), raw<float>({1, std::nanf("")}))), "labels.npy: element [1]: nan"));
}

TEST_CASE("features of every type are read where float holds them") {
  const Files files;
  const auto check = [&]<typename T>(const std::string& type, std::vector<T> values, const Reals& expected) {
    write_file(files.features, npy(header(type, "(2, 2)"), raw(values)));
    CAPTURE(type);
    CHECK((std::get<Reals>(files.load().features()) == expected));
    for (T& value : values) {
      auto* bytes = reinterpret_cast<unsigned char*>(&value);
      std::reverse(bytes, bytes + sizeof(T));
    }
    write_file(files.features, npy(header('>' + type.substr(1), "(2, 2)"), raw(values)));
    CHECK((std::get<Reals>(files.load().features()) == expected));
  };
  check("|b1", std::vector<std::uint8_t>{0, 1, 1, 0}, {{0, 1}, {1, 0}});
  check("|i1", std::vector<std::int8_t>{-128, 127, 0, 1}, {{-128, 127}, {0, 1}});
  check("<i2", std::vector<std::int16_t>{-32768, 32767, 0, 1}, {{-32768, 32767}, {0, 1}});
  check("<u2", std::vector<std::uint16_t>{65535, 1, 2, 3}, {{65535, 1}, {2, 3}});
  check("<i4", std::vector<std::int32_t>{-16777216, 16777216, 1 << 30, INT32_MIN},
        {{-16777216, 16777216}, {1 << 30, -2147483648.0f}});
  check("<u4", std::vector<std::uint32_t>{4294967040u, 1, 2, 3}, {{4294967040.0f, 1}, {2, 3}});
  check("<i8", std::vector<std::int64_t>{INT64_MIN, std::int64_t{1} << 62, -3, 4}, {{-0x1p63f, 0x1p62f}, {-3, 4}});
  check("<u8", std::vector<std::uint64_t>{std::uint64_t{1} << 63, 2, 3, 4}, {{0x1p63f, 2}, {3, 4}});
  check("<f2", std::vector<std::uint16_t>{0x3C00, 0xC000, 0x0001, 0x7BFF}, {{1, -2}, {0x1p-24f, 65504}});
  check("<f8", std::vector<double>{0.1, -2.5, 1e-300, 3}, {{0.1f, -2.5f}, {0, 3}});
}

TEST_CASE("a whole number that float would round is refused, with its place") {
  const Files files;
  const auto refused = [&]<typename T>(const std::string& type, T value) {
    const std::string message = files.features_refusal(npy(header(type, "(2, 1)"), raw(std::vector<T>{T{1}, value})));
    CAPTURE(type, message);
    CHECK(is_message(message, files.features,
                     {"element [1, 0]: " + std::to_string(value) + ", expected a whole number that float holds"}));
  };
  refused("<i4", std::int32_t{16777217});
  refused("<i4", std::int32_t{-16777217});
  refused("<u4", ~std::uint32_t{0});
  refused("<i8", INT64_MAX);
  refused("<i8", INT64_MIN + 1);
  refused("<u8", ~std::uint64_t{0});
  CHECK(is_message(files.features_refusal(npy(header("|b1", "(2, 1)"), "\1\2")), files.features,
                   {"element [1, 0]: 2, expected 0 or 1"}));
  CHECK(is_message(files.features_refusal(npy(header("<f2", "(2, 1)"), raw(std::vector<std::uint16_t>{0, 0x7C00}))),
                   files.features, {"element [1, 0]: inf, expected a finite number"}));
}

TEST_CASE("a file of Python 2 is read, whose extents are long integers") {
  const Files files;
  const std::uint64_t expected = files.load().fingerprint();
  write_file(files.features, npy(header("|u1", "(2L, 3L)"), "abcdef"));
  write_file(files.labels, npy(header("|u1", "(2L,)"), std::string{"\0\1", 2}));
  CHECK(files.load().fingerprint() == expected);
  CHECK(contains(files.features_refusal(npy(header("|u1", "(2LL, 3)"), "abcdef")), "expected ')'"));
  CHECK(contains(files.features_refusal(npy(header("|u1", "(L, 3)"), "abcdef")), "shape"));
}

TEST_CASE("an NPY file cut at any byte, or too long, is refused") {
  const Files files;
  const std::string whole = read_file(files.features);
  for (std::size_t size = 0; size < whole.size(); ++size) {
    CAPTURE(size);
    CHECK(is_message(files.features_refusal(whole.substr(0, size)), files.features,
                     {size < 10                 ? "magic number"
                      : size < whole.size() - 6 ? "NPY header"
                                                : "elements"}));
  }
  CHECK(is_message(files.features_refusal(whole + "g"), files.features, {"elements: 7 bytes, expected 6", "2 x 3"}));
}

TEST_CASE("each part of an NPY header is checked") {
  const Files files;
  const auto refused = [&](const std::string& dictionary, const char* reason) {
    const std::string message = files.features_refusal(npy(dictionary, "abcdef"));
    CAPTURE(dictionary, message);
    CHECK(is_message(message, files.features, {reason}));
  };
  refused(header("|u1", "(2, 3)").substr(1), "expected '{'");
  refused(header("|u1", "(2, 3)") + "x", "after the dictionary");
  refused("{}", "a key is missing");
  refused("{'descr': '|u1', 'shape': (2, 3)}", "a key is missing");
  refused("{'descr': '|u1', 'descr': '|u1', 'fortran_order': False, 'shape': (2, 3)}", "once each");
  refused("{'descr': '|u1', 'fortran_order': False, 'shape': (2, 3), 'extra': 1}", "key 'extra'");
  refused("{'descr': [('a', '|u1')], 'fortran_order': False, 'shape': (2, 3)}", "plain element type");
  refused(header("|u1", "(2, 3)", "Maybe"), "expected True or False");
  refused(header("u1", "(2, 3)"), "element type 'u1'");
  refused(header("|S1", "(2, 3)"), "element type: 'S1', expected one of u1, f4, f8, f2, b1");
  refused(header("<c8", "(2, 3)"), "element type: 'c8'");
  refused(header("|O", "(2, 3)"), "element type '|O', Python objects, expected numbers");
  refused(header("|u1", "(2, -3)"), "shape");
  refused(header("|u1", "(2, 3"), "shape");
  refused(header("|u1", "2, 3"), "expected '('");
  refused(header("|u1", "(2, 3.0)"), "expected ')'");
  refused(header("|u1", "(2, 99999999999999999999)"), "shape");
  refused(header("|u1", "(0, 3)"), "extents of at least 1");
  refused(header("|u1", "(6,)"), "rank: 1, expected 2");
  refused(header("|u1", "()"), "elements: 6 bytes, expected 1");
  refused(header("|u1", "(4294967296, 4294967296)"), "more than any file can hold");
  refused(header("<f4", "(4611686018427387904, 1)"), "more than any file can hold");
  CHECK(contains(files.features_refusal(npy(header("|u1", "(2, 3)"), "abcdef", 4)), "version: 4.0"));
  CHECK(contains(files.features_refusal("PK" + std::string(100, 'x')), "is it an NPY file?"));
}

TEST_CASE("a label of -1 is none where the options say so") {
  const Files files;
  const data::NpyOptions options{.minus_one_is_unlabelled = true};
  const data::Labels expected{0, data::unlabelled};
  for (const auto& [type, bytes] : {std::pair{"|i1", std::string{"\0\xff", 2}},
                                    {"<f4", raw(std::vector<float>{0, -1})},
                                    {"<i8", raw(std::vector<std::int64_t>{0, -1})}}) {
    CAPTURE(type);
    write_file(files.labels, npy(header(type, "(2,)"), bytes));
    const data::Dataset dataset = files.load(options);
    CHECK(dataset.labels() == expected);
    CHECK(dataset.classes() == 1);
    CHECK(is_message(message_of<FormatError>([&] { files.load(); }), files.labels,
                     {"label of sample 1: -1", "(NpyOptions::minus_one_is_unlabelled takes -1)"}));
  }
  // No file says "none" by another number.
  CHECK(is_message(files.labels_refusal(npy(header("<u4", "(2,)"), raw(data::Labels{0, data::unlabelled})), options),
                   files.labels, {"label of sample 1: 4294967295"}));
  CHECK(is_message(files.labels_refusal(npy(header("|i1", "(2,)"), "\1\xff"), options), files.labels,
                   {"labels: from 1 to 1, expected 0 among them"}));

  data::save_npy(files.labels, expected);
  CHECK(files.load(options).labels() == expected);
  data::save_npy(files.labels, data::Labels(2, data::unlabelled));
  CHECK(files.load(options).classes() == 0);
  CHECK(data::load_unlabelled_npy(files.features).fingerprint() == files.load(options).fingerprint());
}

TEST_CASE("numbers and labels outside their range are refused, with their place") {
  const Files files;
  const double nan = std::nan("");
  CHECK(is_message(files.features_refusal(npy(header("<f8", "(2, 2)"), raw(std::vector<double>{0, 1, nan, 3}))),
                   files.features, {"element [1, 0]: nan"}));
  CHECK(is_message(files.features_refusal(npy(header("<f8", "(2, 1)"), raw(std::vector<double>{0, 1e39}))),
                   files.features, {"element [1, 0]: 1e+39"}));
  const Files others;
  CHECK(is_message(others.labels_refusal(npy(header("|i1", "(2,)"), "\1\xff")), others.labels,
                   {"label of sample 1: -1"}));
  CHECK(is_message(others.labels_refusal(npy(header("|u1", "(2,)"), "\1\x0b"), {.classes = 10}), others.labels,
                   {"label of sample 1: 11", "less than 10"}));
  CHECK(is_message(others.labels_refusal(npy(header("<u8", "(2,)"), raw(std::vector<std::uint64_t>{1, ~0ull}))),
                   others.labels, {"18446744073709551615"}));
  CHECK(is_message(others.labels_refusal(npy(header("<f4", "(2,)"), raw(std::vector<float>{0, 1.5f}))), others.labels,
                   {"label of sample 1: 1.5, expected a whole number"}));
  CHECK(is_message(others.labels_refusal(npy(header("<f4", "(2,)"), raw(std::vector<float>{0, std::nanf("")}))),
                   others.labels, {"label of sample 1: nan"}));
  CHECK(is_message(others.labels_refusal(npy(header("|u1", "(1, 2)"), "\1\2")), others.labels,
                   {"labels of shape 1 x 2, expected (samples) or (samples, 1)"}));
  CHECK(is_message(others.labels_refusal(npy(header("|u1", "(2,)"), "\1\5")), others.labels,
                   {"labels: from 1 to 5, expected 0 among them (first_label 1 makes the lowest class 0"}));
  CHECK(is_message(others.labels_refusal(npy(header("|u1", "(2,)"), std::string{"\1\0", 2}), {.first_label = 1}),
                   others.labels, {"label of sample 1: 0, expected a whole number, 1 or more"}));
  CHECK(is_message(others.labels_refusal(npy(header("|u1", "(3,)"), "\1\2\3")), others.labels,
                   {"number of labels: 3, expected 2", "features.npy"}));
}

TEST_CASE("no mutation of an NPY file does harm") {
  const Files files;
  const std::string whole = read_file(files.features);
  const auto write = [&](const std::string& bytes) { write_file(files.features, bytes); };
  CHECK(refused_mutations(whole, 4000, write, [&] { files.load({.size_limit = 1 << 16}); }) > 2000);
}

// Tables of a teacher's logits: data/teacher_logits.hpp.

namespace {

/// 40 samples whose first feature is their number, of three classes in turn.
data::Dataset turns(std::uint32_t first = 0) {
  Bytes features(40, 1);
  data::Labels labels(40);
  for (std::uint32_t i = 0; i < 40; ++i) {
    features(i, 0) = static_cast<std::uint8_t>(first + i);
    labels[i] = (first + i) % 3;
  }
  return {std::move(features), std::move(labels), 3};
}

/// Logits that are highest at sample i's label, `views` times.
Reals answers_to(const data::Dataset& data, std::size_t views = 1) {
  Reals logits(views * data.size(), 3);
  for (std::size_t row = 0; row < logits.rows(); ++row) {
    logits(row, data.labels()[row % data.size()]) = 1 + static_cast<float>(row) / 64;
  }
  return logits;
}

struct LogitsFile {
  TemporaryFolder folder;
  std::filesystem::path path = folder / "logits.npy";
  std::filesystem::path beside = folder / "logits.npy.json";

  data::TeacherLogitsTable load(const std::string& bytes) const {
    write_file(path, bytes);
    return data::load_teacher_logits(path);
  }
  std::string refusal(const std::string& bytes) const {
    return message_of<FormatError>([&] { load(bytes); });
  }
};

}  // namespace

TEST_CASE("a teacher's logits are read as float16, float32 and float64, by sample or by view and sample") {
  const LogitsFile file;
  const Reals expected{{1, -1, 0}, {0.5, 2, -0.25}};
  const std::string halves = raw(std::vector<std::uint16_t>{0x3C00, 0xBC00, 0, 0x3800, 0x4000, 0xB400});
  CHECK((file.load(npy(header("<f2", "(2, 3)"), halves)).logits() == expected));
  CHECK(
      (file.load(npy(header("<f4", "(2, 3)"), raw(std::vector<float>{1, -1, 0, 0.5, 2, -0.25}))).logits() == expected));
  CHECK((file.load(npy(header("<f8", "(2, 3)", "True"), raw(std::vector<double>{1, 0.5, -1, 2, 0, -0.25}))).logits() ==
         expected));
  const auto views = file.load(npy(header("<f2", "(2, 1, 3)"), halves));
  CHECK((views.logits() == expected));
  CHECK(views.views() == 2);
  CHECK(views.samples() == 1);
  CHECK_FALSE(views.inputs_fingerprint());
  CHECK(contains(views.describe(), "without a fingerprint"));
}

TEST_CASE("a teacher's logits are read from the bytes that NumPy writes") {
  // numpy.save of [[1, -1, 0], [0.5, 2, -0.25]] as float32 and as float16, by NumPy 1.26.
  const auto file_of = [](const char* type, std::string_view elements) {
    return std::string("\x93NUMPY\x01\0\x76\0", 10) + "{'descr': '" + type +
           "', 'fortran_order': False, 'shape': (2, 3), }" + std::string(58, ' ') + "\n" + std::string(elements);
  };
  using namespace std::string_view_literals;
  const Reals expected{{1, -1, 0}, {0.5, 2, -0.25}};
  const LogitsFile file;
  CHECK((file.load(file_of("<f4",
                           "\x00\x00\x80\x3f\x00\x00\x80\xbf\x00\x00\x00\x00"
                           "\x00\x00\x00\x3f\x00\x00\x00\x40\x00\x00\x80\xbe"sv))
             .logits() == expected));
  CHECK((file.load(file_of("<f2", "\x00\x3c\x00\xbc\x00\x00\x00\x38\x00\x40\x00\xb4"sv)).logits() == expected));
}

TEST_CASE("a file that is no table of logits is refused") {
  const LogitsFile file;
  CHECK(is_message(file.refusal(npy(header("<i8", "(1, 1)"), std::string(8, '\0'))), file.path,
                   {"element type: 'i8', expected logits as f2, f4 or f8"}));
  CHECK(is_message(file.refusal(npy(header("<f4", "(2,)"), std::string(8, '\0'))), file.path,
                   {"rank: 1, expected 2 (samples, classes) or 3 (views, samples, classes)"}));
  CHECK(is_message(file.refusal(npy(header("<f2", "(2, 2)"), raw(std::vector<std::uint16_t>{0, 0, 0, 0x7C00}))),
                   file.path, {"element [1, 1]: inf, expected a finite number"}));
  CHECK(
      is_message(file.refusal(npy(header("<f8", "(3, 2, 1)", "True"), raw(std::vector<double>{0, 0, 0, 0, 1e300, 0}))),
                 file.path, {"element [1, 1, 0]: 1e+300, expected a finite number within float's range"}));
}

TEST_CASE("saved logits know their inputs again, and those of other inputs are refused") {
  const LogitsFile file;
  const data::Dataset data = turns();
  const data::Views views{.count = 2, .seed = Seed{5}};
  data::save_teacher_logits(file.path, data::TeacherLogitsTable(answers_to(data, 2), data, {1}, views));
  const data::TeacherLogitsTable table = data::load_teacher_logits(file.path);
  CHECK((table.logits() == answers_to(data, 2)));
  CHECK(contains(table.describe(), ", with a fingerprint of its inputs"));
  CHECK_NOTHROW(table.require_made_for(data, {1}, views, 3));
  CHECK_THROWS_AS(table.require_made_for(data, {.shift = 1, .noise = 0.1}, views, 3), OptionError);
  const data::TeacherLogitsTable of_noisy(answers_to(data, 2), data, {.noise = 0.1}, views);
  CHECK_NOTHROW(of_noisy.require_made_for(data, {.noise = 0.1}, views, 3));
  CHECK_THROWS_AS(of_noisy.require_made_for(data, {.noise = 0.2}, views, 3), OptionError);
  CHECK_THROWS_AS(of_noisy.require_made_for(data, {.noise = 0.1, .mix = 0.5}, views, 3), OptionError);
  const auto refusal = [&](const data::Dataset& other, data::Views other_views) {
    return message_of<OptionError>([&] { table.require_made_for(other, {1}, other_views, 3); });
  };
  // The same samples and as good answers, in another order and in other views.
  CHECK(is_message(refusal(turns(3), views), file.path, {"made for other inputs"}));
  CHECK(is_message(refusal(data, {.count = 2, .seed = Seed{6}}), file.path, {"made for other inputs"}));

  // A table that another program has replaced.
  data::save_npy(file.path, answers_to(data));
  CHECK(is_message(message_of<FormatError>([&] { data::load_teacher_logits(file.path); }), file.beside,
                   {"written for other logits than those in logits.npy"}));
  for (const std::string text :
       {"", "{}", R"({"logits":1})", R"({"inputs":-1,"logits":2})", R"({"inputs":1,"logits":2}3)"}) {
    write_file(file.beside, text);
    CHECK(
        is_message(message_of<FormatError>([&] { data::load_teacher_logits(file.path); }), file.beside, {"expected"}));
  }
  std::filesystem::remove(file.beside);
  const data::TeacherLogitsTable unknown = data::load_teacher_logits(file.path);
  CHECK(contains(message_of<OptionError>([&] { data::save_teacher_logits(file.path, unknown); }),
                 "the table does not know its inputs"));
}

TEST_CASE("logits of unknown inputs must agree with the labels beyond chance") {
  const LogitsFile file;
  const data::Dataset data = turns();
  const auto load = [&](const Reals& logits) {
    data::save_npy(file.path, logits);
    return data::load_teacher_logits(file.path);
  };
  CHECK_NOTHROW(load(answers_to(data)).require_made_for(data, {}, {}, 3));
  const auto shuffled = load(answers_to(turns(1)));  // each row answers the next sample
  CHECK(is_message(message_of<OptionError>([&] { shuffled.require_made_for(data, {}, {}, 3); }), file.path,
                   {"view 0 agrees with 0 of 40 labels, as a random order would, expected row i to answer sample i"}));
  // Labels that are there tell as much where others are missing.
  data::Labels some = data.labels();
  some.resize(30);
  some.resize(40, data::unlabelled);
  const data::Dataset partly{data.features(), some, 3};
  CHECK_NOTHROW(load(answers_to(data)).require_made_for(partly, {}, {}, 3));
  CHECK(is_message(message_of<OptionError>([&] { shuffled.require_made_for(partly, {}, {}, 3); }), file.path,
                   {"view 0 agrees with 0 of 30 labels, as a random order would"}));
  CHECK_NOTHROW(shuffled.require_made_for(partly.without_labels(), {}, {}, 3));
  // The user vouches for it; the labels say nothing; so few samples say nothing.
  CHECK_NOTHROW(data::TeacherLogitsTable(shuffled.logits(), data).require_made_for(data, {}, {}, 3));
  const data::Dataset unlabelled{Bytes(40, 1), data::Labels(40), 3};
  CHECK_NOTHROW(shuffled.require_made_for(unlabelled, {}, {}, 3));
  const data::Dataset few{Bytes(2, 1), data::Labels{0, 1}, 2};
  CHECK_NOTHROW(load(Reals{{0, 2}, {2, 0}}).require_made_for(few, {}, {}, 2));
}

TEST_CASE("logits of other extents than a training's are refused, and both are named") {
  const data::Dataset data = turns();
  const data::TeacherLogitsTable table(answers_to(data), data);
  const auto refusal = [&](const data::Dataset& other, const data::Augmentation& augmentation, std::size_t views,
                           std::size_t classes) {
    return message_of<Error>([&] { table.require_made_for(other, augmentation, {.count = views}, classes); });
  };
  const std::string found = "teacher logits: logits of 1 x 40 x 3, expected ";
  const std::uint32_t first_two[] = {0, 1};
  CHECK(contains(refusal(data.subset(first_two), {}, 0, 3), found + "1 x 2 x 3: views, training samples, classes"));
  CHECK(contains(refusal(data, {1}, 4, 3), found + "4 x 40 x 3"));
  CHECK(contains(refusal(data, {}, 0, 4), found + "1 x 40 x 4"));
  CHECK(contains(refusal(data, {1}, 0, 3), "views.count is 0, new views in every epoch, expected 1"));
  CHECK(contains(message_of<ShapeError>([&] { data::TeacherLogitsTable(Reals(41, 3), data); }), "expected 1 x 40 x 3"));
  CHECK(contains(message_of<ShapeError>([&] { data::TeacherLogitsTable(Reals(81, 3), data, {1}, {.count = 2}); }),
                 "81 rows"));
}

// Tables of several teachers: data/ensemble_logits.hpp.

namespace {

std::vector<double> softmax(std::span<const float> logits, double temperature) {
  std::vector<double> result;
  double sum = 0;
  for (const float logit : logits) {
    result.push_back(std::exp(double{logit} / temperature));
    sum += result.back();
  }
  for (double& probability : result) {
    probability /= sum;
  }
  return result;
}

}  // namespace

TEST_CASE("the probabilities of an ensemble are the weighted mean of its teachers' probabilities") {
  const data::Dataset two{Bytes(2, 1), data::Labels{0, 2}, 3};
  const std::vector<data::TeacherLogitsTable> tables{data::TeacherLogitsTable{Reals{{3, -1, 0.5}, {0, 2, 9}}, two},
                                                     data::TeacherLogitsTable{Reals{{-2, 4, 0}, {10, 9, 8}}, two},
                                                     data::TeacherLogitsTable{Reals{{1, 1, 1}, {-5, 7, 7}}, two}};
  const std::vector<double> weights{1, 0.5, 2.5};
  for (const double temperature : {0.5, 1.0, 4.0, 20.0}) {
    for (const bool weighted : {false, true}) {
      CAPTURE(temperature, weighted);
      const auto table = data::ensemble_logits(tables, temperature, weighted ? weights : std::vector<double>{});
      CHECK(table.inputs_fingerprint() == tables[0].inputs_fingerprint());
      for (std::size_t row = 0; row < 2; ++row) {
        const std::vector<double> found = softmax(table.logits().row(row), temperature);
        for (std::size_t k = 0; k < 3; ++k) {
          double expected = 0;
          for (std::size_t i = 0; i < 3; ++i) {
            expected += (weighted ? weights[i] / 4 : 1.0 / 3) * softmax(tables[i].logits().row(row), temperature)[k];
          }
          CHECK_THAT(found[k], WithinRel(expected, 1e-5));
        }
      }
    }
  }
  // One that counts, alone or beside one of weight 0, gives its own logits.
  for (const auto& own :
       {data::ensemble_logits({tables[1]}, 4), data::ensemble_logits({tables[1], tables[2]}, 4, {3, 0})}) {
    for (std::size_t i = 0; i < 6; ++i) {
      CHECK_THAT(own.logits().values()[i], WithinAbs(tables[1].logits().values()[i], 1e-5));
    }
  }
  // As the temperature grows, the mean of the centred logits.
  const auto warm = data::ensemble_logits({tables[0], tables[1]}, 1e15);
  CHECK_THAT(warm.logits()(0, 1) - warm.logits()(0, 0), WithinAbs(((-1.0 - 3.0) + (4.0 + 2.0)) / 2, 1e-5));
}

TEST_CASE("an ensemble of logits that lie far apart is finite, and right where doubles hold its probabilities") {
  const data::Dataset one{Bytes(1, 1), data::Labels{0}, 2};
  const auto table = [&](float first, float second) { return data::TeacherLogitsTable{Reals{{first, second}}, one}; };
  // Each is sure of another class: half and half, and with weights 1e-20 to 1.
  const auto equal = data::ensemble_logits({table(1e4f, -1e4f), table(-1e4f, 1e4f)}, 1).logits();
  CHECK(equal(0, 0) == equal(0, 1));
  const auto unequal = data::ensemble_logits({table(1e4f, -1e4f), table(-1e4f, 1e4f)}, 1, {1, 1e-20}).logits();
  CHECK_THAT(unequal(0, 0) - unequal(0, 1), WithinAbs(std::log(1e20), 0.01));
  // Both are sure of the first class: the second keeps its place.
  CHECK_THAT(data::ensemble_logits({table(1e4f, -1e4f), table(1e4f, -1e4f)}, 1).logits()(0, 1),
             WithinRel(-1e4f, 1e-6f));
  constexpr float most = std::numeric_limits<float>::max();
  for (const double temperature : {1e-300, 1e-3, 1.0, 1e3, 1e38, 1e300}) {
    for (const auto& logits : {data::ensemble_logits({table(most, -most), table(most, -most)}, temperature).logits(),
                               data::ensemble_logits({table(most, -most), table(-most, most)}, temperature).logits(),
                               data::ensemble_logits({table(most, most), table(most, -most)}, temperature).logits()}) {
      CAPTURE(temperature, logits(0, 0), logits(0, 1));
      CHECK(std::isfinite(logits(0, 0)));
      CHECK(std::isfinite(logits(0, 1)));
    }
  }
}

TEST_CASE("an ensemble of no table, of other tables or with other weights than it can have is refused") {
  const LogitsFile file;
  const data::Dataset data = turns();
  const data::TeacherLogitsTable known(answers_to(data), data);
  const auto refusal = [](const std::vector<data::TeacherLogitsTable>& tables, double temperature = 4,
                          const std::vector<double>& weights = {}) {
    return message_of<Error>([&] { data::ensemble_logits(tables, temperature, weights); });
  };
  CHECK(refusal({}) == "ensemble_logits: no table, expected one or more");
  CHECK(refusal({known}, 0) == "ensemble_logits: temperature is 0, expected a finite number above 0");
  CHECK(refusal({known}, std::nan("")) == "ensemble_logits: temperature is nan, expected a finite number above 0");
  CHECK(refusal({known, known}, 4, {1}) == "ensemble_logits: 1 weights, expected one for each of 2 tables");
  CHECK(refusal({known, known}, 4, {2, -1}) ==
        "ensemble_logits: weight 1 is -1, expected a finite number of at least 0");
  CHECK(contains(refusal({known}, 4, {std::nan("")}), "weight 0 is nan"));
  CHECK(refusal({known, known}, 4, {0, 0}) ==
        "ensemble_logits: the sum of the weights is 0, expected a finite number above 0");
  CHECK(contains(refusal({known, known}, 4, {1e308, 1e308}), "the sum of the weights is inf"));

  const std::uint32_t few[] = {0, 1, 2};
  const data::Dataset part = data.subset(few);
  data::save_npy(file.path, answers_to(part));
  CHECK(refusal({known, data::load_teacher_logits(file.path)}) ==
        concatenate({"ensemble_logits: table 1 (", path_text(file.path),
                     "): logits of 1 x 3 x 3, expected 1 x 40 x 3 as in table 0: views, samples, classes"}));
  const data::TeacherLogitsTable views(answers_to(data, 2), data, {1}, {.count = 2});
  CHECK(contains(refusal({known, views}), "table 1: logits of 2 x 40 x 3, expected 1 x 40 x 3"));
  const data::Dataset other = turns(3);  // the same labels
  const data::TeacherLogitsTable of_other(answers_to(other), other);
  CHECK(refusal({known, known, of_other}) ==
        "ensemble_logits: table 2: made for other inputs than table 0, expected the same");

  // Tables that do not know their inputs: a row beside its place shows, and the result knows no inputs either.
  const auto unknown = [&](const Reals& logits) {
    data::save_npy(file.path, logits);
    return data::load_teacher_logits(file.path);
  };
  CHECK_FALSE(data::ensemble_logits({known, unknown(answers_to(data))}, 4).inputs_fingerprint());
  CHECK(contains(refusal({known, unknown(answers_to(data)), of_other}), "table 2: made for other inputs than table 0"));
  CHECK(contains(
      refusal({unknown(answers_to(turns(1))), known}),
      "view 0 agrees with 0 of 40 answers in table 0 (" + path_text(file.path) + "), as a random order would"));
}
