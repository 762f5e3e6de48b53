// SPDX-License-Identifier: MIT
#include "retort/io/safetensors_file.hpp"

#include <bit>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <iterator>
#include <limits>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "catch.hpp"
#include "retort/core/philox.hpp"
#include "temporary_folder.hpp"

namespace {

using retort::FileError;
using retort::FormatError;
using retort::ShapeError;
using retort::io::DType;
using retort::io::Metadata;
using retort::io::SafetensorsFile;
using retort::io::Tensor;
using retort::io::write_safetensors;
using retort::test::read_file;
using retort::test::TemporaryFolder;
using retort::test::write_file;

// A file from its parts: the length is that of `header`.
std::string assembled(std::string_view header, std::string_view data) {
  const std::uint64_t size = header.size();
  std::string bytes(sizeof(size), '\0');
  std::memcpy(bytes.data(), &size, sizeof(size));
  return bytes.append(header).append(data);
}

// What FormatError says of a file with these bytes; empty where the file is accepted.
std::string complaint(const std::filesystem::path& path, std::string_view bytes) {
  write_file(path, bytes);
  try {
    SafetensorsFile::read(path);
  } catch (const FormatError& error) {
    return error.what();
  }
  return "";
}

bool contains(std::string_view text, std::string_view part) { return text.find(part) != std::string_view::npos; }

template <typename Scalar>
std::vector<Scalar> values(const SafetensorsFile& file, std::string_view name) {
  std::vector<Scalar> result(file.at(name).count());
  file.copy_to<Scalar>(file.at(name), result);
  return result;
}

// safetensors.numpy.save({"weight": np.array([[1.5, -2.0], [0.25, 3.0]], np.float32), "bias": np.array([1, -2])},
// {"format": "pt"}) of the Python package safetensors 0.8.0.
std::string python_file() {
  using namespace std::string_literals;
  return "\x98\x00\x00\x00\x00\x00\x00\x00"s
         R"({"__metadata__":{"format":"pt"},"bias":{"dtype":"I64","shape":[2],"data_offsets":[0,16]},)"s
         R"("weight":{"dtype":"F32","shape":[2,2],"data_offsets":[16,32]}} )"s
         "\x01\x00\x00\x00\x00\x00\x00\x00\xfe\xff\xff\xff\xff\xff\xff\xff"s
         "\x00\x00\xc0\x3f\x00\x00\x00\xc0\x00\x00\x80\x3e\x00\x00\x40\x40"s;
}

}  // namespace

TEST_CASE("a file made by the Python package is read") {
  const TemporaryFolder folder;
  write_file(folder / "python.safetensors", python_file());
  const SafetensorsFile file = SafetensorsFile::read(folder / "python.safetensors");
  REQUIRE(file.metadata() == Metadata{{"format", "pt"}});
  REQUIRE(file.tensors().size() == 2);
  REQUIRE(file.tensors()[0].name == "bias");
  REQUIRE(file.at("bias").dtype == DType::I64);
  REQUIRE(file.at("weight").dtype == DType::F32);
  REQUIRE(file.at("weight").shape == std::vector<std::size_t>{2, 2});
  REQUIRE(values<float>(file, "weight") == std::vector<float>{1.5f, -2.0f, 0.25f, 3.0f});
  REQUIRE(values<std::int64_t>(file, "bias") == std::vector<std::int64_t>{1, -2});
}

