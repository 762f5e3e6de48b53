// SPDX-License-Identifier: MIT
#include "retort/data/class_weights.hpp"

#include <array>

#include "catch.hpp"
#include "data/data_test.hpp"
#include "retort/data/split.hpp"

using namespace retort;
using namespace retort::test;

namespace {

data::Dataset of_labels(const data::Labels& labels, std::uint32_t classes) {
  return {data::Matrix<float>(labels.size(), 1), labels, classes};
}

}  // namespace

TEST_CASE("balanced weights are inverse to the classes' sizes, with the mean 1 over the samples") {
  const data::Dataset dataset = of_labels({0, 0, 0, 0, 0, 0, 1, 1, 3, 3, 3, 3}, 4);
  const auto weights = data::balanced_class_weights<5>(dataset);
  CHECK(weights == std::array<double, 5>{12.0 / (3 * 6), 12.0 / (3 * 2), 1, 12.0 / (3 * 4), 1});
  CHECK_THAT(6 * weights[0] + 2 * weights[1] + 4 * weights[3], WithinRel(12.0, 1e-15));
}

TEST_CASE("normalised weights keep their ratios and have the mean 1 over the samples") {
  const auto weights = data::normalized_class_weights<2>({3, 1}, of_labels({0, 1, 1, 1}, 2));
  CHECK(weights == std::array<double, 2>{2, 2.0 / 3});
}

TEST_CASE("samples without a label count in no weight") {
  const data::Dataset all = of_labels({0, 1, 1, 1}, 2);
  const data::Dataset partly = of_labels({0, data::unlabelled, 1, 1, data::unlabelled, 1}, 2);
  CHECK(data::balanced_class_weights<2>(partly) == data::balanced_class_weights<2>(all));
  CHECK(data::normalized_class_weights<2>({3, 1}, partly) == data::normalized_class_weights<2>({3, 1}, all));
}

TEST_CASE("targets have no class weights and no stratified split") {
  const data::Dataset dataset = data::Dataset{data::Matrix<float>{{1}, {2}}}.with_targets({{1}, {0}});
  CHECK(contains(message_of<OptionError>([&] { data::balanced_class_weights<2>(dataset); }),
                 "class weights: the dataset has targets and no classes"));
  CHECK(contains(message_of<OptionError>([&] { data::stratified_split(dataset, 0.5, Seed{1}); }),
                 "stratified_split: the dataset has targets and no classes"));
  const auto [first, second] = data::random_split(dataset, 0.5, Seed{1});
  CHECK(first.targets()(0, 0) == 2 - std::get<1>(first.features())(0, 0));
  CHECK(second.targets()(0, 0) == 2 - std::get<1>(second.features())(0, 0));
}

TEST_CASE("weights of no sample, and classes without a weight, are refused") {
  const data::Dataset dataset = of_labels({0, 0}, 3);
  CHECK(contains(message_of<OptionError>([&] { data::normalized_class_weights<3>({0, 1, 1}, dataset); }),
                 "no sample of the training set has a weight above 0"));
  CHECK(contains(message_of<ShapeError>([&] { data::balanced_class_weights<2>(dataset); }),
                 "the dataset has 3 classes, expected at most 2"));
}
