// SPDX-License-Identifier: MIT
#include "retort/data/save_views.hpp"

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <filesystem>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "catch.hpp"
#include "data/data_test.hpp"
#include "full_disk.hpp"
#include "random_values.hpp"
#include "retort/data/npy.hpp"
#include "retort/data/teacher_logits.hpp"
#include "small_datasets.hpp"
#include "temporary_folder.hpp"

namespace {

using namespace retort;
using namespace retort::test;

using Bytes = data::Matrix<std::uint8_t>;
using Reals = data::Matrix<float>;

struct Files {
  TemporaryFolder folder;
  std::filesystem::path views = folder / "views.npy";
  std::filesystem::path inputs = folder / "views.npy.json";
  std::filesystem::path logits = folder / "logits.npy";

  /// All numbers of the views, as another program reads them.
  template <typename T>
  std::vector<T> read() const {
    const data::Dataset rows = data::load_unlabelled_npy(views);
    const auto values = std::get<data::Matrix<T>>(rows.features()).values();
    return {values.begin(), values.end()};
  }
  bool has_shape(std::string_view type, std::string_view shape) const {
    const std::string header = read_file(views).substr(0, 128);
    return contains(header, "'descr': '" + std::string(type) + "'") &&
           contains(header, "'fortran_order': False, 'shape': " + std::string(shape));
  }
};

/// Number by number, not normalised.
template <typename T>
std::vector<T> expected_views(const data::Dataset& data, const data::Augmentation& augmentation, data::Views views) {
  std::vector<T> values;
  for (std::uint32_t view = 0; view < views.count; ++view) {
    for (std::uint32_t sample = 0; sample < data.size(); ++sample) {
      for (std::size_t feature = 0; feature < data.feature_count(); ++feature) {
        values.push_back(static_cast<T>(data::gathered_feature(data.view(), data::GatherConstants<float>{}, sample,
                                                               {augmentation, views.seed, view}, feature)));
      }
    }
  }
  return values;
}

TEST_CASE("Views of bytes that only move are bytes, each pixel where a training has it", "[data]") {
  const Files files;
  const data::Views views{.count = 3, .seed = Seed{4}};
  const auto grey = noise_images(20, {5, 6}, 4, 1);
  data::save_views(files.views, grey, {.shift = 2}, views);
  CHECK(files.has_shape("|u1", "(3, 20, 5, 6), }"));
  const std::vector<std::uint8_t> found = files.read<std::uint8_t>();
  CHECK((found == expected_views<std::uint8_t>(grey, {.shift = 2}, views)));
  CHECK_FALSE(std::equal(found.begin(), found.begin() + 600, found.begin() + 600));  // another view

  const auto colours = noise_images(7, {4, 3, 3}, 4, 1);
  data::save_views(files.views, colours, {.shift = 1}, views);
  CHECK(files.has_shape("|u1", "(3, 7, 3, 4, 3), }"));
  CHECK((files.read<std::uint8_t>() == expected_views<std::uint8_t>(colours, {.shift = 1}, views)));
}

TEST_CASE("Views that make new values are float32, on the scale of the raw samples", "[data]") {
  const Files files;
  const data::Views views{.count = 2, .seed = Seed{9}};
  const auto images = noise_images(9, {6, 5}, 4, 2);
  const data::Augmentation turned{.shift = 1, .rotation = 20, .scale = 0.1, .elastic = 0.5};
  data::save_views(files.views, images, turned, views);
  CHECK(files.has_shape("<f4", "(2, 9, 6, 5), }"));
  const std::vector<float> found = files.read<float>();
  CHECK((found == expected_views<float>(images, turned, views)));  // bytes are interpolated exactly
  CHECK(*std::ranges::max_element(found) > 128.0f);

  const data::Augmentation noisy{.noise = 0.1, .mix = 0.5};
  const data::Dataset points = clouds(11, 3, 2, 1);
  for (const data::Dataset* data : {&images, &points}) {
    data::save_views(files.views, *data, noisy, views);
    CHECK(files.has_shape("<f4", data == &points ? "(2, 11, 3), }" : "(2, 9, 6, 5), }"));
    const std::vector<float> noise = files.read<float>();
    const std::vector<float> expected = expected_views<float>(*data, noisy, views);
    REQUIRE(noise.size() == expected.size());
    for (std::size_t i = 0; i < noise.size(); ++i) {
      CHECK_THAT(noise[i], Catch::Matchers::WithinAbs(expected[i], 1e-4));
    }
  }
}

TEST_CASE("Views of many samples are written in pieces", "[data]") {
  const Files files;
  const auto images = noise_images(1500, {28, 28}, 4, 3);  // more than 1 MiB
  const data::Views views{.count = 2, .seed = Seed{1}};
  data::save_views(files.views, images, {.shift = 3}, views);
  CHECK((files.read<std::uint8_t>() == expected_views<std::uint8_t>(images, {.shift = 3}, views)));
}

TEST_CASE("Answers beside a copy of what lies beside the views know their inputs", "[data]") {
  const Files files;
  const auto images = noise_images(20, {5, 6}, 4, 1);
  const data::Augmentation shift{.shift = 1};
  const data::Views views{.count = 2, .seed = Seed{4}};
  write_file(files.inputs, R"({"inputs":1,"logits":2})");  // of an earlier table of that name
  data::save_views(files.views, images, shift, views);
  data::detail::write_npy(files.logits, "<f4", false, std::vector<std::size_t>{2, 20, 4},
                          std::as_bytes(std::span<const float>(random_values<float>(160, 1))));
  std::filesystem::copy_file(files.inputs, files.folder / "logits.npy.json");
  const auto table = data::load_teacher_logits(files.logits);
  CHECK(table.views() == 2);
  CHECK_NOTHROW(table.require_made_for(images, shift, views, 4));
  const auto refusal = [&](const data::Dataset& data, const data::Augmentation& augmentation, data::Views other) {
    return message_of<OptionError>([&] { table.require_made_for(data, augmentation, other, 4); });
  };
  CHECK(contains(refusal(images, shift, {.count = 2, .seed = Seed{5}}), "made for other inputs"));
  CHECK(contains(refusal(images, {.shift = 2}, views), "made for other inputs"));
  CHECK(contains(refusal(noise_images(20, {5, 6}, 4, 2), shift, views), "made for other inputs"));
}

TEST_CASE("Views that cannot be drawn or written are refused, and leave what was there", "[data]") {
  const Files files;
  const auto images = noise_images(20, {5, 6}, 4, 1);
  const auto refusal = [&](const data::Augmentation& augmentation, std::size_t count) {
    return message_of<OptionError>([&] { data::save_views(files.views, images, augmentation, {.count = count}); });
  };
  CHECK(refusal({}, 2) == "save_views: the augmentation changes nothing, expected one that does");
  CHECK(refusal({.shift = 1}, 0) == "save_views: views.count is 0, expected a number from 1 to 2^32 - 1");
  CHECK(refusal({.shift = 1}, std::size_t{1} << 32) ==
        "save_views: views.count is 4294967296, expected a number from 1 to 2^32 - 1");
  CHECK(contains(refusal({.shift = 5}, 2), "shift is 5, expected less than the image's extents 5 x 6"));
  CHECK(std::filesystem::is_empty(files.folder.path()));
  CHECK_THROWS_AS(data::save_views(files.folder / "no/views.npy", images, {.shift = 1}, {.count = 1}), FileError);
  data::Dataset moved = images;
  const data::Dataset taken = std::move(moved);
  CHECK_THROWS_AS(data::save_views(files.views, moved, {.shift = 1}, {.count = 1}), Error);

  data::save_views(files.views, images, {.shift = 1}, {.count = 1});
  const std::string pixels = read_file(files.views);
  const std::string inputs = read_file(files.inputs);
  {
    const FullDisk full(1000);
    CHECK_THROWS_AS(data::save_views(files.views, images, {.shift = 1}, {.count = 2}), FileError);
  }
  CHECK(read_file(files.views) == pixels);
  CHECK(read_file(files.inputs) == inputs);
  CHECK(std::distance(std::filesystem::directory_iterator(files.folder.path()), {}) == 2);
}

}  // namespace