TEST_CASE("what is written is read back, byte for byte and in order") {
  const TemporaryFolder folder;
  const std::filesystem::path path = folder / "model.safetensors";
  const std::vector<float> weights{
      1.5f,          -0.0f, std::numeric_limits<float>::infinity(), std::numeric_limits<float>::denorm_min(),
      std::nanf(""), 3.0f};
  const std::vector<double> doubles{1e300, -1e-300};
  const std::vector<std::int64_t> counts{std::numeric_limits<std::int64_t>::min()};
  const std::vector<std::uint64_t> fingerprints{std::numeric_limits<std::uint64_t>::max(), 0, 1};
  const std::vector<std::uint8_t> bytes{0, 255, 7};
  const Metadata metadata{{"signature", "784-20-10"}, {"\"quoted\"\n", "\xC3\xA9 \x01 \\"}, {"empty", ""}};
  const std::vector<Tensor> tensors{
      Tensor::of<float>("0.weight", {2, 3}, weights), Tensor::of<std::uint8_t>("odd \"name\"", {1, 3, 1}, bytes),
      Tensor::of<double>("unaligned", {2}, doubles),  Tensor::of<std::int64_t>("count", {}, counts),
      Tensor::of<float>("nothing", {0, 5}, {}),       Tensor::of<std::uint64_t>("fingerprint", {3}, fingerprints)};
  write_safetensors(path, tensors, metadata);

  const SafetensorsFile file = SafetensorsFile::read(path);
  REQUIRE(file.path() == path);
  REQUIRE(file.metadata() == metadata);
  REQUIRE(file.tensors().size() == tensors.size());
  for (std::size_t index = 0; index < tensors.size(); ++index) {
    const Tensor& read = file.tensors()[index];
    CHECK(read.name == tensors[index].name);
    CHECK(read.dtype == tensors[index].dtype);
    CHECK(read.shape == tensors[index].shape);
    CHECK(std::equal(read.bytes.begin(), read.bytes.end(), tensors[index].bytes.begin(), tensors[index].bytes.end()));
    CHECK(file.find(read.name) == &read);
  }
  CHECK(values<double>(file, "unaligned") == doubles);
  CHECK(values<std::int64_t>(file, "count") == counts);
  CHECK(values<std::uint64_t>(file, "fingerprint") == fingerprints);
  CHECK(values<std::uint8_t>(file, "odd \"name\"") == bytes);

  SECTION("equal contents give equal files") {
    write_safetensors(folder / "again.safetensors", tensors, metadata);
    CHECK(read_file(folder / "again.safetensors") == read_file(path));
  }
  SECTION("the data is aligned, in the file and in memory") {
    std::uint64_t header_size = 0;
    const std::string contents = read_file(path);
    std::memcpy(&header_size, contents.data(), sizeof(header_size));
    CHECK((header_size + 8) % 64 == 0);
    CHECK(reinterpret_cast<std::uintptr_t>(file.tensors()[0].bytes.data()) % 64 == 0);
  }
  SECTION("a moved file keeps its tensors") {
    SafetensorsFile source = SafetensorsFile::read(path);
    const SafetensorsFile moved = std::move(source);
    CHECK(values<double>(moved, "unaligned") == doubles);
  }
}

TEST_CASE("a file without tensors or metadata is a file") {
  const TemporaryFolder folder;
  write_safetensors(folder / "empty.safetensors", {});
  const SafetensorsFile file = SafetensorsFile::read(folder / "empty.safetensors");
  CHECK(file.tensors().empty());
  CHECK(file.metadata().empty());
}

TEST_CASE("the Python package reads what is written") {
  if (std::system("python3 -c 'import safetensors.numpy' 2> /dev/null") != 0) {
    retort::test::skip("python3 with the package safetensors is not installed");
    return;
  }
  const TemporaryFolder folder;
  const std::filesystem::path path = folder / "model.safetensors";
  const std::vector<std::uint8_t> bytes{7};
  const std::vector<float> weights{1.5f, -2.0f};
  write_safetensors(
      path,
      std::vector{Tensor::of<std::uint8_t>("flag", {1}, bytes), Tensor::of<float>("\xC3\xA9.weight", {2, 1}, weights)},
      {{"format", "pt"}});
  const std::string script =
      "import sys, safetensors, safetensors.numpy as n; f = n.load_file(sys.argv[1]);"
      "m = safetensors.safe_open(sys.argv[1], \"np\").metadata();"
      "w = f[chr(233) + \".weight\"];"
      "assert m.pop(\"retort.checksum\").isdigit();"
      "assert m == {\"format\": \"pt\"} and f[\"flag\"].tolist() == [7];"
      "assert w.dtype == \"float32\" and w.tolist() == [[1.5], [-2.0]]";
  CHECK(std::system(("python3 -c '" + script + "' '" + path.string() + "'").c_str()) == 0);
}

