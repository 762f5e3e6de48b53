// SPDX-License-Identifier: MIT
#include "retort/train/sweep.hpp"

#include <cstddef>
#include <memory>
#include <set>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "by_operations.hpp"
#include "catch.hpp"
#include "random_values.hpp"
#include "retort/backend/eigen/backend.hpp"
#include "retort/backend/eigen/bf16.hpp"
#include "retort/loss/cross_entropy.hpp"
#include "retort/loss/one_of_losses.hpp"
#include "retort/optim/sgd.hpp"
#include "retort/train/distillation_trainer.hpp"
#include "retort/train/sweep_grid.hpp"
#include "retort/train/trainer.hpp"
#include "separate_memory.hpp"
#include "small_datasets.hpp"
#include "train/recorder.hpp"

namespace {

using namespace retort;
using retort::test::same_bits;
using retort::test::same_results;
using retort::test::SeparateMemory;

using Wide = Sequential<Linear<30, 24>, BatchNorm<24>, Dropout<0.5>, ReLU, Linear<24, 4>>;
using Narrow = Sequential<Linear<30, 12>, ReLU, Linear<12, 4>>;

/// Of the first a step is taken as a whole, of the second by single operations.
using Student = Sequential<Linear<30, 8>, Dropout<0.1>, ReLU, Linear<8, 4>>;
using NormalizedStudent =
    test::ByOperations<Shape<1, 5, 6>, Linear<30, 8>, BatchNorm<8>, Dropout<0.1>, ReLU, Linear<8, 4>>;

const data::Dataset& images() {
  static const data::Dataset data = test::noise_images(75, {5, 6}, 4, 1);
  return data;
}

const data::Dataset& held_out() {
  static const data::Dataset data = test::noise_images(40, {5, 6}, 4, 2);
  return data;
}

std::vector<SweepSetting<>> eight_settings() {
  return sweep_grid(SweepSetting<>{.optimizer = {.learning_rate = 1e-2}}, SweepAxis{&HintonLoss::temperature, {1, 3}},
                    SweepAxis{&HintonLoss::hard_weight, {0, 0.25}},
                    SweepAxis{&SweepSetting<>::seed, {Seed{5}, Seed{9}}});
}

/// What the sweep is to be equal to.
template <Model M, Model TeacherModel>
std::pair<Network<M>, History> distilled_alone(const Network<TeacherModel>& teacher, const SweepSetting<>& setting,
                                               const SweepOptions& options) {
  Network<M> student{setting.weights_seed(), backend::Eigen{1}, options.initialization};
  DistillationTrainer trainer{teacher, student, setting.loss, setting.optimizer};
  History history = trainer.fit(images(), held_out(), options.fit_options(setting.seed));
  return {std::move(student), std::move(history)};
}

template <typename A, typename B>
void check_same_network(const A& a, const B& b) {
  CHECK(same_bits(a.copy_parameters().span(), b.copy_parameters().span()));
  CHECK(same_bits(a.copy_buffers().span(), b.copy_buffers().span()));
}

TEMPLATE_TEST_CASE("A sweep's student is the one of a DistillationTrainer, for every number of threads", "[train]",
                   Student, NormalizedStudent) {
  const Network<Wide> teacher{Seed{3}};
  const std::vector<SweepSetting<>> settings = eight_settings();
  for (const SweepOptions& options :
       {SweepOptions{.epochs = 3, .batch_size = 16, .schedule = CosineSchedule{}, .clipping = GradientClipping{0.5}},
        SweepOptions{.epochs = 2, .batch_size = 16, .shuffle = false, .initialization = Initialization::he_uniform},
        SweepOptions{.epochs = 2, .batch_size = 20, .augmentation = {.shift = 2}},
        SweepOptions{.epochs = 3,
                     .batch_size = 20,
                     .augmentation = {.shift = 2, .rotation = 20, .noise = 0.1},
                     .views = {2, Seed{8}}}}) {
    std::vector<std::pair<Network<TestType>, History>> alone;
    for (const SweepSetting<>& setting : settings) {
      alone.push_back(distilled_alone<TestType>(teacher, setting, options));
    }
    for (const unsigned threads : {1u, 2u, 3u, 20u}) {
      CAPTURE(threads, options.augmentation.shift);
      const Sweep<TestType> sweep{teacher, settings, backend::Eigen{threads}};
      const auto results = sweep.fit(images(), held_out(), options);
      REQUIRE(results.size() == settings.size());
      for (std::size_t i = 0; i < results.size(); ++i) {
        CAPTURE(i);
        const auto& [student, history] = alone[i];
        check_same_network(results[i].network, student);
        CHECK(same_results(results[i].history, history));
        CHECK(results[i].index == i);
        CHECK(results[i].network.backend().threads() == threads);
        CHECK_FALSE(results[i].has_diverged());
        const Evaluation expected = evaluate(student, held_out());
        CHECK(results[i].evaluation->errors == expected.errors);
        CHECK(results[i].evaluation->loss == expected.loss);
      }
    }
  }
}

TEST_CASE("Mixed precision hands out its threads too", "[train]") {
  using backend::EigenBf16;
  STATIC_REQUIRE(detail::HandsOutThreads<EigenBf16>);
  STATIC_REQUIRE_FALSE(detail::HandsOutThreads<SeparateMemory>);
  const Network<Narrow, EigenBf16> teacher{Seed{3}};
  const auto settings = eight_settings();
  const SweepOptions options{.epochs = 2, .batch_size = 16};
  const auto results = Sweep<Student, EigenBf16>{teacher, settings, EigenBf16{3}}.fit(images(), options);
  REQUIRE(results.size() == settings.size());
  for (std::size_t i = 0; i < results.size(); ++i) {
    Network<Student, EigenBf16> student{settings[i].seed};
    DistillationTrainer trainer{teacher, student, settings[i].loss, settings[i].optimizer};
    CHECK(same_results(results[i].history, trainer.fit(images(), options.fit_options(settings[i].seed))));
    check_same_network(results[i].network, student);
  }
}

TEST_CASE("A sweep may be repeated, with other data too", "[train]") {
  const Network<Wide> teacher{Seed{3}};
  const Sweep<Student> sweep{teacher, eight_settings(), backend::Eigen{2}};
  const auto first = sweep.fit(images(), {.epochs = 2});
  sweep.fit(held_out(), {.epochs = 1});
  const auto second = sweep.fit(images(), {.epochs = 2});
  REQUIRE(first.size() == 8);
  REQUIRE(second.size() == 8);
  for (std::size_t i = 0; i < first.size(); ++i) {
    check_same_network(first[i].network, second[i].network);
    CHECK_FALSE(first[i].evaluation.has_value());
  }
}

TEST_CASE("Each student has the teacher and the seeds of its setting", "[train]") {
  const backend::Eigen cpu{2};
  const Network<Wide> wide{Seed{3}, cpu};
  const Network<Narrow> narrow{Seed{4}};
  std::vector<SweepSetting<>> settings = eight_settings();
  for (std::size_t i = 0; i < settings.size(); ++i) {
    settings[i].teacher = i % 2;
    if (i > 3) {
      settings[i].initial_seed = Seed{100 + i};
    }
  }
  for (const std::size_t pixels : {0u, 1u}) {
    const SweepOptions options{.epochs = 2, .batch_size = 16, .augmentation = {.shift = pixels}};
    const auto results = Sweep<Student>{{wide, narrow}, settings, cpu}.fit(images(), held_out(), options);
    REQUIRE(results.size() == settings.size());
    for (std::size_t i = 0; i < results.size(); ++i) {
      CAPTURE(pixels, i);
      const auto [student, history] = i % 2 == 0 ? distilled_alone<Student>(wide, settings[i], options)
                                                 : distilled_alone<Student>(narrow, settings[i], options);
      check_same_network(results[i].network, student);
      CHECK(same_results(results[i].history, history));
    }
  }
}

TEST_CASE("Early stopping is each student's own, and its network is of the best epoch", "[train]") {
  const Network<Wide> teacher{Seed{3}};
  const auto settings = eight_settings();
  const SweepOptions options{.epochs = 12, .batch_size = 16, .early_stopping = EarlyStopping{.patience = 2}};
  const auto results = Sweep<Student>{teacher, settings, backend::Eigen{2}}.fit(images(), held_out(), options);
  REQUIRE(results.size() == settings.size());
  std::set<std::size_t> lengths;
  for (std::size_t i = 0; i < results.size(); ++i) {
    const auto [student, history] = distilled_alone<Student>(teacher, settings[i], options);
    check_same_network(results[i].network, student);
    CHECK(same_results(results[i].history, history));
    CHECK(results[i].evaluation->errors == evaluate(student, held_out()).errors);
    lengths.insert(history.size());
  }
  CHECK(lengths.size() > 1);
}

TEST_CASE("Without a teacher a sweep is of trainers, with any loss and optimizer", "[train]") {
  const backend::Eigen cpu{2};
  const auto settings =
      sweep_grid(SweepSetting<CrossEntropy, Sgd>{}, SweepAxis{&CrossEntropy::label_smoothing, {0.0, 0.1}},
                 SweepAxis{&Sgd::learning_rate, {1e-2, 1e-1}});
  const SweepOptions options{.epochs = 2, .batch_size = 16};
  const auto results =
      Sweep<Student, backend::Eigen, CrossEntropy, Sgd>{settings, cpu}.fit(images(), held_out(), options);
  REQUIRE(results.size() == 4);
  for (std::size_t i = 0; i < results.size(); ++i) {
    Network<Student> student{settings[i].seed};
    Trainer trainer{student, settings[i].loss, settings[i].optimizer};
    CHECK(same_results(results[i].history, trainer.fit(images(), held_out(), options.fit_options(settings[i].seed))));
    check_same_network(results[i].network, student);
  }
}

TEST_CASE("Losses of several types are one sweep", "[train]") {
  using Chosen = OneOfLosses<CrossEntropy, HintonLoss>;
  const Network<Wide> teacher{Seed{3}};
  const HintonLoss soft{.temperature = 2};
  const std::vector<SweepSetting<Chosen>> settings{{.loss = CrossEntropy{}}, {.loss = soft}};
  const SweepOptions options{.epochs = 2, .batch_size = 16};
  const auto results =
      Sweep<Student, backend::Eigen, Chosen>{teacher, settings, backend::Eigen{2}}.fit(images(), held_out(), options);
  Network<Student> alone{Seed{0}};
  CHECK(same_results(results[0].history,
                     Trainer{alone, CrossEntropy{}, Adam{}}.fit(images(), held_out(), options.fit_options(Seed{0}))));
  check_same_network(results[0].network, alone);
  const auto [distilled, history] = distilled_alone<Student>(teacher, {.loss = soft}, options);
  CHECK(same_results(results[1].history, history));
  check_same_network(results[1].network, distilled);
}

TEST_CASE("A student that diverges is reported, and does not disturb the others", "[train]") {
  const Network<Wide> teacher{Seed{3}};
  auto settings = eight_settings();
  std::vector<SweepSetting<HintonLoss, Sgd>> plain;
  for (const SweepSetting<>& setting : settings) {
    plain.push_back({.loss = setting.loss, .seed = setting.seed});
  }
  plain[2].optimizer.learning_rate = 1e30;
  const SweepOptions options{.epochs = 3, .batch_size = 16};
  using PlainSweep = Sweep<Student, backend::Eigen, HintonLoss, Sgd>;
  const auto results = PlainSweep{teacher, plain, backend::Eigen{2}}.fit(images(), held_out(), options);
  REQUIRE(results.size() == plain.size());
  CHECK_THAT(results[2].divergence, Catch::Matchers::StartsWith("training has diverged: after epoch "));
  CHECK(results[2].history.size() < 3);
  CHECK_FALSE(results[2].evaluation.has_value());
  for (const std::size_t i : {0u, 1u, 3u, 7u}) {
    Network<Student> student{plain[i].seed};
    DistillationTrainer trainer{teacher, student, plain[i].loss, plain[i].optimizer};
    CHECK(same_results(results[i].history, trainer.fit(images(), held_out(), options.fit_options(plain[i].seed))));
    check_same_network(results[i].network, student);
  }
}

/// Writes down who ended, and finds out whether it is ever called twice at once.
class Attendance : public SweepObserver {
 public:
  void on_student_end(const StudentReport& report, const SweepProgress& progress) override {
    busy = !busy;
    std::this_thread::yield();
    overlapped = overlapped || !busy;
    busy = false;
    indices.push_back(report.index);
    finished.push_back(progress.finished);
    students = progress.students;
  }

