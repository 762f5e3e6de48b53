// SPDX-License-Identifier: MIT
#include "retort/train/preprocessing.hpp"

#include <string>
#include <vector>

#include "catch.hpp"
#include "random_values.hpp"
#include "retort/backend/eigen/backend.hpp"
#include "retort/io/safetensors.hpp"
#include "retort/loss/cross_entropy.hpp"
#include "retort/loss/hinton.hpp"
#include "retort/optim/adam.hpp"
#include "retort/train/distillation_trainer.hpp"
#include "retort/train/evaluate.hpp"
#include "retort/train/sweep.hpp"
#include "retort/train/sweep_grid.hpp"
#include "retort/train/trainer.hpp"
#include "small_datasets.hpp"
#include "temporary_folder.hpp"

namespace {

using namespace retort;
using Catch::Matchers::Contains;

using M = Sequential<Linear<12, 4>, ReLU, Linear<4, 3>>;

constexpr data::Normalization theirs{.mean = 0.1307, .standard_deviation = 0.3081};

const data::Dataset& images() {
  static const data::Dataset data = test::noise_images(30, {3, 4}, 3, 1);  // mean and deviation 0.5
  return data;
}

/// The same pixels as real numbers, by default from 0 to 1.
data::Dataset as_reals(float largest = 1.0f) {
  std::vector<float> features;
  for (const std::uint8_t byte : std::get<data::Matrix<std::uint8_t>>(images().features()).values()) {
    features.push_back(static_cast<float>(byte) / 255.0f * largest);
  }
  return test::make_dataset(features, images().labels(), 3, images().normalization());
}

Network<M> trained(const data::Dataset& data) {
  Network<M> network{Seed{1}};
  Trainer{network, CrossEntropy{}, Adam{}}.fit(data, {.epochs = 1});
  return network;
}

TEST_CASE("A network remembers how the inputs of its training were made", "[train]") {
  Network<M> network{Seed{1}};
  CHECK_FALSE(network.preprocessing().has_value());
  CHECK_NOTHROW(evaluate(network, images()));
  CHECK_NOTHROW(evaluate(network, images().with_normalization(theirs)));

  network = trained(images());
  CHECK(network.preprocessing() == preprocessing_of(images()));
  CHECK(network.preprocessing()->bytes);
  CHECK(network.preprocessing()->mean == 0.5);
  CHECK_NOTHROW(evaluate(network, images()));
  network.initialize(Seed{1});
  CHECK_FALSE(network.preprocessing().has_value());
}

TEST_CASE("Data under another normalization is refused, and both are named", "[train]") {
  const Network<M> network = trained(images());
  const data::Dataset other = images().with_normalization(theirs);
  const std::string both =
      "normalization: the dataset's inputs are bytes / 255, minus 0.1307, divided by 0.3081; expected bytes / 255, "
      "minus "
      "0.5, divided by 0.5, as for ";
  CHECK_THROWS_WITH(evaluate(network, other), both + "the network");
  CHECK_THROWS_AS(predict_all(network, other), OptionError);
  CHECK_THROWS_WITH(evaluate(network, as_reals(255.0f)),
                    Contains("are real numbers, minus 0.5") && Contains("expected bytes / 255"));
  CHECK_THAT(evaluate(network, as_reals()).loss, Catch::Matchers::WithinRel(evaluate(network, images()).loss, 1e-5));
  // Real numbers of the training may have been in any unit.
  CHECK_THROWS_AS(evaluate(trained(as_reals()), images()), OptionError);

  Network<M> student{Seed{2}};
  const Network<M> before = student;
  CHECK_THROWS_WITH((Trainer{student, CrossEntropy{}, Adam{}}.fit(images(), other, {})), both + "the training data");
  CHECK_THROWS_WITH((DistillationTrainer{network, student, HintonLoss{}, Adam{}}.fit(other, {})), both + "the teacher");
  const auto settings = sweep_grid(SweepSetting<>{});
  CHECK_THROWS_WITH((Sweep<M>{network, settings, backend::Eigen{}}.fit(other, {})), both + "the teacher");
  CHECK_FALSE(student.preprocessing().has_value());
  // A loss that asks no teacher does not mind.
  CHECK_NOTHROW(DistillationTrainer{network, student, CrossEntropy{}, Adam{}}.fit(other, {}));
  CHECK(student.preprocessing()->mean == 0.1307);

  Network<M> open = network;
  open.set_preprocessing({});
  CHECK_NOTHROW(evaluate(open, other));
}

TEST_CASE("A network that is trained further takes such inputs as before, unless it is told to forget them",
          "[train]") {
  Network<M> network = trained(images());
  const Network<M> before = network;
  const data::Dataset other = images().with_normalization(theirs);
  Trainer trainer{network, CrossEntropy{}, Adam{}};
  CHECK_THROWS_WITH(trainer.fit(other, {}), Contains("expected bytes / 255, minus 0.5") && Contains("the network"));
  CHECK(test::same_bits(network.parameter_arena(), before.parameter_arena()));
  CHECK(network.preprocessing() == before.preprocessing());
  trainer.fit(preprocess_for(network, other), {});
  CHECK(network.preprocessing() == before.preprocessing());
  network.set_preprocessing({});
  trainer.fit(other, {});
  CHECK(network.preprocessing()->mean == 0.1307);
}

TEST_CASE("A network that is trained further knows bytes and class names as before, and learns missing names",
          "[train]") {
  Network<M> network = trained(images());
  Trainer trainer{network, CrossEntropy{}, Adam{}};
  const data::Dataset named = images().with_class_names({"a", "b", "c"});
  trainer.fit(named, {});
  CHECK(network.preprocessing() == preprocessing_of(named));
  trainer.fit(as_reals(), {});
  CHECK(network.preprocessing() == preprocessing_of(named));
  CHECK_THROWS_WITH(trainer.fit(images().with_class_names({"a", "c", "b"}), {}),
                    "class_names: class 1 of the dataset is 'c', expected 'b' as for the network");
}

TEST_CASE("A network from a file is as strict as the one that was saved", "[train]") {
  const test::TemporaryFolder folder;
  io::save_safetensors(trained(images()), folder / "a");
  Network<M> loaded{Seed{2}};
  io::load_safetensors(loaded, folder / "a");
  const data::Dataset other = images().with_normalization(theirs);
  CHECK_THROWS_AS(evaluate(loaded, other), OptionError);
  CHECK(evaluate(loaded, preprocess_for(loaded, other)).loss == evaluate(loaded, images()).loss);
}

TEST_CASE("A network's preprocessing is applied to raw data of its kind", "[train]") {
  const auto raw = test::clouds(40, 12, 3, 1);
  const auto standardization = data::Standardization::fit(raw);
  const data::Dataset train = standardization.apply(raw);
  const Network<M> network = trained(train);
  CHECK(network.preprocessing()->column_means == standardization.means);
  CHECK_THROWS_WITH(evaluate(network, raw), Contains("expected real numbers, standardised by columns (means "));
  CHECK(evaluate(network, preprocess_for(network, raw)).loss == evaluate(network, train).loss);
  CHECK(evaluate(network, preprocess_for(network, train)).loss == evaluate(network, train).loss);
  CHECK_THROWS_AS(preprocess_for(trained(images()), as_reals(255.0f)), OptionError);
  CHECK(preprocess_for(Network<M>{Seed{1}}, raw).fingerprint() == raw.fingerprint());
}

TEST_CASE("Classes of other names are refused, and numbers where there are names are not", "[train]") {
  const data::Dataset named = images().with_class_names({"a", "b", "c"});
  const Network<M> network = trained(named);
  CHECK_NOTHROW(evaluate(network, named));
  CHECK_NOTHROW(evaluate(network, images()));
  CHECK_THROWS_WITH(evaluate(network, images().with_class_names({"a", "c", "b"})),
                    "class_names: class 1 of the dataset is 'c', expected 'b' as for the network");
}

TEST_CASE("Another number of class names is told as such", "[train]") {
  const data::Dataset named = test::clouds(40, 12, 3, 1).with_class_names({"a", "b", "c"});
  const Network<M> network = trained(named);
  const data::Dataset fewer = test::clouds(40, 12, 2, 1).with_class_names({"a", "b"});
  CHECK_THROWS_WITH(evaluate(network, fewer),
                    Contains("class_names: the dataset has 2, expected the 3 of the network"));
}

TEST_CASE("A column whose standardization differs is named, though it is none of the first", "[train]") {
  const auto raw = test::clouds(40, 12, 3, 1);
  auto standardization = data::Standardization::fit(raw);
  const Network<M> network = trained(standardization.apply(raw));
  standardization.means[10] += 1.0;
  CHECK_THROWS_WITH(evaluate(network, standardization.apply(raw)),
                    Contains("standardization: column 11 of the dataset has the mean "));
}

}  // namespace