TEST_CASE("a file cut short or with a byte too many is refused") {
  const TemporaryFolder folder;
  const std::string whole = python_file();
  REQUIRE(complaint(folder / "cut", whole).empty());
  for (std::size_t size = 0; size < whole.size(); ++size) {
    CAPTURE(size);
    const std::string message = complaint(folder / "cut", std::string_view(whole).substr(0, size));
    CHECK(contains(message, "expected"));
    CHECK(message.starts_with((folder / "cut").string() + ": "));
  }
  CHECK(contains(complaint(folder / "long", whole + "x"), "data: 33 bytes, expected the 32"));
}

TEST_CASE("each malformed file is refused with a line that says what was expected") {
  const TemporaryFolder folder;
  struct Case {
    std::string header;
    std::size_t data_size;
    std::string expected;
  };
  const std::string good = R"("dtype":"F32","shape":[2],"data_offsets":[0,8])";
  const std::string deep(200'000, '[');
  const std::string deep_objects = [] {
    std::string text = "{";
    for (int depth = 0; depth < 100'000; ++depth) {
      text += R"("a":{)";
    }
    return text;
  }();
  const std::vector<Case> cases{
      {"", 0, "begins with '{'"},
      {" {}", 0, "begins with '{'"},
      {"[]", 0, "begins with '{'"},
      {"\xEF\xBB\xBF{}", 0, "begins with '{'"},
      {"{", 0, "no valid JSON"},
      {"{}}", 0, "no valid JSON"},
      {"{} {}", 0, "no valid JSON"},
      {"{}/* */", 0, "no valid JSON"},
      {std::string("{}\0x", 4), 0, "zero byte"},
      {"{\"\xFF\":{" + good + "}}", 8, "no valid JSON"},
      {"{\"a\":{" + good + ",}}", 8, "no valid JSON"},
      {"{\"a\":{" + good + "},\"a\":{" + good + "}}", 8, "key \"a\" stands twice"},
      {"{\"a\":{" + good + ",\"dtype\":\"F32\"}}", 8, "field \"dtype\" again"},
      {"{\"a\":{" + good + ",\"strides\":[1]}}", 8, "field \"strides\", expected dtype"},
      {R"({"a":{"shape":[2],"data_offsets":[0,8]}})", 8, "tensor \"a\": no dtype"},
      {R"({"a":{"dtype":"F32","data_offsets":[0,8]}})", 8, "tensor \"a\": no shape"},
      {R"({"a":{"dtype":"F32","shape":[2]}})", 8, "tensor \"a\": no data_offsets"},
      {R"({"a":{}})", 0, "tensor \"a\": no dtype"},
      {R"({"a":1})", 0, "tensor \"a\": a number, expected an object"},
      {R"({"a":null})", 0, "tensor \"a\": null, expected an object"},
      {R"({"a":[]})", 0, "tensor \"a\": an array, expected an object"},
      {R"({"a":{"dtype":"F33","shape":[2],"data_offsets":[0,8]}})", 8, "dtype: \"F33\", expected a dtype"},
      {R"({"a":{"dtype":"f32","shape":[2],"data_offsets":[0,8]}})", 8, "dtype: \"f32\", expected a dtype"},
      {R"({"a":{"dtype":32,"shape":[2],"data_offsets":[0,8]}})", 8, "dtype: a number, expected a string"},
      {R"({"a":{"dtype":"F32","shape":2,"data_offsets":[0,8]}})", 8, "shape: a number, expected an array"},
      {R"({"a":{"dtype":"F32","shape":[2.0],"data_offsets":[0,8]}})", 8, "shape: a number with a fraction"},
      {R"({"a":{"dtype":"F32","shape":[-2],"data_offsets":[0,8]}})", 8, "shape: a negative number"},
      {R"({"a":{"dtype":"F32","shape":["2"],"data_offsets":[0,8]}})", 8, "shape: a string"},
      {R"({"a":{"dtype":"F32","shape":[[2]],"data_offsets":[0,8]}})", 8, "shape: an array"},
      {R"({"a":{"dtype":"F32","shape":[true],"data_offsets":[0,8]}})", 8, "shape: a boolean"},
      {R"({"a":{"dtype":"F32","shape":{},"data_offsets":[0,8]}})", 8, "shape: an object"},
      {R"({"a":{"dtype":"F32","shape":[18446744073709551616],"data_offsets":[0,8]}})", 8, "too large"},
      {R"({"a":{"dtype":"F32","shape":[2],"data_offsets":[0]}})", 8,
       "data_offsets: 1 numbers, expected an array of two"},
      {R"({"a":{"dtype":"F32","shape":[2],"data_offsets":[]}})", 8, "data_offsets: 0 numbers"},
      {R"({"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8,8]}})", 8, "data_offsets: a number, expected"},
      {R"({"a":{"dtype":"F32","shape":[2],"data_offsets":"0,8"}})", 8, "data_offsets: a string"},
      {R"({"a":{"dtype":"F32","shape":[2],"data_offsets":[8,0]}})", 8, "[8, 0], expected begin <= end"},
      {R"({"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}})", 4, "expected begin <= end <= 4"},
      {R"({"a":{"dtype":"F32","shape":[2],"data_offsets":[0,18446744073709551615]}})", 8, "expected begin <= end"},
      {R"({"a":{"dtype":"F32","shape":[3],"data_offsets":[0,8]}})", 8, "expected 12 bytes for dtype F32 and shape [3]"},
      {R"({"a":{"dtype":"F32","shape":[],"data_offsets":[0,8]}})", 8, "expected 4 bytes for dtype F32 and shape []"},
      {R"({"a":{"dtype":"F32","shape":[4611686018427387906],"data_offsets":[0,8]}})", 8, "a countable number"},
      {R"({"a":{"dtype":"U8","shape":[4294967296,4294967296],"data_offsets":[0,0]}})", 0, "a countable number"},
      {R"({"a":{"dtype":"F4","shape":[3],"data_offsets":[0,2]}})", 2, "a countable number"},
      {R"({"a":{"dtype":"F32","shape":[1],"data_offsets":[4,8]}})", 8, "expected to begin at 0"},
      {R"({"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},"b":{"dtype":"F32","shape":[1],"data_offsets":[8,12]}})",
       12, "tensor \"b\": data_offsets [8, 12], expected to begin at 4"},
      {R"({"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]},"b":{"dtype":"F32","shape":[2],"data_offsets":[4,12]}})",
       12, "tensor \"b\": data_offsets [4, 12], expected to begin at 8"},
      {R"({"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]},"b":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}})",
       8, "tensor \"b\": data_offsets [0, 8], expected to begin at 8"},
      {R"({"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}})", 9, "data: 9 bytes, expected the 8"},
      {"{}", 1, "data: 1 bytes, expected the 0"},
      {R"({"__metadata__":null})", 0, "__metadata__: null, expected an object"},
      {R"({"__metadata__":"text"})", 0, "__metadata__: a string, expected an object"},
      {R"({"__metadata__":{"a":1}})", 0, "__metadata__, \"a\": a number, expected a string"},
      {R"({"__metadata__":{"a":{}}})", 0, "__metadata__, \"a\": an object, expected a string"},
      {R"({"__metadata__":{"a":"1","a":"2"}})", 0, "__metadata__: key \"a\" stands twice"},
      {R"({"__metadata__":{},"__metadata__":{}})", 0, "key \"__metadata__\" stands twice"},
      {"{\"a\":" + deep, 0, "tensor \"a\": an array"},
      {"{\"a\":{\"dtype\":\"F32\",\"shape\":" + deep, 0, "shape: an array"},
      {deep_objects, 0, "expected dtype, shape and data_offsets"},
      {"{\"a\":{\"dtype\":\"F32\",\"shape\":[1e999]", 0, "shape: a number with a fraction or too large"},
      {"{\"two\\nlines " + std::string(1000, 'x') + "\":1}", 0, "tensor \"two\\nlines xxx"},
  };
  for (const Case& malformed : cases) {
    const std::string message =
        complaint(folder / "bad.safetensors", assembled(malformed.header, std::string(malformed.data_size, '\0')));
    CAPTURE(malformed.header.substr(0, 200), message);
    CHECK(contains(message, malformed.expected));
    CHECK(contains(message, "expected"));
    CHECK(message.starts_with((folder / "bad.safetensors").string() + ": "));
    CHECK(!contains(message, "\n"));
    CHECK(message.size() < 500);
  }
}