  bool busy = false;
  bool overlapped = false;
  std::vector<std::size_t> indices;
  std::vector<std::size_t> finished;
  std::size_t students = 0;
};

TEST_CASE("Observers hear of every student once, one after another", "[train]") {
  const Network<Wide> teacher{Seed{3}};
  Attendance attendance;
  const Sweep<Student> sweep{teacher, eight_settings(), backend::Eigen{3}};
  sweep.fit(images(), {.epochs = 1, .observers = {&attendance}});
  CHECK_FALSE(attendance.overlapped);
  CHECK(std::set(attendance.indices.begin(), attendance.indices.end()).size() == 8);
  CHECK(attendance.finished == std::vector<std::size_t>{1, 2, 3, 4, 5, 6, 7, 8});
  CHECK(attendance.students == 8);
}

/// Throws at the end of the given student.
class Objector : public SweepObserver {
 public:
  explicit Objector(std::size_t last) : last_(last) {}
  void on_student_end(const StudentReport&, const SweepProgress& progress) override {
    ++calls;
    if (progress.finished == last_) {
      throw test::Interruption();
    }
  }
  std::size_t calls = 0;

 private:
  std::size_t last_;
};

TEST_CASE("An exception ends the sweep and comes out as it was", "[train]") {
  const Network<Wide> teacher{Seed{3}};
  for (const unsigned threads : {1u, 2u, 5u}) {
    const Sweep<Student> sweep{teacher, eight_settings(), backend::Eigen{threads}};
    for (const std::size_t last : {1u, 3u, 8u}) {
      Objector objector(last);
      CHECK_THROWS_AS(sweep.fit(images(), {.epochs = 1, .observers = {&objector}}), test::Interruption);
      // Others may have been at their last batch.
      CHECK(objector.calls >= last);
      CHECK(objector.calls < last + threads);
    }
    CHECK(sweep.fit(images(), {.epochs = 1}).size() == 8);
  }
}

TEST_CASE("Students under way end with their batch when the sweep ends", "[train]") {
  // One student is done at once; the other would train for hours.
  const Network<Wide> teacher{Seed{3}};
  struct Patience : SweepObserver {
    void on_student_end(const StudentReport&, const SweepProgress&) override { throw test::Interruption(); }
  } observer;
  using PlainSweep = Sweep<Student, backend::Eigen, HintonLoss, Sgd>;
  std::vector<SweepSetting<HintonLoss, Sgd>> plain(2);
  plain[1].optimizer.learning_rate = 1e30;  // diverges in its first epoch
  CHECK_THROWS_AS((PlainSweep{teacher, plain, backend::Eigen{2}}.fit(
                      images(), {.epochs = 40'000'000, .batch_size = 75, .observers = {&observer}})),
                  test::Interruption);
}

TEST_CASE("What is wrong with a sweep is said with the student's number", "[train]") {
  const Network<Wide> teacher{Seed{3}};
  const backend::Eigen cpu{2};
  const auto refusal = [&](std::vector<SweepSetting<>> settings) -> std::string {
    try {
      const Sweep<Student> sweep{teacher, std::move(settings), cpu};
    } catch (const OptionError& error) {
      return error.what();
    }
    return "nothing";
  };
  CHECK(refusal({}) == "Sweep: the list of settings is empty, expected at least one student");
  CHECK(refusal({{}, {.loss = {.temperature = 0}}}) ==
        "student 1: HintonLoss: temperature is 0, expected a finite number above 0");
  CHECK(refusal({{}, {}, {.optimizer = {.learning_rate = -1}}}) ==
        "student 2: Adam: learning_rate is -1, expected a finite number of at least 0");
  CHECK(refusal({{.teacher = 1}}) ==
        "student 0: SweepSetting: teacher is 1, expected less than the number of teachers, 1");

  const Sweep<Student> sweep{teacher, std::vector<SweepSetting<>>(3), cpu};
  CHECK_THROWS_AS(sweep.fit(images(), {.epochs = 0}), OptionError);
  CHECK_THROWS_AS(sweep.fit(images(), {.early_stopping = EarlyStopping{}}), OptionError);
  CHECK_THROWS_AS(sweep.fit(images(), {.augmentation = {.shift = 9}}), OptionError);
  CHECK_THROWS_AS(sweep.fit(images(), {.augmentation = {.scale = 1}}), OptionError);
  CHECK_THROWS_AS(sweep.fit(test::clouds(20, 29, 4, 1)), ShapeError);
  CHECK_THROWS_AS(sweep.fit(images(), test::clouds(20, 29, 4, 1)), ShapeError);
}

TEST_CASE("On a backend that keeps its threads together students train one by one, on one copy of the data",
          "[train]") {
  using LayerByLayer = test::ByOperations<Shape<1, 5, 6>, Linear<30, 8>, LayerNorm<8>, ReLU, Linear<8, 4>>;
  const SeparateMemory device;
  const Network<Wide, SeparateMemory> teacher{Seed{3}, device};
  const auto settings = eight_settings();
  const SweepOptions options{.epochs = 2, .batch_size = 16};
  const Sweep<LayerByLayer, SeparateMemory> sweep{teacher, settings, device};
  device.copies() = {};
  const auto results = sweep.fit(images(), options);
  REQUIRE(results.size() == settings.size());
  CHECK(device.copies().from_host == 2 + 2 * results.size());  // images and labels; each network's two arenas
  for (std::size_t i = 0; i < results.size(); ++i) {
    Network<LayerByLayer, SeparateMemory> student{settings[i].seed, device};
    DistillationTrainer trainer{teacher, student, settings[i].loss, settings[i].optimizer};
    CHECK(same_results(results[i].history, trainer.fit(images(), options.fit_options(settings[i].seed))));
    check_same_network(results[i].network, student);
  }
  CHECK_THROWS_AS((Sweep<LayerByLayer, SeparateMemory>{teacher, settings, SeparateMemory{1}}), OptionError);
}

TEST_CASE("What does not fit is found before anything is copied or computed", "[train]") {
  const SeparateMemory device;
  const Network<Wide, SeparateMemory> teacher{Seed{3}, device};
  const Sweep<NormalizedStudent, SeparateMemory> sweep{teacher, eight_settings(), device};
  device.copies() = {};
  CHECK_THROWS_WITH(sweep.fit(images(), {.epochs = std::size_t{1} << 40}),
                    Catch::Matchers::EndsWith("expected at most 2^32 - 1 steps in all"));
  CHECK_THROWS_WITH(sweep.fit(images(), {.early_stopping = EarlyStopping{}}),
                    Catch::Matchers::StartsWith("fit: early_stopping needs held-out samples"));
  CHECK_THROWS_WITH(sweep.fit(images(), {.augmentation = {.shift = 9}}),
                    Catch::Matchers::StartsWith("augmentation: shift is 9"));
  CHECK_THROWS_WITH(sweep.fit(images(), {.batch_size = 37}),
                    Catch::Matchers::StartsWith("fit: batch_size is 37 and leaves a last batch of 1"));
  CHECK_THROWS_AS(sweep.fit(images(), test::clouds(20, 29, 4, 1)), ShapeError);
  CHECK(device.copies().from_host == 0);
}

}  // namespace
