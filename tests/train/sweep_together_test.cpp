// SPDX-License-Identifier: MIT
// Sweeps on a backend that takes runs of steps: the CUDA backend's kernels for small models, run on the host.

#include "retort/train/sweep_together.hpp"

#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "backend/generic/serial_system.hpp"
#include "catch.hpp"
#include "random_values.hpp"
#include "retort/backend/cuda/cuda_on.hpp"
#include "retort/backend/cuda/engines.hpp"
#include "retort/loss/cross_entropy.hpp"
#include "retort/loss/curriculum_temperature.hpp"
#include "retort/loss/hinton.hpp"
#include "retort/nn/batch_norm.hpp"
#include "retort/nn/dropout.hpp"
#include "retort/nn/relu.hpp"
#include "retort/optim/sgd.hpp"
#include "retort/optim/weight_average.hpp"
#include "retort/train/distillation_trainer.hpp"
#include "retort/train/sweep.hpp"
#include "retort/train/sweep_grid.hpp"
#include "retort/train/trainer.hpp"
#include "small_datasets.hpp"
#include "train/recorder.hpp"

namespace {

using namespace retort;
using retort::test::same_bits;

using Backend = backend::CudaOn<system::Serial>;
using TeacherModel = Sequential<Linear<30, 24>, BatchNorm<24>, Dropout<0.5>, ReLU, Linear<24, 4>>;
using Student = Sequential<Linear<30, 8>, Dropout<0.1>, ReLU, Linear<8, 4>>;

const data::Dataset& images() {
  static const data::Dataset data = test::noise_images(75, {5, 6}, 4, 1);
  return data;
}

/// Of real numbers where the training images are bytes: a chunk of them lies otherwise in a block's memory.
const data::Dataset& held_out() {
  static const data::Dataset data = [] {
    data::Labels labels(140);
    for (std::size_t i = 0; i < labels.size(); ++i) {
      labels[i] = i % 10 == 3 ? data::unlabelled : static_cast<std::uint32_t>(i % 4);
    }
    return test::make_dataset(test::random_values<float>(140 * 30, 2, 0.0, 1.0), labels, 4, images().normalization());
  }();
  return data;
}

/// Another loss in each epoch.
using Curriculum = CurriculumTemperature<HintonLoss>;

std::vector<SweepSetting<Curriculum>> four_settings() {
  return sweep_grid(SweepSetting<Curriculum>{.loss = {.loss = {.hard_weight = 0.25}, .from = 2, .epochs = 2},
                                             .optimizer = {.learning_rate = 1e-2}},
                    SweepAxis{&Curriculum::to, {1, 3}}, SweepAxis{&SweepSetting<Curriculum>::seed, {Seed{5}, Seed{9}}});
}

/// Weights are the same bits; sums of losses run in another order.
template <typename Result, typename M>
void check_result(const Result& found, const Network<M, Backend>& network, const History& history) {
  CHECK(same_bits(found.network.copy_parameters().span(), network.copy_parameters().span()));
  REQUIRE(found.history.size() == history.size());
  for (std::size_t i = 0; i < history.size(); ++i) {
    CHECK(found.history[i].epoch == history[i].epoch);
    CHECK(found.history[i].learning_rate == history[i].learning_rate);
    CHECK(found.history[i].errors == history[i].errors);
    CHECK_THAT(found.history[i].loss, WithinRel(history[i].loss, 1e-12));
    REQUIRE(found.history[i].validation.has_value() == history[i].validation.has_value());
    if (history[i].validation) {
      CHECK(found.history[i].validation->errors == history[i].validation->errors);
      CHECK(found.history[i].validation->accuracy == history[i].validation->accuracy);
      CHECK_THAT(found.history[i].validation->loss, WithinRel(history[i].validation->loss, 1e-6));
    }
  }
}

TEST_CASE("Students trained together are those trained alone", "[train]") {
  STATIC_REQUIRE(internal::StepsOf<
                 backend::TrainingTypes<Backend, Student, CrossEntropy, Adam, float, internal::NoTeacher>>::takes_runs);
  const Backend backend;
  const Network<TeacherModel, Backend> teacher{Seed{3}, backend};
  const auto settings = four_settings();
  const data::Dataset train = test::partly_labelled(images());
  for (const SweepOptions& options :
       {SweepOptions{.epochs = 3, .batch_size = 16, .schedule = CosineSchedule{}, .clipping = GradientClipping{0.5}},
        SweepOptions{.epochs = 2, .batch_size = 70, .shuffle = false},
        SweepOptions{.epochs = 3, .batch_size = 20, .drop_last = true},
        SweepOptions{.epochs = 12, .batch_size = 16, .early_stopping = EarlyStopping{.patience = 2}},
        // Teachers answer each batch: one student after another.
        SweepOptions{.epochs = 2, .batch_size = 20, .augmentation = {.shift = 2}},
        SweepOptions{.epochs = 3,
                     .batch_size = 20,
                     .augmentation = {.shift = 2, .rotation = 20, .noise = 0.1},
                     .views = {2, Seed{8}}}}) {
    CAPTURE(options.epochs, options.augmentation.shift);
    const auto results =
        Sweep<Student, Backend, Curriculum>{teacher, settings, backend}.fit(train, held_out(), options);
    REQUIRE(results.size() == settings.size());
    for (std::size_t i = 0; i < results.size(); ++i) {
      CAPTURE(i);
      Network<Student, Backend> student{settings[i].weights_seed(), backend};
      DistillationTrainer trainer{teacher, student, settings[i].loss, settings[i].optimizer};
      const History history = trainer.fit(train, held_out(), options.fit_options(settings[i].seed));
      check_result(results[i], student, history);
      const Evaluation expected = evaluate(student, held_out());
      CHECK(results[i].evaluation->errors == expected.errors);
      CHECK(results[i].seconds() > 0.0);
    }
  }
}

TEST_CASE("Students trained together may have no teacher and no validation data", "[train]") {
  const Backend backend;
  const auto settings =
      sweep_grid(SweepSetting<CrossEntropy, Sgd>{}, SweepAxis{&CrossEntropy::label_smoothing, {0.0, 0.1}},
                 SweepAxis{&Sgd::learning_rate, {1e-2, 1e-1}});
  for (const std::size_t pixels : {0u, 2u}) {
    const SweepOptions options{.epochs = 2, .batch_size = 16, .augmentation = {.shift = pixels}};
    const auto results = Sweep<Student, Backend, CrossEntropy, Sgd>{settings, backend}.fit(images(), options);
    REQUIRE(results.size() == 4);
    for (std::size_t i = 0; i < results.size(); ++i) {
      Network<Student, Backend> student{settings[i].seed, backend};
      Trainer trainer{student, settings[i].loss, settings[i].optimizer};
      check_result(results[i], student, trainer.fit(images(), options.fit_options(settings[i].seed)));
      CHECK_FALSE(results[i].evaluation.has_value());
    }
  }
}

TEST_CASE("A student that diverges is reported while the others train on together", "[train]") {
  const Backend backend;
  const Network<TeacherModel, Backend> teacher{Seed{3}, backend};
  // Of which the average is evaluated and handed out, here as where a student trains alone.
  using Optimizer = WeightAverage<Sgd>;
  std::vector<SweepSetting<HintonLoss, Optimizer>> settings(3);
  settings[1].optimizer.learning_rate = 1e30;
  const SweepOptions options{.epochs = 3, .batch_size = 16};
  using PlainSweep = Sweep<Student, Backend, HintonLoss, Optimizer>;
  const auto results = PlainSweep{teacher, settings, backend}.fit(images(), held_out(), options);
  CHECK_THAT(results[1].divergence, Catch::Matchers::StartsWith("training has diverged: after epoch "));
  CHECK(results[1].history.size() < 3);
  CHECK_FALSE(results[1].evaluation.has_value());
  for (const std::size_t i : {0u, 2u}) {
    CHECK_FALSE(results[i].has_diverged());
    Network<Student, Backend> student{settings[i].seed, backend};
    DistillationTrainer trainer{teacher, student, settings[i].loss, settings[i].optimizer};
    check_result(results[i], student, trainer.fit(images(), held_out(), options.fit_options(settings[i].seed)));
  }
}

/// Counts the rules that it computes.
struct CountingSgd : Sgd {
  template <typename Scalar>
  auto rule(std::uint64_t step, double rate) const {
    ++count;
    return Sgd::rule<Scalar>(step, rate);
  }
  static inline std::size_t count = 0;
};

TEST_CASE("Rules are computed once for all students of equal optimizers", "[train]") {
  const Backend backend;
  const Network<TeacherModel, Backend> teacher{Seed{3}, backend};
  using Setting = SweepSetting<HintonLoss, CountingSgd>;
  auto settings = sweep_grid(Setting{}, SweepAxis{&CountingSgd::learning_rate, {0.1, 0.02}},
                             SweepAxis{&Setting::seed, consecutive_seeds(3)});
  const SweepOptions options{.epochs = 4, .batch_size = 16, .schedule = CosineSchedule{}};
  const Sweep<Student, Backend, HintonLoss, CountingSgd> sweep{teacher, settings, backend};
  CountingSgd::count = 0;
  const auto results = sweep.fit(images(), options);
  CHECK(CountingSgd::count == 2 * 4 * 5);  // optimizers, epochs, steps of 16 of 75 images
  for (std::size_t i = 0; i < results.size(); ++i) {
    CAPTURE(i);
    Network<Student, Backend> student{settings[i].seed, backend};
    DistillationTrainer trainer{teacher, student, settings[i].loss, static_cast<const Sgd&>(settings[i].optimizer)};
    check_result(results[i], student, trainer.fit(images(), options.fit_options(settings[i].seed)));
  }
}

TEST_CASE("Observers of students trained together hear of each, and may end the sweep", "[train]") {
  struct Counter : SweepObserver {
    void on_student_end(const StudentReport& report, const SweepProgress& progress) override {
      indices.push_back(report.index);
      CHECK(progress.finished == indices.size());
      CHECK(progress.students == 4);
      if (indices.size() == last) {
        throw test::Interruption();
      }
    }
    std::vector<std::size_t> indices{};
    std::size_t last = 0;
  } counter;
  const Backend backend;
  const Network<TeacherModel, Backend> teacher{Seed{3}, backend};
  const Sweep<Student, Backend, Curriculum> sweep{teacher, four_settings(), backend};
  sweep.fit(images(), {.epochs = 1, .observers = {&counter}});
  CHECK(counter.indices == std::vector<std::size_t>{0, 1, 2, 3});
  counter.indices.clear();
  counter.last = 2;
  CHECK_THROWS_AS(sweep.fit(images(), {.epochs = 1, .observers = {&counter}}), test::Interruption);
  CHECK(counter.indices.size() == 2);
}

}  // namespace