TEST_CASE("a header length beyond the file or the format's limit is refused before memory is asked for") {
  const TemporaryFolder folder;
  for (const std::uint64_t size :
       {std::uint64_t{3}, std::uint64_t{100'000'001}, std::uint64_t{1} << 63, ~std::uint64_t{0}}) {
    std::string bytes = assembled("{}", "");
    std::memcpy(bytes.data(), &size, sizeof(size));
    CAPTURE(size);
    CHECK(contains(complaint(folder / "length", bytes),
                   "header length: " + std::to_string(size) + ", expected at most 2"));
  }
  // A sparse file: large, and nothing on the disk.
  std::string bytes = assembled("{}", "");
  const std::uint64_t size = 100'000'001;
  std::memcpy(bytes.data(), &size, sizeof(size));
  write_file(folder / "sparse", bytes);
  std::filesystem::resize_file(folder / "sparse", std::uintmax_t{1} << 40);
  const auto refused = [&](std::uintmax_t limit) {
    try {
      SafetensorsFile::read(folder / "sparse", limit);
    } catch (const FormatError& error) {
      return std::string(error.what());
    }
    return std::string("read");
  };
  CHECK(contains(refused(retort::io::default_header_limit), "expected at most 16777216, the limit"));
  CHECK(contains(refused(~std::uintmax_t{0}), "expected at most 100000000, the format's limit"));
  bytes = assembled("{}", "");
  write_file(folder / "sparse", bytes);
  std::filesystem::resize_file(folder / "sparse", std::uintmax_t{1} << 40);
  CHECK_THROWS_AS(SafetensorsFile::read(folder / "sparse"), FormatError);
}

