// SPDX-License-Identifier: MIT
// What is left of an object after its contents were moved to another, and pointers that point to nothing, are errors,
// never a crash.

#include <array>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "catch.hpp"
#include "random_values.hpp"
#include "retort/backend/eigen/backend.hpp"
#include "retort/data/class_weights.hpp"
#include "retort/data/mnist.hpp"
#include "retort/data/save_npy.hpp"
#include "retort/data/split.hpp"
#include "retort/io/safetensors.hpp"
#include "retort/loss/cross_entropy.hpp"
#include "retort/loss/hinton.hpp"
#include "retort/nn/batch_norm.hpp"
#include "retort/nn/relu.hpp"
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

using M = Sequential<Linear<30, 8>, BatchNorm<8>, ReLU, Linear<8, 4>>;

data::Dataset images() { return test::noise_images(50, {5, 6}, 4, 1); }

/// The message of the library's error; "no error" where there is none.
std::string complaint(const std::function<void()>& action) {
  try {
    action();
  } catch (const Error& error) {
    return error.what();
  }
  return "no error";
}

const std::string no_network =
    "network: its parameters were moved to another network, expected one that still has its own";
const std::string no_data = "dataset: its samples were moved to another dataset, expected one that still has its own";

TEST_CASE("A network that was moved from says so", "[train]") {
  const test::TemporaryFolder folder;
  const data::Dataset data = images();
  const FitOptions options{.epochs = 1};
  Network<M> gone{Seed{1}, backend::Eigen{2}};
  Trainer trainer{gone, CrossEntropy{}, Adam{}};
  Network<M> other{std::move(gone)};
  const std::vector<float> inputs(30);
  std::vector<float> logits(4);

  for (const std::function<void()>& use : std::vector<std::function<void()>>{
           [&] { gone.predict(inputs, logits); },
           [&] { gone.classify(std::span<const float, 30>(inputs)); },
           [&] { gone.initialize(Seed{1}); },
           [&] { gone.copy_parameters(); },
           [&] { gone.copy_buffers(); },
           [&] { gone.assign_parameters({}); },
           [&] { gone.parameter(0); },
           [&] { std::as_const(gone).buffer(0); },
           [&] { evaluate(gone, data); },
           [&] { predict_all(gone, data); },
           [&] { io::save_safetensors(gone, folder / "file"); },
           [&] { trainer.fit(data, options); },
           [&] { DistillationTrainer(gone, other, HintonLoss{}, Adam{}).fit(data, options); },
           [&] { DistillationTrainer(other, gone, HintonLoss{}, Adam{}).fit(data, options); },
           [&] { DistillationTrainer(gone, gone, HintonLoss{}, Adam{}).fit(data, options); },
           [&] { Sweep<M>(gone, sweep_grid(SweepSetting<>{}), backend::Eigen{1}).fit(data); },
       }) {
    CHECK(complaint(use) == no_network);
  }
  io::save_safetensors(other, folder / "file");
  CHECK(complaint([&] { io::load_safetensors(gone, folder / "file"); }) == no_network);
  CHECK(gone.parameter_arena().empty());

  // Its backend is still one, and the network can be assigned to.
  CHECK(gone.backend().threads() == 2);
  gone = Network<M>{Seed{2}, gone.backend()};
  CHECK(complaint([&] { gone.predict(inputs, logits); }) == "no error");
}

TEST_CASE("Handles that were moved from are still handles", "[train]") {
  backend::Eigen cpu{2};
  const backend::Eigen copy{std::move(cpu)};
  CHECK(cpu.threads() == 2);
  Schedule schedule{CosineSchedule{}};
  const Schedule moved{std::move(schedule)};
  CHECK(schedule.describe() == moved.describe());
}

