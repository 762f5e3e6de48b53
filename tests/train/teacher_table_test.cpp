// SPDX-License-Identifier: MIT
#include "retort/train/teacher_table.hpp"

#include <cstddef>
#include <cstdint>
#include <numeric>
#include <vector>

#include "catch.hpp"
#include "random_values.hpp"
#include "retort/backend/eigen/backend.hpp"
#include "retort/core/error.hpp"
#include "retort/nn/network.hpp"
#include "small_datasets.hpp"

namespace {

using namespace retort;

using M = Sequential<Linear<30, 8>, ReLU, Linear<8, 4>>;

TEMPLATE_TEST_CASE("A table has a network's answers to every view of every sample", "[train]", float, double) {
  const Network<M, backend::Eigen, TestType> network{Seed{1}};
  const data::Dataset data = test::noise_images(1030, {5, 6}, 4, 1);
  const data::Augmentation shifts{.shift = 1};
  const data::Views views{.count = 2, .seed = Seed{9}};
  const data::TeacherLogitsTable table = make_teacher_table(network, data, shifts, views);
  REQUIRE(table.views() == 2);
  CHECK_NOTHROW(table.require_made_for(data, shifts, views, 4));
  CHECK_THROWS_AS(table.require_made_for(data, shifts, {.count = 2}, 4), OptionError);

  std::vector<std::uint32_t> all(data.size());
  std::iota(all.begin(), all.end(), 0u);
  std::vector<TestType> inputs(data.size() * 30);
  std::vector<TestType> logits(data.size() * 4);
  for (const std::uint32_t view : {0u, 1u}) {
    gather_batch(network.backend(), data.view(), all.data(), data.size(), data::View{shifts, views.seed, view},
                 inputs.data());
    network.predict(inputs, logits);
    const auto rows = table.logits().values().subspan(view * logits.size(), logits.size());
    CHECK(test::largest_difference(std::vector<float>(logits.begin(), logits.end()),
                                   std::vector<float>(rows.begin(), rows.end())) < 1e-5);
  }
}

TEST_CASE("A table of views that never come again, or of other data, is refused", "[train]") {
  const Network<M> network{Seed{1}};
  const data::Dataset data = test::noise_images(20, {5, 6}, 4, 1);
  CHECK_THROWS_WITH(make_teacher_table(network, data, {.shift = 1}),
                    "make_teacher_table: views.count is 0, new views in every epoch, expected those that come again");
  CHECK_THROWS_AS(make_teacher_table(network, data, {.rotation = 200}, {.count = 2}), OptionError);
  CHECK_THROWS_AS(make_teacher_table(network, test::clouds(20, 29, 4, 1)), ShapeError);
  CHECK(make_teacher_table(network, data).views() == 1);
}

}  // namespace