TEST_CASE("what the format allows is accepted") {
  const TemporaryFolder folder;
  const std::vector<std::pair<std::string, std::size_t>> cases{
      {"{}", 0},
      {"{ }  \n\t ", 0},
      {R"({"a":{"dtype":"F32","shape":[],"data_offsets":[0,4]}})", 4},
      {R"({"b":{"dtype":"I8","shape":[1],"data_offsets":[4,5]},"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}})",
       5},
      {R"({"a":{"data_offsets":[0,0],"shape":[18446744073709551615,18446744073709551615,0],"dtype":"F64"}})", 0},
      {R"({"a":{"dtype":"F4","shape":[4],"data_offsets":[0,2]}})", 2},
      {R"({"a":{"dtype":"F6_E2M3","shape":[4],"data_offsets":[0,3]}})", 3},
      {R"({"a":{"dtype":"C64","shape":[2],"data_offsets":[0,16]}})", 16},
      {R"({"__metadata__":{},"":{"dtype":"BOOL","shape":[1,1],"data_offsets":[0,1]}})", 1},
  };
  for (const auto& [header, data_size] : cases) {
    CAPTURE(header);
    CHECK(complaint(folder / "good", assembled(header, std::string(data_size, '\0'))).empty());
  }
}

TEST_CASE("a file changed at random is refused or read, and nothing else happens") {
  const TemporaryFolder folder;
  const std::filesystem::path path = folder / "changed";
  const std::string whole = python_file();
  const std::string_view marks = "{}[]\",:0123456789-.eE\\u \n\x80\xFF";
  retort::RandomSequence random(retort::RandomStream(retort::Seed{2}, retort::Stream::synthetic, 0));
  const auto below = [&random](std::size_t bound) { return random.below(static_cast<std::uint32_t>(bound)); };
  std::size_t accepted = 0;
  constexpr int rounds = 4000;
  for (int round = 0; round < rounds; ++round) {
    std::string bytes = whole;
    for (std::uint32_t changes = 1 + below(3); changes > 0 && !bytes.empty(); --changes) {
      const std::size_t at = below(bytes.size());
      switch (below(6)) {
        case 0:
          bytes[at] = static_cast<char>(static_cast<unsigned char>(bytes[at]) ^ (1u << below(8)));
          break;
        case 1:
          bytes[at] = marks[below(marks.size())];
          break;
        case 2:
          bytes.erase(at, 1 + below(4));
          break;
        case 3:
          bytes.insert(at, 1, marks[below(marks.size())]);
          break;
        case 4:
          bytes.insert(at, bytes.substr(below(bytes.size()), below(40)));
          break;
        default:
          bytes.resize(at);
      }
      // Most changes would be caught by the length alone: keep it right half of the time.
      if (bytes.size() > 40 && below(2) == 0) {
        const std::uint64_t size = bytes.size() - 40;
        std::memcpy(bytes.data(), &size, sizeof(size));
      }
    }
    write_file(path, bytes);
    try {
      const SafetensorsFile file = SafetensorsFile::read(path);
      ++accepted;
      for (const Tensor& tensor : file.tensors()) {
        std::vector<double> copy(tensor.count());
        try {
          file.copy_to<double>(tensor, copy);
        } catch (const FormatError&) {
        }
      }
    } catch (const FormatError&) {
    }
  }
  CHECK(accepted > 0);
  CHECK(accepted < rounds);
}