TEST_CASE("A dataset that was moved from says so", "[train]") {
  data::Dataset gone = images();
  const data::Dataset data{std::move(gone)};
  const test::TemporaryFolder folder;
  Network<M> network{Seed{1}};
  const auto train = [&](const data::Dataset& first, const data::Dataset& second) {
    Trainer{network, CrossEntropy{}, Adam{}}.fit(first, second, {.epochs = 1});
  };
  CHECK(complaint([&] { train(gone, data); }) == no_data);
  CHECK(complaint([&] { train(data, gone); }) == no_data);
  CHECK(complaint([&] {
          Trainer{network, CrossEntropy{}, Adam{}}.fit(gone, {.epochs = 1, .validation_fraction = 0.5});
        }) == no_data);
  CHECK(complaint([&] { evaluate(network, gone); }) == no_data);
  CHECK(complaint([&] { data::random_split(gone, 0.5, Seed{1}); }) == no_data);
  CHECK(complaint([&] { data::stratified_split(gone, 0.5, Seed{1}); }) == no_data);
  CHECK(complaint([&] { (void)gone.subset({}); }) == no_data);
  CHECK(complaint([&] { data::Standardization::fit(gone); }) == no_data);
  const data::Standardization standardization = data::Standardization::fit(data);
  CHECK(complaint([&] { (void)standardization.apply(gone); }) == no_data);
  CHECK(complaint([&] { data::balanced_class_weights<4>(gone); }) == no_data);
  CHECK(complaint([&] { data::normalized_class_weights<4>({1, 1, 1, 1}, gone); }) == no_data);
  CHECK(complaint([&] { data::save_idx_images(gone, folder / "images", folder / "labels"); }) == no_data);
  CHECK(complaint([&] {
          data::save_npy(folder / "features.npy", std::get<data::Matrix<std::uint8_t>>(gone.features()));
        }) == "save_npy: a matrix of 0 x 0, expected at least one row and one column");
  CHECK(std::filesystem::is_empty(folder.path()));
  CHECK(complaint([&] { Sweep<M>(network, sweep_grid(SweepSetting<>{}), backend::Eigen{1}).fit(gone); }) == no_data);
}

TEST_CASE("A trainer and a sweep that were moved from say so", "[train]") {
  const data::Dataset data = images();
  Network<M> network{Seed{1}};
  const Network<M> teacher{Seed{2}};
  Trainer trainer{network, CrossEntropy{}, Adam{}};
  Trainer other{std::move(trainer)};
  CHECK(complaint([&] { trainer.fit(data, {.epochs = 1}); }) ==
        "trainer: it was moved to another, expected one that was not");
  CHECK(complaint([&] { other.fit(data, {.epochs = 1}); }) == "no error");
  DistillationTrainer distiller{teacher, network, HintonLoss{}, Adam{}};
  DistillationTrainer second{std::move(distiller)};
  CHECK(complaint([&] { distiller.fit(data, data, {.epochs = 1}); }).starts_with("trainer: "));
  Sweep<M> sweep{teacher, sweep_grid(SweepSetting<>{}), backend::Eigen{1}};
  const Sweep<M> third{std::move(sweep)};
  CHECK(complaint([&] { sweep.fit(data); }).starts_with("Sweep: the list of settings is empty"));
}

TEST_CASE("A teacher that is its own student is refused", "[train]") {
  Network<M> network{Seed{1}};
  Network<M> twin = network;
  CHECK(complaint([&] { DistillationTrainer(network, network, HintonLoss{}, Adam{}); }) ==
        "distillation: the teacher is the student itself, expected two networks");
  CHECK(complaint([&] { DistillationTrainer(twin, network, HintonLoss{}, Adam{}); }) == "no error");
}

TEST_CASE("A null observer is refused by its place", "[train]") {
  const data::Dataset data = images();
  Network<M> network{Seed{1}};
  Observer silent;
  CHECK(complaint([&] {
          Trainer{network, CrossEntropy{}, Adam{}}.fit(data, {.epochs = 1, .observers = {&silent, nullptr}});
        }) == "fit: observers[1] is null, expected an observer");
  CHECK(complaint([&] {
          Sweep<M>(network, sweep_grid(SweepSetting<>{}), backend::Eigen{1}).fit(data, {.observers = {nullptr}});
        }) == "sweep: observers[0] is null, expected an observer");
}

}  // namespace
