// SPDX-License-Identifier: MIT
// Training, distilling and answering where the backend's memory is not the host's: the bits of a backend in the host's
// memory, and nothing copied in a step.

#include "separate_memory.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "by_operations.hpp"
#include "catch.hpp"
#include "random_values.hpp"
#include "retort/core/error.hpp"
#include "retort/core/permutation.hpp"
#include "retort/core/statistics.hpp"
#include "retort/data/matrix.hpp"
#include "retort/data/teacher_logits_table.hpp"
#include "retort/io/safetensors.hpp"
#include "retort/loss/cross_entropy.hpp"
#include "retort/loss/hinton.hpp"
#include "retort/nn/tanh.hpp"
#include "retort/optim/adamw.hpp"
#include "retort/optim/max_norm.hpp"
#include "retort/optim/sgd.hpp"
#include "retort/optim/weight_average.hpp"
#include "retort/train/dead_units.hpp"
#include "retort/train/distillation_trainer.hpp"
#include "retort/train/epoch_trainer.hpp"
#include "retort/train/probability_deviation.hpp"
#include "retort/train/tabulate_logits.hpp"
#include "retort/train/trainer.hpp"
#include "small_datasets.hpp"
#include "temporary_folder.hpp"
#include "train/recorder.hpp"

namespace {

using namespace retort;
using retort::test::same_bits;
using retort::test::SeparateMemory;

// Of both models no backend takes a step as a whole, so that the same operations follow one another.
using M = test::ByOperations<Shape<1, 5, 6>, Linear<30, 12>, BatchNorm<12>, ReLU, Dropout<0.25>, Linear<12, 4>>;
using Small = test::ByOperations<Shape<1, 5, 6>, Linear<30, 8>, LayerNorm<8>, Tanh, Linear<8, 4>>;
template <Model T>
using Separate = Network<T, SeparateMemory>;

static_assert(backend::Backend<SeparateMemory, float> && backend::Backend<SeparateMemory, double>);

const data::Dataset& images() {
  static const data::Dataset data = test::noise_images(75, {5, 6}, 4, 1);
  return data;
}

template <typename A, typename B>
void check_same_network(const A& a, const B& b) {
  CHECK(same_bits(a.copy_parameters().span(), b.copy_parameters().span()));
  CHECK(same_bits(a.copy_buffers().span(), b.copy_buffers().span()));
}

/// Sums over an epoch are added up in other portions.
void check_close(const History& a, const History& b) {
  REQUIRE(a.size() == b.size());
  for (std::size_t i = 0; i < a.size(); ++i) {
    CHECK_THAT(a[i].loss, WithinRel(b[i].loss, 1e-13));
    CHECK(a[i].errors == b[i].errors);
    CHECK(a[i].learning_rate == b[i].learning_rate);
    REQUIRE(a[i].validation.has_value() == b[i].validation.has_value());
    if (a[i].validation) {
      CHECK(a[i].validation->loss == b[i].validation->loss);
      CHECK(a[i].validation->errors == b[i].validation->errors);
    }
  }
}

/// The copies and allocations so far, after each report.
class CopyRecorder : public Observer {
 public:
  explicit CopyRecorder(const SeparateMemory& backend) : backend_(backend) {}
  void on_batch_end(const BatchProgress& progress) override {
    batches.push_back(progress.batch);
    copies.push_back(backend_.copies());
    allocations.push_back(backend_.allocations());
  }
  std::vector<std::size_t> batches;
  std::vector<SeparateMemory::Copies> copies;
  std::vector<std::size_t> allocations;

