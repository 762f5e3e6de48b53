// SPDX-License-Identifier: MIT
#include "retort/data/split.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <vector>

#include "catch.hpp"
#include "data/data_test.hpp"

using namespace retort;
using namespace retort::test;

TEST_CASE("a split is a partition with floor(fraction * size) samples first") {
  for (const std::size_t size : {2u, 3u, 10u, 101u, 1000u}) {
    for (const double fraction : {0.5, 0.8, 0.999}) {
      const auto expected = static_cast<std::size_t>(std::floor(fraction * static_cast<double>(size)));
      const auto [first, second] = data::random_split_indices(size, fraction, Seed{size});
      CHECK(first.size() == expected);
      std::vector<std::uint32_t> all = first;
      all.insert(all.end(), second.begin(), second.end());
      std::ranges::sort(all);
      std::vector<std::uint32_t> range(size);
      std::iota(range.begin(), range.end(), 0u);
      CHECK(all == range);
    }
  }
  CHECK(data::random_split_indices(60'000, 0.8, Seed{0}).first.size() == 48'000);
}

TEST_CASE("a split depends on the seed alone") {
  CHECK(data::random_split_indices(100, 0.8, Seed{1}) == data::random_split_indices(100, 0.8, Seed{1}));
  CHECK(data::random_split_indices(100, 0.8, Seed{1}) != data::random_split_indices(100, 0.8, Seed{2}));
}

TEST_CASE("every sample is as likely in either part") {
  constexpr std::size_t rounds = 2000;
  std::vector<double> in_first(10, 0);
  for (std::size_t seed = 0; seed < rounds; ++seed) {
    for (const std::uint32_t index : data::random_split_indices(10, 0.5, Seed{seed}).first) {
      ++in_first[index];
    }
  }
  for (const double count : in_first) {
    CHECK_THAT(count / rounds, WithinAbs(0.5, 0.06));  // more than 5 standard deviations
  }
}

TEST_CASE("the parts of a dataset are its subsets") {
  data::Matrix<float> features(10, 2);
  data::Labels labels(10);
  for (std::uint32_t i = 0; i < 10; ++i) {
    features(i, 0) = features(i, 1) = static_cast<float>(i);
    labels[i] = i;
  }
  const data::Dataset dataset{features, labels, 10};
  const auto [first, second] = data::random_split(dataset, 0.7, Seed{3});
  const auto [first_indices, second_indices] = data::random_split_indices(10, 0.7, Seed{3});
  CHECK(first.fingerprint() == dataset.subset(first_indices).fingerprint());
  CHECK(second.fingerprint() == dataset.subset(second_indices).fingerprint());
}

TEST_CASE("a stratified split gives each class its share, the largest remainders the rest") {
  data::Labels labels;
  for (const auto& [label, count] : {std::pair{0u, 50}, {2u, 27}, {5u, 13}, {6u, 10}}) {  // 100 in all
    labels.insert(labels.end(), static_cast<std::size_t>(count), label);
  }
  const auto [first, second] = data::stratified_split_indices(labels, 0.35, Seed{1});
  const auto of_class = [&](const std::vector<std::uint32_t>& part, std::uint32_t label) {
    return std::ranges::count_if(part, [&](std::uint32_t index) { return labels[index] == label; });
  };
  CHECK(first.size() == 35);
  CHECK(of_class(first, 0) == 18);  // 17.5: the first of the two remainders of a half
  CHECK(of_class(first, 2) == 9);   // 9.45
  CHECK(of_class(first, 5) == 5);   // 4.55: the largest remainder
  CHECK(of_class(first, 6) == 3);   // 3.5
  std::vector<std::uint32_t> all = first;
  all.insert(all.end(), second.begin(), second.end());
  CHECK_FALSE(std::ranges::is_sorted(first));
  std::ranges::sort(all);
  std::vector<std::uint32_t> range(100);
  std::iota(range.begin(), range.end(), 0u);
  CHECK(all == range);
  CHECK(data::stratified_split_indices(labels, 0.35, Seed{1}).first == first);
  CHECK(data::stratified_split_indices(labels, 0.35, Seed{2}).first != first);
}

TEST_CASE("a stratified split shares samples without a label like one more class") {
  data::Labels labels(100, data::unlabelled);
  std::fill(labels.begin(), labels.begin() + 20, 1u);
  const auto parts = data::stratified_split_indices(labels, 0.25, Seed{1});
  CHECK(parts.first.size() == 25);
  CHECK(std::ranges::count_if(parts.first, [&](std::uint32_t index) { return labels[index] == 1; }) == 5);
}

TEST_CASE("the labelled part has the samples with a label, in their order") {
  const data::Dataset dataset{data::Matrix<float>{{1}, {2}, {3}, {4}},
                              data::Labels{1, data::unlabelled, 0, data::unlabelled}, 2};
  const data::Dataset part = data::labelled_part(dataset);
  CHECK(part.labels() == data::Labels{1, 0});
  CHECK(std::get<data::Matrix<float>>(part.features()) == data::Matrix<float>{{1}, {3}});
  CHECK(message_of<ShapeError>([&] { data::labelled_part(dataset.without_labels()); }) ==
        "labelled_part: none of the 4 samples has a label");
}

TEST_CASE("a stratified split never asks a class for more than it has") {
  for (std::size_t size = 2; size < 60; ++size) {
    data::Labels labels(size);
    for (std::size_t i = 0; i < size; ++i) {
      labels[i] = static_cast<std::uint32_t>(i % 7 * (i % 3));
    }
    for (const double fraction : {0.5, 0.7, 0.999, 1 - 1e-16}) {
      const auto plain = data::random_split_indices(size, fraction, Seed{size}).first.size();
      CHECK(data::stratified_split_indices(labels, fraction, Seed{size}).first.size() == plain);
    }
  }
}

TEST_CASE("a fraction that leaves a part empty is refused") {
  for (const double fraction : {0.0, 1.0, -0.5, 1.5, std::nan("")}) {
    CHECK(contains(message_of<OptionError>([&] { data::random_split_indices(10, fraction, Seed{0}); }),
                   "between 0 and 1"));
  }
  CHECK(contains(message_of<OptionError>([&] { data::random_split_indices(5, 0.1, Seed{0}); }),
                 "0.1 of 5 samples leaves one part empty"));
  CHECK(contains(message_of<OptionError>([&] { data::random_split_indices(1, 0.9, Seed{0}); }), "empty"));
}