TEST_CASE("a file that is missing, a folder or out of reach is a FileError that names it") {
  const TemporaryFolder folder;
  CHECK_THROWS_AS(SafetensorsFile::read(folder / "missing"), FileError);
  CHECK_THROWS_AS(SafetensorsFile::read(folder.path()), FileError);
  CHECK_THROWS_AS(SafetensorsFile::read(""), FileError);
  CHECK_THROWS_AS(SafetensorsFile::read("/dev/zero"), FileError);
  try {
    SafetensorsFile::read(folder / "missing");
  } catch (const FileError& error) {
    CHECK(contains(error.what(), (folder / "missing").string()));
    CHECK(contains(error.what(), "No such file"));
  }
  const std::vector<float> value{1.0f};
  CHECK_THROWS_AS(write_safetensors(folder / "no" / "file", std::vector{Tensor::of<float>("a", {1}, value)}),
                  FileError);
}

TEST_CASE("what the format cannot say is not written, and the old file stays") {
  const TemporaryFolder folder;
  const std::filesystem::path path = folder / "model.safetensors";
  write_file(path, "old");
  const std::vector<float> two{1.0f, 2.0f};
  const auto write = [&](const std::vector<Tensor>& tensors, const Metadata& metadata = {}) {
    write_safetensors(path, tensors, metadata);
  };
  CHECK_THROWS_AS(write({Tensor::of<float>("a", {3}, two)}), ShapeError);
  CHECK_THROWS_AS(write({Tensor::of<float>("a", {1, 1}, two)}), ShapeError);
  CHECK_THROWS_AS(write({Tensor::of<float>("a", {std::size_t{1} << 62, 2}, {})}), ShapeError);
  CHECK_THROWS_AS(write({Tensor::of<float>("a", {2}, two), Tensor::of<float>("a", {2}, two)}), FormatError);
  CHECK_THROWS_AS(write({Tensor::of<float>("__metadata__", {2}, two)}), FormatError);
  CHECK_THROWS_AS(write({Tensor::of<float>("\xFF", {2}, two)}), FormatError);
  CHECK_THROWS_AS(write({}, {{"a", "\xC3"}}), FormatError);
  CHECK_THROWS_AS(write({}, {{"a", std::string(retort::io::default_header_limit, 'x')}}), FormatError);
  CHECK(read_file(path) == "old");
  CHECK(std::distance(std::filesystem::directory_iterator(folder.path()), {}) == 1);
}

TEST_CASE("a missing tensor and a wrong count or type are named") {
  const TemporaryFolder folder;
  write_file(folder / "f", python_file());
  const SafetensorsFile file = SafetensorsFile::read(folder / "f");
  const auto message = [](const auto& call) -> std::string {
    try {
      call();
    } catch (const FormatError& error) {
      return error.what();
    }
    return "";
  };
  std::vector<float> floats(3);
  std::vector<std::int32_t> integers(4);
  std::vector<std::uint32_t> counts(2);
  CHECK(file.find("0.weight") == nullptr);
  CHECK(message([&] { file.at("0.weight"); }) ==
        (folder / "f").string() + ": tensor \"0.weight\": missing, expected among the file's 2 tensors");
  CHECK(message([&] { file.copy_to<float>(file.at("weight"), floats); }) ==
        (folder / "f").string() + ": tensor \"weight\": shape [2, 2], expected 3 elements");
  CHECK(contains(message([&] { file.copy_to<std::int32_t>(file.at("weight"), integers); }),
                 "tensor \"weight\": dtype F32, expected an integer"));
  CHECK(contains(message([&] { file.copy_to<std::uint32_t>(file.at("bias"), counts); }),
                 "tensor \"bias\": element 1 is -2, expected a number that fits U32"));
}