 private:
  SeparateMemory backend_;
};

template <typename T>
History train(T& network, const FitOptions& options) {
  Trainer trainer{network, CrossEntropy{}, WeightAverage{MaxNorm{AdamW{.learning_rate = 1e-2}, 0.6}, 0.8}};
  return trainer.fit(images(), options);
}

TEST_CASE("Training in other memory gives the same bits", "[train]") {
  for (const std::size_t pixels : {0u, 1u}) {
    for (const bool shuffle : {false, true}) {
      CAPTURE(pixels, shuffle);
      const FitOptions options{.epochs = 3,
                               .batch_size = 9,
                               .seed = Seed{5},
                               .shuffle = shuffle,
                               .augmentation = {.shift = pixels},
                               .clipping = GradientClipping{0.5},
                               .validation_fraction = 0.2,
                               .early_stopping = EarlyStopping{}};
      Network<M> host{Seed{1}};
      Separate<M> separate{Seed{1}};
      check_close(train(separate, options), train(host, options));
      check_same_network(separate, host);
      check_close({{.loss = evaluate(separate, images()).loss}}, {{.loss = evaluate(host, images()).loss}});
      CHECK(same_bits(predict_all(separate, images()), predict_all(host, images())));
    }
  }
}

TEST_CASE("A unit is dead if no sample wakes it, wherever that sample is", "[train]") {
  using Hidden = Sequential<ReLU, Linear<2, 3>, ReLU, Dropout<0.5>, Linear<3, 2>, ReLU>;  // the third layer is
  // In the last of many samples alone the first feature is above 0.
  std::vector<float> features(2 * 1100, -1.0f);
  features[2 * 1099] = 1.0f;
  const data::Dataset data = test::make_dataset(features, std::vector<std::uint32_t>(1100, 1), 2);
  const auto check = [&]<typename Backend>(const Backend& backend) {
    Network<Hidden, Backend> network{Seed{1}, backend};
    AlignedBuffer<float> arena = network.copy_parameters();
    std::ranges::fill(Hidden::parameters[0].in(arena.span()), 0.0f);
    std::ranges::fill(Hidden::parameters[1].in(arena.span()), 0.0f);
    Hidden::parameters[0].in(arena.span())[0] = 1.0f;   // the first unit copies the feature,
    Hidden::parameters[1].in(arena.span())[1] = -1.0f;  // the second is below 0, the third 0
    network.assign_parameters(arena.span());
    CHECK(count_dead_units(network, data) == std::vector{DeadUnits{.layer = 2, .units = 3, .dead = 2}});
    const std::vector<std::uint32_t> asleep{0, 1, 2};
    CHECK(count_dead_units(network, data.subset(asleep)) == std::vector{DeadUnits{.layer = 2, .units = 3, .dead = 3}});
    Hidden::parameters[1].in(arena.span())[2] = 1.0f;
    network.assign_parameters(arena.span());
    CHECK(count_dead_units(network, data) == std::vector{DeadUnits{.layer = 2, .units = 3, .dead = 1}});
  };
  check(backend::Eigen{});
  check(SeparateMemory{});
  CHECK_THROWS_AS(count_dead_units(Network<M>{Seed{1}}, data), ShapeError);
}

TEST_CASE("A teacher's mean probabilities deviate from group to group as the slow way has it", "[train]") {
  const auto check = [&]<typename Backend>(const Backend& backend) {
    const Network<Small, Backend> teacher{Seed{3}, backend};
    const auto logits = predict_all(teacher, images());
    std::vector<std::vector<double>> means(4);  // by class and group
    for (const std::uint32_t view : {0u, 1u}) {
      std::vector<std::uint32_t> order(75);
      RandomPermutation{75, {Seed{8}, Stream::shuffle, view}}.fill(0, order);
      for (const std::size_t first : {0u, 20u, 40u}) {
        std::vector<double> sums(4);
        for (std::size_t i = first; i < first + 20; ++i) {
          double whole = 0;
          for (std::size_t k = 0; k < 4; ++k) {
            whole += std::exp(double{logits[4 * order[i] + k]});
          }
          for (std::size_t k = 0; k < 4; ++k) {
            sums[k] += std::exp(double{logits[4 * order[i] + k]}) / whole;
          }
        }
        for (std::size_t k = 0; k < 4; ++k) {
          means[k].push_back(sums[k] / 20);
        }
      }
    }
    double expected = 0;
    for (const auto& of_class : means) {
      expected += statistics(of_class).standard_deviation / 4;
    }
    REQUIRE(expected > 1e-3);
    const auto found = [&](const data::Augmentation& augmentation, const ProbabilityDeviationOptions& options) {
      return find_probability_deviation(teacher, images(), augmentation, options);
    };
    CHECK_THAT(found({}, {.views = 2, .group = 20, .seed = Seed{8}}), WithinRel(expected, 1e-5));
    // A group of all samples differs from view to view by what happens to them.
    CHECK(found({}, {.views = 3, .group = 75}) < 1e-7);
    CHECK(found({.shift = 2}, {.views = 3, .group = 75}) > 1e-4);
    return found({.shift = 1, .noise = 0.5}, {.views = 3, .group = 10, .seed = Seed{2}});
  };
  CHECK(check(SeparateMemory{}) == check(backend::Eigen{}));

  const Network<Small> teacher{Seed{3}};
  for (const ProbabilityDeviationOptions& options :
       {ProbabilityDeviationOptions{.views = 0}, {.group = 0}, {.group = 76}, {.views = 1, .group = 75}}) {
    CHECK_THROWS_AS(find_probability_deviation(teacher, images(), {}, options), OptionError);
  }
  CHECK_THROWS_AS(find_probability_deviation(teacher, images(), {.shift = 5}, {.group = 10}), OptionError);
  CHECK_THROWS_AS(find_probability_deviation(teacher, test::clouds(400, 5, 2, 1), {}), ShapeError);
}

TEST_CASE("Metrics are read every few batches and at the end of an epoch, and a step copies and allocates nothing",
          "[train]") {
  Separate<M> network{Seed{1}};
  CopyRecorder recorder(network.backend());
  train(network, {.epochs = 2,
                  .batch_size = 9,
                  .augmentation = {.shift = 1},
                  .clipping = GradientClipping{},
                  .observers = {&recorder}});
  // 75 samples are 9 batches, of which the last is a report of its own accord.
  CHECK(recorder.batches == std::vector<std::size_t>{3, 6, 9, 3, 6, 9});
  CHECK(std::ranges::count(recorder.copies, recorder.copies.front()) == 6);
  CHECK(std::ranges::count(recorder.allocations, recorder.allocations.front()) == 6);

  Separate<M> other{Seed{1}};
  CopyRecorder uneven(other.backend());
  train(other, {.epochs = 1, .batch_size = 16, .observers = {&uneven}});
  CHECK(uneven.batches == std::vector<std::size_t>{3, 5});
}

TEST_CASE("Distilling in other memory gives the same bits, with answers looked up and computed", "[train]") {
  const HintonLoss hinton{.temperature = 3, .hard_weight = 0.25};
  for (const FitOptions& options :
       {FitOptions{.epochs = 2, .batch_size = 16},
        FitOptions{.epochs = 2, .batch_size = 16, .augmentation = {.shift = 1}},
        FitOptions{.epochs = 2, .batch_size = 16, .augmentation = {.shift = 1}, .views = {.count = 2}}}) {
    CAPTURE(options.augmentation.shift, options.views.count);
    const auto run = [&]<typename Backend>(const Backend& backend) {
      Network<M, Backend> teacher{Seed{3}, backend};
      train(teacher, {.epochs = 1, .batch_size = 25});
      Network<Small, Backend> student{Seed{1}, backend};
      DistillationTrainer distiller{teacher, student, hinton, Sgd{.learning_rate = 0.1, .momentum = 0.9}};
      distiller.fit(images(), options);
      return student;
    };
    check_same_network(run(SeparateMemory{}), run(backend::Eigen{}));
  }
}

TEST_CASE("A table of logits teaches the same in other memory", "[train]") {
  const std::size_t samples = images().size();
  const data::TeacherLogitsTable table(
      data::Matrix<float>(samples, Small::output_size, test::random_values<float>(samples * Small::output_size, 5)),
      images());
  const auto run = [&]<typename Backend>(const Backend& backend) {
    Network<Small, Backend> student{Seed{1}, backend};
    DistillationTrainer distiller{table, student, HintonLoss{}, AdamW{}};
    distiller.fit(images(), {.epochs = 2, .batch_size = 16});
    return student;
  };
  check_same_network(run(SeparateMemory{}), run(backend::Eigen{}));
}

TEST_CASE("A network's answers are tabulated the same from other memory", "[train]") {
  const data::Augmentation shift{.shift = 1};
  const auto table = [&]<typename Backend>(const Backend& backend, const data::Augmentation& augmentation) {
    const Network<Small, Backend> teacher{Seed{3}, backend};
    return tabulate_logits(teacher, images(), augmentation, {.count = augmentation.is_set() ? 2u : 0u});
  };
  for (const data::Augmentation& augmentation : {data::Augmentation{}, shift}) {
    const auto there = table(SeparateMemory{}, augmentation);
    const auto here = table(backend::Eigen{}, augmentation);
    CHECK(test::largest_difference(there.logits().values(), here.logits().values()) < 1e-5);
    CHECK(there.inputs_fingerprint() == here.inputs_fingerprint());
  }
}

TEST_CASE("A student may be moved away before its trainer ends", "[train]") {
  const Separate<M> teacher{Seed{3}};
  std::optional<Separate<Small>> kept;
  {
    Separate<Small> student{Seed{1}};
    DistillationTrainer distiller{teacher, student, HintonLoss{}, AdamW{}};
    distiller.fit(images(), {.epochs = 1, .batch_size = 16, .augmentation = {.shift = 1}});
    kept.emplace(std::move(student));
  }
  CHECK(predict_all(*kept, images()).size() == images().size() * Small::output_size);
}

TEST_CASE("A teacher on another device than its student is refused", "[train]") {
  const Separate<M> teacher{Seed{3}, SeparateMemory{1}};
  Separate<Small> student{Seed{1}, SeparateMemory{0}};
  CHECK_THROWS_AS((DistillationTrainer{teacher, student, HintonLoss{}, AdamW{}}), OptionError);
  Separate<Small> beside{Seed{1}, SeparateMemory{1}};
  CHECK_NOTHROW(DistillationTrainer{teacher, beside, HintonLoss{}, AdamW{}});
}

TEST_CASE("A distillation waits for its teacher's work before it begins, and for its own before it ends", "[train]") {
  using Source = internal::Teacher<M, SeparateMemory, float>;
  const Separate<M> teacher{Seed{3}};
  Separate<Small> student{Seed{1}};
  const SeparateMemory::Copies& of_teacher = teacher.backend().copies();
  const SeparateMemory::Copies& of_student = student.backend().copies();
  for (const std::size_t pixels : {0u, 1u}) {
    CAPTURE(pixels);
    const SeparateMemory::Copies before = of_teacher;
    const std::size_t answers = of_student.to_host;
    {
      internal::EpochTrainer<Small, SeparateMemory, float, HintonLoss, AdamW, Source> epoch_trainer(student, {}, {},
                                                                                                    Source{&teacher});
      CHECK(of_teacher == before);
      epoch_trainer.begin(images(), nullptr, {.batch_size = 16, .augmentation = {.shift = pixels}});
      CHECK(of_teacher.to_host == before.to_host + 1);
      CHECK(of_student.to_host == answers);
    }
    CHECK(of_teacher.to_host == before.to_host + 1);
    CHECK(of_student.to_host == answers + 1);
  }
  const std::size_t answers = of_student.to_host;
  {
    const internal::EpochTrainer<Small, SeparateMemory, float, CrossEntropy, AdamW, internal::NoTeacher> alone(
        student, {}, {}, {});
  }
  CHECK(of_student.to_host == answers);
}

TEST_CASE("Training in other memory resumes, and not from a checkpoint of another backend", "[train]") {
  const test::TemporaryFolder folder;
  FitOptions options{.epochs = 4, .batch_size = 16, .checkpoint = CheckpointOptions{folder / "run", true}};
  Separate<M> straight{Seed{1}};
  train(straight, {.epochs = 4, .batch_size = 16});

  test::Interrupter interrupter(2);
  options.observers = {&interrupter};
  Separate<M> first{Seed{1}};
  CHECK_THROWS_AS(train(first, options), test::Interruption);
  options.observers.clear();
  Network<M> host{Seed{1}};
  CHECK_THROWS_AS(train(host, options), OptionError);
  Separate<M> second{Seed{1}};
  CHECK(train(second, options).size() == 4);
  check_same_network(second, straight);
}

TEST_CASE("Divergence is found in other memory", "[train]") {
  Separate<M> network{Seed{1}};
  Trainer trainer{network, CrossEntropy{}, Sgd{.learning_rate = 1e30}};
  CHECK_THROWS_AS(trainer.fit(images(), {.epochs = 5, .batch_size = 16}), Error);
}

TEST_CASE("A network in other memory answers as one in the host's", "[nn]") {
  const Network<M> host{Seed{1}};
  const Separate<M> separate{Seed{1}};
  check_same_network(separate, host);
  for (const std::size_t batch : {0u, 1u, 200u}) {
    CAPTURE(batch);
    const auto inputs = test::random_values<float>(batch * 30, 2);
    std::vector<float> expected(batch * 4);
    std::vector<float> logits(batch * 4);
    host.predict(inputs, expected);
    separate.predict(inputs, logits);
    CHECK(same_bits(logits, expected));
  }
  const auto inputs = test::random_values<float>(30, 3);
  const std::span<const float, 30> input(inputs);
  CHECK(same_bits(separate.predict(input), host.predict(input)));
  CHECK(separate.classify(input) == host.classify(input));
}

TEST_CASE("A copy of a network in other memory is a network of its own", "[nn]") {
  Separate<M> network{Seed{1}};
  const Separate<M> copy = network;
  const auto before = copy.copy_parameters();
  network.initialize(Seed{2});
  CHECK(same_bits(copy.copy_parameters().span(), before.span()));
  CHECK_FALSE(same_bits(network.copy_parameters().span(), before.span()));
}

TEST_CASE("A network in other memory is saved and loaded as any other", "[io]") {
  const test::TemporaryFolder folder;
  Separate<M> separate{Seed{1}};
  train(separate, {.epochs = 1, .batch_size = 25});
  io::save_safetensors(separate, folder / "separate.safetensors");
  Network<M> host{Seed{9}};
  io::load_safetensors(host, folder / "separate.safetensors");
  check_same_network(separate, host);
  io::save_safetensors(host, folder / "host.safetensors");
  CHECK(test::read_file(folder / "host.safetensors") == test::read_file(folder / "separate.safetensors"));
  Separate<M> loaded{Seed{8}};
  io::load_safetensors(loaded, folder / "host.safetensors");
  check_same_network(loaded, host);
}

}  // namespace
