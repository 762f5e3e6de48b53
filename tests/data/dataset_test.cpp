// SPDX-License-Identifier: MIT
#include "retort/data/dataset.hpp"

#include <cmath>
#include <limits>
#include <numeric>
#include <set>
#include <type_traits>
#include <vector>

#include "catch.hpp"
#include "data/data_test.hpp"
#include "retort/data/join.hpp"

using namespace retort;
using namespace retort::test;
using data::Dataset;
using data::Labels;

namespace {

using Bytes = data::Matrix<std::uint8_t>;
using Reals = data::Matrix<float>;

Dataset small() { return {Bytes{{1, 2}, {3, 4}, {5, 6}}, Labels{0, 2, 1}, 3, {2, 1}, {0.5, 0.25}}; }

template <typename Expected, typename... Arguments>
std::string refusal(Arguments... arguments) {
  return message_of<Expected>([&] { Dataset(arguments...); });
}

template <typename T>
concept has_view = requires(T&& dataset) { std::forward<T>(dataset).view(); };

}  // namespace

TEST_CASE("a dataset gives back what it was made from") {
  const Dataset dataset = small();
  CHECK(dataset.size() == 3);
  CHECK(dataset.feature_count() == 2);
  CHECK(dataset.classes() == 3);
  CHECK(dataset.image() == data::ImageShape{2, 1});
  CHECK(dataset.normalization() == data::Normalization{0.5, 0.25});
  CHECK((std::get<Bytes>(dataset.features()) == Bytes{{1, 2}, {3, 4}, {5, 6}}));
  CHECK((dataset.labels() == Labels{0, 2, 1}));
}

TEST_CASE("a view points into its dataset") {
  const Dataset dataset = small();
  const data::DatasetView view = dataset.view();
  CHECK(view.bytes == std::get<Bytes>(dataset.features()).data());
  CHECK(view.reals == nullptr);
  CHECK(view.labels == dataset.labels().data());
  CHECK(view.size == 3);
  CHECK(view.features == 2);
  CHECK(view.image == dataset.image());
  CHECK(view.normalization == dataset.normalization());

  const Dataset reals{Reals{{1, 2}}, Labels{0}, 1};
  CHECK(reals.view().bytes == nullptr);
  CHECK(reals.view().reals == std::get<Reals>(reals.features()).data());

  STATIC_REQUIRE(has_view<const Dataset&>);
  STATIC_REQUIRE_FALSE(has_view<Dataset>);  // it would dangle
}

TEST_CASE("a dataset whose parts do not fit is refused") {
  const Bytes bytes{{1, 2}, {3, 4}};
  const Labels labels{0, 1};
  CHECK(contains(refusal<ShapeError>(bytes, Labels{0}, 2u), "number of labels is 1, expected 2"));
  CHECK(contains(refusal<ShapeError>(Bytes(0, 2), Labels{}, 2u), "0 x 2"));
  CHECK(contains(refusal<ShapeError>(Bytes(2, 0), labels, 2u), "2 x 0"));
  CHECK(contains(refusal<ShapeError>(bytes, labels, 1u),
                 "label 1 of sample 1, expected less than 1, the number of classes"));
  CHECK(contains(refusal<OptionError>(bytes, labels, 0u), "classes: 0"));
  for (const data::ImageShape image : {data::ImageShape{2, 2}, data::ImageShape{0, 2}, data::ImageShape{2, 0},
                                       data::ImageShape{std::size_t{1} << 33, std::size_t{1} << 31}}) {
    CHECK(contains(refusal<ShapeError>(bytes, labels, 2u, image), "for 2 features"));
  }
}

TEST_CASE("samples may have no label") {
  const Dataset partly{Bytes{{1}, {2}, {3}}, Labels{1, data::unlabelled, 0}, 2};
  CHECK(partly.labelled_count() == 2);
  CHECK(partly.view().labels[1] == data::unlabelled);
  CHECK(partly.fingerprint() != Dataset{Bytes{{1}, {2}, {3}}, Labels{1, 0, 0}, 2}.fingerprint());
  CHECK(partly.subset(std::vector<std::uint32_t>{1, 0}).labels() == Labels{data::unlabelled, 1});

  const Dataset alone{Bytes{{1, 2}, {3, 4}}, data::ImageShape{1, 2}, data::Normalization{0.5, 0.25}};
  CHECK(alone.labels() == Labels(2, data::unlabelled));
  CHECK(alone.labelled_count() == 0);
  CHECK(alone.classes() == 0);
  CHECK(alone.image() == data::ImageShape{1, 2});
  CHECK(alone.normalization() == data::Normalization{0.5, 0.25});
  CHECK(alone.subset(std::vector<std::uint32_t>{1}).classes() == 0);
  CHECK(Dataset{Reals{{1}}}.size() == 1);

  const Dataset stripped = small().with_class_names({"a", "b", "c"}).without_labels();
  CHECK(stripped.labelled_count() == 0);
  CHECK(stripped.classes() == 3);
  CHECK(stripped.class_names().size() == 3);
  CHECK(stripped.features() == small().features());

  CHECK(contains(refusal<ShapeError>(Bytes{{1}, {2}}, Labels{data::unlabelled, 2}, 2u),
                 "label 2 of sample 1, expected less than 2"));
  CHECK(contains(refusal<OptionError>(Bytes{{1}, {2}}, Labels{data::unlabelled, 0}, 0u), "classes: 0"));
}