TEST_CASE("numbers keep their value when copied to another type") {
  const TemporaryFolder folder;
  const auto stored = [&folder](DType dtype, const auto& elements) {
    write_safetensors(folder / "one",
                      std::vector{Tensor{"t", dtype, {elements.size()}, std::as_bytes(std::span(elements))}});
    return SafetensorsFile::read(folder / "one");
  };
  using Words = std::vector<std::uint16_t>;
  using Floats = std::vector<float>;
  using Doubles = std::vector<double>;
  const float infinity = std::numeric_limits<float>::infinity();

  CHECK(values<float>(stored(DType::F16, Words{0x0000, 0x3C00, 0xC000, 0x7BFF, 0x0001, 0x83FF, 0x0400, 0x7C00, 0xFC00}),
                      "t") ==
        Floats{0.0f, 1.0f, -2.0f, 65504.0f, 0x1p-24f, -0x1.FF8p-15f, 0x1p-14f, infinity, -infinity});
  CHECK(values<double>(stored(DType::BF16, Words{0x0000, 0x3F80, 0xC000, 0x7F7F, 0x0001, 0xFF80}), "t") ==
        Doubles{0.0, 1.0, -2.0, 0x1.FEp127, 0x1p-133, -infinity});
  CHECK(std::isnan(values<float>(stored(DType::F16, Words{0x7E00}), "t")[0]));
  CHECK(std::isnan(values<float>(stored(DType::BF16, Words{0x7FC0}), "t")[0]));
  CHECK(std::signbit(values<float>(stored(DType::F16, Words{0x8000}), "t")[0]));
  CHECK(values<float>(stored(DType::F64, Doubles{0.1, 1e-60}), "t") == Floats{0.1f, 0.0f});
  CHECK(values<float>(stored(DType::F64, Doubles{std::numeric_limits<double>::infinity()}), "t")[0] == infinity);
  CHECK_THROWS_AS(values<float>(stored(DType::F64, Doubles{0.0, 1e300}), "t"), FormatError);
  CHECK(values<double>(stored(DType::F32, Floats{0.1f}), "t") == Doubles{static_cast<double>(0.1f)});

  using Longs = std::vector<std::int64_t>;
  CHECK(values<float>(stored(DType::I64, Longs{-(1 << 24), 1 << 24}), "t") == Floats{-0x1p24f, 0x1p24f});
  CHECK_THROWS_AS(values<float>(stored(DType::I64, Longs{(1 << 24) + 1}), "t"), FormatError);
  CHECK_THROWS_AS(values<float>(stored(DType::I64, Longs{-(1 << 24) - 1}), "t"), FormatError);
  CHECK_THROWS_AS(values<double>(stored(DType::I64, Longs{std::numeric_limits<std::int64_t>::min()}), "t"),
                  FormatError);
  CHECK_THROWS_AS(values<double>(stored(DType::U64, std::vector<std::uint64_t>{~std::uint64_t{0}}), "t"), FormatError);
  CHECK_THROWS_AS(values<std::int64_t>(stored(DType::U64, std::vector<std::uint64_t>{~std::uint64_t{0}}), "t"),
                  FormatError);
  CHECK_THROWS_AS(values<std::uint8_t>(stored(DType::I64, Longs{256}), "t"), FormatError);
  CHECK(values<std::int64_t>(stored(DType::I8, std::vector<std::int8_t>{-128, 127}), "t") == Longs{-128, 127});
  CHECK(values<float>(stored(DType::I32, std::vector<std::int32_t>{-5}), "t") == Floats{-5.0f});
  CHECK(values<float>(stored(DType::U16, Words{65535}), "t") == Floats{65535.0f});
  CHECK(values<std::int64_t>(stored(DType::I16, std::vector<std::int16_t>{-5}), "t") == Longs{-5});
  CHECK(values<std::int64_t>(stored(DType::U32, std::vector<std::uint32_t>{~0u}), "t") == Longs{4294967295});
  for (const DType dtype : {DType::BOOL, DType::F8_E4M3, DType::F8_E5M2}) {
    const SafetensorsFile file = stored(dtype, std::vector<std::uint8_t>{1});
    CHECK_THROWS_AS(values<float>(file, "t"), FormatError);
    CHECK_THROWS_AS(values<std::uint8_t>(file, "t"), FormatError);
  }
}

