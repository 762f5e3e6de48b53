// SPDX-License-Identifier: MIT
/// @file
/// What files of the largest kind take, and those that hold more than is asked for.

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "allocation_peak.hpp"
#include "brief.hpp"
#include "catch.hpp"
#include "retort/core/error.hpp"
#include "retort/core/text.hpp"
#include "retort/io/preprocessing_text.hpp"
#include "retort/io/safetensors.hpp"
#include "retort/io/safetensors_file.hpp"
#include "retort/train/checkpoint.hpp"
#include "temporary_folder.hpp"

using namespace retort;

namespace {

// Of as many empty tensors as fit into `bytes`.
std::string header_of(std::size_t bytes) {
  std::string text = "{";
  for (std::size_t i = 0; text.size() + 80 < bytes; ++i) {
    text += (i == 0 ? "\"" : ",\"") + std::to_string(i) + R"(":{"dtype":"U8","shape":[0],"data_offsets":[0,0]})";
  }
  return text + '}';
}

void write(const std::filesystem::path& path, const std::string& header) {
  const std::uint64_t size = header.size();
  std::string bytes(reinterpret_cast<const char*>(&size), sizeof(size));
  test::write_file(path, bytes + header);
}

}  // namespace

TEST_CASE("A header takes at most ten times its limit, and one beyond it nothing") {
  const test::TemporaryFolder folder;
  const auto path = folder / "tensors";
  const std::size_t limit = io::default_header_limit / (test::brief ? 64 : 1);
  write(path, header_of(limit));
  const auto tensors = [&](std::uintmax_t most) {
    const io::SafetensorsFile file = io::SafetensorsFile::read(path, most);
    return file.tensors().size();
  };
  std::size_t peak = test::peak_of([&] { CHECK(tensors(limit) > limit / 80); });
  if (test::measures_peaks) {
    CHECK(peak <= 10 * limit);
  }
  write(path, header_of(2 * io::default_header_limit));
  peak = test::peak_of([&] { CHECK_THROWS_AS(io::SafetensorsFile::read(path), FormatError); });
  if (test::measures_peaks) {
    CHECK(peak <= 100'000);
  }
  write(path, header_of(2 * limit));
  CHECK(tensors(2 * limit) > limit / 40);
}

TEST_CASE("What a model's file says of its inputs, and its example, take as many elements as the model has") {
  const auto peak_of_refusal = [](const auto& read) {
    const std::size_t peak = test::peak_of([&] { CHECK_THROWS_WITH(read(), Catch::Matchers::Contains("at most 3")); });
    return test::measures_peaks ? peak : 0;
  };
  const auto array_of = [](const char* element) {
    std::string text = "[";
    for (std::size_t i = 0; i < 100'000; ++i) {
      text += concatenate({i == 0 ? "" : ",", element});
    }
    return text + ']';
  };
  const std::string start = R"({"raw":"real","mean":0,"standard_deviation":1,)";
  for (const std::string& text :
       {start + R"("column_means":)" + array_of("1") + "}", start + R"("column_deviations":)" + array_of("1") + "}",
        start + R"("class_names":)" + array_of(R"("")") + "}"}) {
    CHECK(peak_of_refusal([&] { io::detail::read_preprocessing(text, 3, 3); }) <= 100'000);
  }
  for (const char* name : {"input", "logits"}) {
    const std::string text = concatenate({"{\"", name, "\":", array_of("1"), "}"});
    std::vector<float> input;
    std::vector<float> logits;
    CHECK(peak_of_refusal([&] { io::detail::read_example(text, 3, 3, input, logits); }) <= 100'000);
  }
}

TEST_CASE("A checkpoint takes at most four times its file, of which its history may be nearly all") {
  const test::TemporaryFolder folder;
  const auto path = folder / "checkpoint";
  internal::Checkpoint checkpoint{};
  checkpoint.history.resize(8'200);  // just after a vector has grown
  internal::save_checkpoint(path, checkpoint);
  const std::size_t peak =
      test::peak_of([&] { CHECK(internal::load_checkpoint(path, {}).history.size() == checkpoint.history.size()); });
  if (test::measures_peaks) {
    CHECK(peak <= 4 * std::filesystem::file_size(path));
  }
}