TEST_CASE("samples may have targets in place of labels, which stay with them") {
  const Reals targets{{1, 2, 3}, {4, 5, 6}, {7, 8, 9}};
  const Dataset dataset = small().with_class_names({"a", "b", "c"}).with_targets(targets);
  CHECK(dataset.targets() == targets);
  CHECK(dataset.target_count() == 3);
  CHECK(dataset.labelled_count() == 0);
  CHECK(dataset.classes() == 0);
  CHECK(dataset.class_names().empty());
  CHECK(dataset.view().targets == dataset.targets().data());
  CHECK(dataset.view().target_count == 3);
  CHECK_FALSE(small().has_targets());
  CHECK_FALSE(dataset.without_labels().has_targets());

  const std::vector<std::uint32_t> some{2, 0};
  CHECK((dataset.subset(some).targets() == Reals{{7, 8, 9}, {1, 2, 3}}));
  CHECK((data::join(dataset.subset(some), dataset).targets() ==
         Reals{{7, 8, 9}, {1, 2, 3}, {1, 2, 3}, {4, 5, 6}, {7, 8, 9}}));
  CHECK(data::Standardization::fit(dataset).apply(dataset).targets() == targets);
  CHECK(dataset.with_normalization({}).targets() == targets);
  CHECK(contains(message_of<OptionError>([&] { data::join(dataset, small()); }), "number of targets"));

  // The fingerprint sees their values and their extents.
  const Dataset plain = small().without_labels();
  const std::set<std::uint64_t> prints{plain.fingerprint(), dataset.fingerprint(),
                                       small().with_targets({{1, 2, 3}, {4, 5, 6}, {7, 8, 0}}).fingerprint(),
                                       small().with_targets({{0}, {0}, {0}}).fingerprint(),
                                       small().with_targets({{0, 0}, {0, 0}, {0, 0}}).fingerprint()};
  CHECK(prints.size() == 5);
}

TEST_CASE("targets that do not fit the samples, or are no numbers, are refused") {
  const auto refused = [](const Reals& targets) {
    return message_of<ShapeError>([&] { small().with_targets(targets); });
  };
  CHECK(contains(refused({{1}, {2}}), "targets of 2 x 1, expected a row for each of 3 samples"));
  CHECK(contains(refused(Reals(3, 0)), "targets of 3 x 0"));
  CHECK(
      contains(refused({{1, 2}, {3, 4}, {5, std::nanf("")}}), "target 1 of sample 2 is nan, expected a finite number"));
  CHECK(contains(refused({{1}, {INFINITY}, {2}}), "target 0 of sample 1 is inf"));
}

TEST_CASE("datasets are joined one after the other") {
  const Dataset first = small();
  const Dataset second = first.subset(std::vector<std::uint32_t>{1}).without_labels();
  const Dataset both = data::join(first, second);
  REQUIRE(both.size() == first.size() + 1);
  std::vector<std::uint32_t> indices(first.size());
  std::iota(indices.begin(), indices.end(), 0u);
  CHECK(both.subset(indices).fingerprint() == first.fingerprint());
  indices = {static_cast<std::uint32_t>(first.size())};
  CHECK(both.subset(indices).fingerprint() == second.fingerprint());

  const Dataset unlabelled{Reals{{1, 2}}};
  const Dataset named = Dataset{Reals{{3, 4}}, Labels{1}, 2}.with_class_names({"a", "b"});
  for (const Dataset& joined : {data::join(unlabelled, named), data::join(named, unlabelled)}) {
    CHECK(joined.classes() == 2);
    CHECK(joined.class_names() == named.class_names());
  }

  const auto refused = [](const Dataset& a, const Dataset& b) {
    return message_of<OptionError>([&] { data::join(a, b); });
  };
  CHECK(refused(Dataset{Bytes{{1}}}, Dataset{Reals{{1}}}) ==
        "join: the datasets differ in their features: bytes and real numbers, expected the same");
  CHECK(contains(refused(Dataset{Reals{{1}}}, Dataset{Reals{{1, 2}}}), "number of features"));
  CHECK(contains(refused(Dataset{Reals{{1, 2}}, {1, 2}}, Dataset{Reals{{1, 2}}, {2, 1}}), "image extents"));
  CHECK(contains(refused(Dataset{Reals{{1}}, {}, {0.5, 1}}, Dataset{Reals{{1}}}), "normalization"));
  CHECK(contains(refused(data::Standardization{{1, 0}, {1, 1}}.apply(unlabelled), unlabelled), "standardization"));
  CHECK(contains(refused(named, named.with_class_names({"a", "c"})), "class names"));
}

TEST_CASE("numbers that are not finite are refused, with their place") {
  for (const float wrong : {std::nanf(""), std::numeric_limits<float>::infinity()}) {
    CHECK(contains(refusal<ShapeError>(Reals{{1, 2, 3}, {4, wrong, 6}}, Labels{0, 0}, 1u), "feature 1 of sample 1"));
  }
}