TEST_CASE("every half and bfloat16 is the float of the same bits' value") {
  for (std::uint32_t bits = 0; bits < 65536; ++bits) {
    const bool negative = (bits & 0x8000u) != 0;
    const int half_exponent = static_cast<int>(bits >> 10 & 0x1F);
    const int half_fraction = static_cast<int>(bits & 0x3FF);
    const float half = retort::internal::half_to_float(static_cast<std::uint16_t>(bits));
    const double magnitude =
        half_exponent == 0 ? std::ldexp(half_fraction, -24) : std::ldexp(1024 + half_fraction, half_exponent - 25);
    if (half_exponent == 31) {
      REQUIRE((half_fraction == 0 ? std::isinf(half) : std::isnan(half)));
    } else {
      REQUIRE(static_cast<double>(half) == (negative ? -magnitude : magnitude));
    }
    REQUIRE(std::signbit(half) == negative);
    REQUIRE(std::bit_cast<std::uint32_t>(retort::internal::bfloat16_to_float(static_cast<std::uint16_t>(bits))) ==
            bits << 16);
  }
}

TEST_CASE("every dtype has its own name, which leads back to it") {
#define RETORT_TEST_NAMED(name) std::pair(DType::name, #name)
  const std::pair<DType, std::string_view> dtypes[] = {
      RETORT_TEST_NAMED(BOOL),        RETORT_TEST_NAMED(F4),          RETORT_TEST_NAMED(F6_E2M3),
      RETORT_TEST_NAMED(F6_E3M2),     RETORT_TEST_NAMED(U8),          RETORT_TEST_NAMED(I8),
      RETORT_TEST_NAMED(F8_E5M2),     RETORT_TEST_NAMED(F8_E4M3),     RETORT_TEST_NAMED(F8_E8M0),
      RETORT_TEST_NAMED(F8_E4M3FNUZ), RETORT_TEST_NAMED(F8_E5M2FNUZ), RETORT_TEST_NAMED(I16),
      RETORT_TEST_NAMED(U16),         RETORT_TEST_NAMED(F16),         RETORT_TEST_NAMED(BF16),
      RETORT_TEST_NAMED(I32),         RETORT_TEST_NAMED(U32),         RETORT_TEST_NAMED(F32),
      RETORT_TEST_NAMED(C64),         RETORT_TEST_NAMED(F64),         RETORT_TEST_NAMED(I64),
      RETORT_TEST_NAMED(U64)};
#undef RETORT_TEST_NAMED
  for (const auto& [dtype, name] : dtypes) {
    CHECK(retort::io::dtype_name(dtype) == name);
    CHECK(retort::io::detail::parse_dtype(name) == dtype);
    CHECK(retort::io::detail::dtype_bits(dtype) >= 4);
  }
  CHECK(std::size(dtypes) == std::size(retort::io::detail::dtype_facts));
  CHECK(retort::io::detail::dtype_bits(DType::BF16) == 16);
  CHECK(!retort::io::detail::parse_dtype("F128"));
  STATIC_REQUIRE(retort::io::dtype_of<float>() == DType::F32);
  STATIC_REQUIRE(retort::io::dtype_of<double>() == DType::F64);
  STATIC_REQUIRE(retort::io::dtype_of<std::int64_t>() == DType::I64);
  STATIC_REQUIRE(retort::io::dtype_of<std::uint8_t>() == DType::U8);
  STATIC_REQUIRE(retort::io::dtype_of<std::uint64_t>() == DType::U64);
}
