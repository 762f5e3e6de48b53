// SPDX-License-Identifier: MIT
#include "retort/data/save_views.hpp"

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <filesystem>
#include <functional>
#include <numeric>
#include <span>
#include <string>
#include <vector>

#include "catch.hpp"
#include "retort/backend/eigen/backend.hpp"
#include "retort/core/error.hpp"
#include "retort/data/npy.hpp"
#include "small_datasets.hpp"
#include "temporary_folder.hpp"

namespace {

using namespace retort;

struct Fixture {
  test::TemporaryFolder folder;
  std::filesystem::path path = folder / "views.npy";
  data::Dataset images = test::noise_images(300, {5, 6}, 4, 1);
  data::Augmentation turned{.shift = 1, .rotation = 10, .noise = 0.1};
  data::Views views{.count = 3, .seed = Seed{7}};
};

std::vector<float> elements(const std::filesystem::path& path, const std::vector<std::size_t>& shape) {
  const std::vector<std::uint8_t> bytes = data::read_plain_or_gzip(path, data::default_size_limit);
  const data::detail::NpyHeader header = data::detail::read_npy_header(path, bytes);
  CHECK(header.type == "f4");
  CHECK(header.shape == shape);
  const std::size_t count = std::accumulate(shape.begin(), shape.end(), std::size_t{1}, std::multiplies<>{});
  REQUIRE(bytes.size() >= count * sizeof(float));
  std::vector<float> values(count);
  std::memcpy(values.data(), bytes.data() + bytes.size() - count * sizeof(float), count * sizeof(float));
  return values;
}

TEST_CASE("A file of views has what a training sees, bit for bit", "[data]") {
  const Fixture of;
  data::save_views(of.path, of.images, of.turned, of.views);
  const std::vector<float> found = elements(of.path, {3, 300, 30});
  std::vector<std::uint32_t> all(300);
  std::iota(all.begin(), all.end(), 0u);
  std::vector<float> expected(3 * 300 * 30);
  for (std::uint32_t view = 0; view < 3; ++view) {
    gather_batch(backend::Eigen{}, of.images.view(), all.data(), all.size(), data::View{of.turned, of.views.seed, view},
                 expected.data() + view * 300 * 30);
  }
  CHECK(found == expected);
  data::save_views(of.path, of.images);
  CHECK(elements(of.path, {300, 30}).size() == 9000);
}

TEST_CASE("Answers from elsewhere to the views of a file fit these alone", "[data]") {
  const Fixture of;
  data::save_views(of.path, of.images, of.turned, of.views);
  // Another program writes its answers, and copies the file that says what they answer.
  const std::filesystem::path logits = of.folder / "logits.npy";
  const std::size_t shape[] = {3, 300, 4};
  const std::vector<float> answers(3 * 300 * 4, 1.0f);
  data::detail::write_npy(logits, "<f4", false, shape, std::as_bytes(std::span(answers)));
  std::filesystem::copy_file(of.folder / "views.npy.json", of.folder / "logits.npy.json");
  const data::TeacherLogitsTable table = data::load_teacher_logits(logits);
  CHECK_NOTHROW(table.require_made_for(of.images, of.turned, of.views, 4));
  CHECK_THROWS_AS(table.require_made_for(of.images, of.turned, {.count = 3, .seed = Seed{8}}, 4), OptionError);
  CHECK_THROWS_AS(table.require_made_for(of.images, {.shift = 1}, of.views, 4), OptionError);
  CHECK_THROWS_AS(table.require_made_for(test::noise_images(300, {5, 6}, 4, 2), of.turned, of.views, 4), OptionError);
}

TEST_CASE("Views that never come again, and amounts that make no sense, leave no file", "[data]") {
  const Fixture of;
  CHECK_THROWS_WITH(data::save_views(of.path, of.images, of.turned),
                    "save_views: views.count is 0, new views in every epoch, expected those that come again");
  CHECK_THROWS_AS(data::save_views(of.path, of.images, {.shift = 5}, of.views), OptionError);
  CHECK_THROWS_AS(data::save_views(of.folder / "none" / "views.npy", of.images), FileError);
  CHECK(std::filesystem::is_empty(of.folder.path()));
}

}  // namespace
