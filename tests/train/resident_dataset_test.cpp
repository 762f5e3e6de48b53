// SPDX-License-Identifier: MIT
#include "retort/train/resident_dataset.hpp"

#include <cstddef>
#include <span>
#include <utility>

#include "catch.hpp"
#include "random_values.hpp"
#include "separate_memory.hpp"
#include "small_datasets.hpp"

namespace {

using namespace retort;
using retort::test::same_bits;
using retort::test::SeparateMemory;
using retort::test::SeparateRegions;

TEST_CASE("In the host's memory a dataset is borrowed", "[train]") {
  const data::Dataset data = test::noise_images(20, {5, 6}, 3, 1);
  const internal::ResidentDataset resident(backend::Eigen{}, data);
  CHECK(resident.view().bytes == data.view().bytes);
  CHECK(resident.view().labels == data.view().labels);
}

TEST_CASE("In other memory a dataset is copied, bytes as bytes", "[train]") {
  const data::Dataset data = test::noise_images(20, {5, 6}, 3, 1);
  const SeparateMemory backend;
  const internal::ResidentDataset resident(backend, data);
  const data::DatasetView& view = resident.view();
  REQUIRE(SeparateRegions::contain(view.bytes));
  REQUIRE(SeparateRegions::contain(view.labels));
  CHECK(view.reals == nullptr);
  CHECK(view.size == 20);
  CHECK(view.features == 30);
  CHECK(view.image == data.image());
  CHECK(same_bits(std::span(view.bytes, 600), std::span(data.view().bytes, 600)));
  CHECK(same_bits(std::span(view.labels, 20), std::span(data.view().labels, 20)));
  CHECK(backend.copies().from_host == 2);
}

TEST_CASE("Targets are borrowed or copied like features", "[train]") {
  const data::Dataset data =
      test::clouds(20, 7, 3, 1).with_targets(data::Matrix<float>(20, 2, test::random_values<float>(40, 3)));
  CHECK(internal::ResidentDataset(backend::Eigen{}, data).view().targets == data.targets().data());
  const internal::ResidentDataset resident(SeparateMemory{}, data);
  REQUIRE(SeparateRegions::contain(resident.view().targets));
  CHECK(same_bits(std::span(resident.view().targets, 40), data.targets().values()));
}

TEST_CASE("Real numbers are copied as they are, and a view stays where its dataset is moved", "[train]") {
  const data::Dataset data = test::clouds(20, 7, 3, 1).with_normalization({.mean = 0.5, .standard_deviation = 0.25});
  internal::ResidentDataset<SeparateMemory> resident;
  CHECK(resident.view().size == 0);
  resident = internal::ResidentDataset(SeparateMemory{}, data);
  const data::DatasetView& view = resident.view();
  REQUIRE(SeparateRegions::contain(view.reals));
  REQUIRE(SeparateRegions::contain(view.labels));
  CHECK(view.bytes == nullptr);
  CHECK(same_bits(std::span(view.reals, 140), std::span(data.view().reals, 140)));
  CHECK(same_bits(std::span(view.labels, 20), std::span(data.view().labels, 20)));
}

}  // namespace