TEST_CASE("a normalization that float cannot apply is refused") {
  const double infinity = std::numeric_limits<double>::infinity();
  for (const data::Normalization wrong :
       {data::Normalization{0, 0}, data::Normalization{0, -1}, data::Normalization{0, std::nan("")},
        data::Normalization{0, infinity}, data::Normalization{0, 1e-300}, data::Normalization{1e30, 1e-30},
        data::Normalization{std::nan(""), 1}, data::Normalization{infinity, 1}}) {
    CHECK(contains(refusal<OptionError>(Bytes{{1}}, Labels{0}, 1u, data::ImageShape{}, wrong), "normalization"));
    CHECK(contains(message_of<OptionError>([&] { small().with_normalization(wrong); }), "normalization"));
  }
}

TEST_CASE("another normalization changes nothing else") {
  const Dataset dataset = small();
  const Dataset other = dataset.with_normalization({0, 1});
  CHECK(other.normalization() == data::Normalization{0, 1});
  CHECK(dataset.normalization() == data::Normalization{0.5, 0.25});
  CHECK(other.with_normalization(dataset.normalization()).fingerprint() == dataset.fingerprint());
}

TEST_CASE("classes may have names, which stay with the dataset") {
  const std::vector<std::string> names{"setosa", "versicolor", "virginica"};
  CHECK(small().class_names().empty());
  const Dataset named = small().with_class_names(names);
  CHECK(named.class_names() == names);
  CHECK(named.with_normalization({0, 1}).class_names() == names);
  CHECK(named.subset(std::vector<std::uint32_t>{1}).class_names() == names);
  CHECK(named.with_class_names({}).fingerprint() == small().fingerprint());
}

TEST_CASE("names that do not tell the classes apart are refused") {
  const auto refused = [](std::vector<std::string> names) {
    return message_of<OptionError>([&] { small().with_class_names(std::move(names)); });
  };
  CHECK(contains(refused({"a", "b"}), "class_names: 2 names, expected 3"));
  CHECK(contains(refused({"a", "b", "c", "d"}), "class_names: 4 names, expected 3"));
  CHECK(contains(refused({"a", "", "c"}), "the name of class 1 is empty"));
  CHECK(contains(refused({"a", "b", "a"}), "'a' is the name of class 0 and of class 2"));
  CHECK(contains(refused({"b", "a", "a"}), "'a' is the name of class 1 and of class 2"));
  CHECK(contains(refused({"a", "b", "\xFC"}), R"(the name of class 2 is '\xfc', expected UTF-8)"));
}

TEST_CASE("a subset has the chosen samples in the chosen order") {
  const Dataset dataset = small();
  const std::vector<std::uint32_t> indices{2, 0, 2};
  const Dataset chosen = dataset.subset(indices);
  CHECK((std::get<Bytes>(chosen.features()) == Bytes{{5, 6}, {1, 2}, {5, 6}}));
  CHECK((chosen.labels() == Labels{1, 0, 1}));
  CHECK(chosen.classes() == dataset.classes());
  CHECK(chosen.image() == dataset.image());
  CHECK(chosen.normalization() == dataset.normalization());
  CHECK(dataset.subset(std::vector<std::uint32_t>{0, 1, 2}).fingerprint() == dataset.fingerprint());
  CHECK(contains(message_of<ShapeError>([&] { dataset.subset(std::vector<std::uint32_t>{0, 3}); }),
                 "index 3, expected less than 3"));
  CHECK(contains(message_of<ShapeError>([&] { dataset.subset({}); }), "at least one sample"));
}

TEST_CASE("the fingerprint sees every part and nothing else") {
  const Bytes bytes{{1, 2}, {3, 4}};
  const Labels labels{0, 1};
  const std::vector<Dataset> all{
      {bytes, labels, 2},
      {Bytes{{1, 2}, {3, 5}}, labels, 2},
      {Bytes{{1, 2, 3, 4}}, Labels{0}, 2},
      {Reals{{1, 2}, {3, 4}}, labels, 2},
      {bytes, Labels{1, 0}, 2},
      {bytes, labels, 3},
      {bytes, labels, 2, {1, 2}},
      {bytes, labels, 2, {2, 1}},
      {bytes, labels, 2, {}, {0.5, 1}},
      {bytes, labels, 2, {}, {0, 0.5}},
      Dataset{bytes, labels, 2}.with_class_names({"a", "bc"}),
      Dataset{bytes, labels, 2}.with_class_names({"ab", "c"}),
      data::Standardization{{0, 0}, {1, 1}}.apply({bytes, labels, 2}),
      data::Standardization{{1, 2}, {1, 1}}.apply({Bytes{{2, 4}, {4, 6}}, labels, 2}),
  };
  std::set<std::uint64_t> prints;
  for (const Dataset& dataset : all) {
    prints.insert(dataset.fingerprint());
    CHECK(Dataset(dataset).fingerprint() == dataset.fingerprint());
  }
  CHECK(prints.size() == all.size());
}
