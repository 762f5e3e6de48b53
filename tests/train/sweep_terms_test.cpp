// SPDX-License-Identifier: MIT
// Sweeps whose loss has a term on hidden layers.

#include <cstddef>
#include <type_traits>
#include <variant>
#include <vector>

#include "backend/generic/serial_system.hpp"
#include "catch.hpp"
#include "random_values.hpp"
#include "retort/backend/cuda/cuda_on.hpp"
#include "retort/backend/cuda/engines.hpp"
#include "retort/backend/eigen/backend.hpp"
#include "retort/data/augment.hpp"
#include "retort/data/dataset.hpp"
#include "retort/loss/feature_loss.hpp"
#include "retort/loss/hint.hpp"
#include "retort/loss/hinton.hpp"
#include "retort/loss/similarity_preserving.hpp"
#include "retort/nn/linear.hpp"
#include "retort/nn/network.hpp"
#include "retort/nn/relu.hpp"
#include "retort/nn/sequential.hpp"
#include "retort/nn/tanh.hpp"
#include "retort/optim/adam.hpp"
#include "retort/train/distillation_trainer.hpp"
#include "retort/train/sweep.hpp"
#include "retort/train/sweep_grid.hpp"
#include "retort/train/sweep_models.hpp"
#include "retort/train/sweep_summary.hpp"
#include "separate_memory.hpp"
#include "small_datasets.hpp"
#include "temporary_folder.hpp"

namespace {

using namespace retort;
using retort::test::same_bits;

using Teacher = Sequential<Linear<30, 12>, Tanh, Linear<12, 4>>;
using Student = Sequential<Linear<30, 8>, ReLU, Linear<8, 4>>;
using Hinted = WithTerm<HintonLoss, Hint<1, 1>>;
using Similar = WithTerm<HintonLoss, SimilarityPreserving<1, 1>>;

template <typename Backend, typename L = Hinted, typename Students = Student>
using HintedSweep = Sweep<Students, Backend, L, Adam, float, Teacher>;

const data::Dataset& images() {
  static const data::Dataset data = test::noise_images(75, {5, 6}, 4, 1);
  return data;
}

/// Two teachers, two weights of the term, two seeds.
template <typename L = Hinted>
std::vector<SweepSetting<L>> eight_settings() {
  using Setting = SweepSetting<L>;
  return sweep_grid(Setting{.optimizer = {.learning_rate = 1e-2}}, SweepAxis{&Setting::teacher, {0, 1}},
                    SweepAxis{[](auto& setting) -> auto& { return setting.loss.term.weight; }, {0.5, 20.0}},
                    SweepAxis{&Setting::seed, {Seed{5}, Seed{9}}});
}

TEMPLATE_TEST_CASE("A sweep's student with a term on hidden layers is the one of a DistillationTrainer", "[train]",
                   Hinted, Similar) {
  const auto settings = eight_settings<TestType>();
  const auto check = [&](const auto& backend) {
    using Backend = std::remove_cvref_t<decltype(backend)>;
    const Network<Teacher, Backend> first{Seed{3}, backend};
    const Network<Teacher, Backend> second{Seed{4}, backend};
    const SweepOptions unmoved{.epochs = 3, .batch_size = 16};
    SweepOptions new_views = unmoved;
    new_views.augmentation.shift = 1;
    SweepOptions cached_views = new_views;
    cached_views.views = {.count = 2, .seed = Seed{9}};
    for (const SweepOptions& options : {unmoved, new_views, cached_views}) {
      CAPTURE(options.augmentation.shift, options.views.count);
      const auto results = HintedSweep<Backend, TestType>{{first, second}, settings, backend}.fit(images(), options);
      REQUIRE(results.size() == settings.size());
      for (std::size_t i = 0; i < settings.size(); ++i) {
        CAPTURE(i);
        Network<Student, Backend> student{settings[i].weights_seed(), backend};
        DistillationTrainer{settings[i].teacher == 0 ? first : second, student, settings[i].loss, settings[i].optimizer}
            .fit(images(), options.fit_options(settings[i].seed));
        CHECK(same_bits(results[i].network.copy_parameters().span(), student.copy_parameters().span()));
      }
    }
  };
  check(backend::Eigen{2});
  check(test::SeparateMemory{});
  check(backend::CudaOn<system::Serial>{});
}

TEST_CASE("Students of several models have the same teacher's layer", "[train]") {
  using Wide = Sequential<Linear<30, 10>, ReLU, Linear<10, 4>>;
  using Students = OneOfModels<Student, Wide>;
  using Setting = SweepSetting<Hinted>;
  const backend::Eigen cpu{2};
  const Network<Teacher> teacher{Seed{3}};
  const SweepOptions options{.epochs = 3, .batch_size = 16};
  const auto settings = sweep_grid(Setting{}, SweepAxis{&Setting::model, Students::places()});
  const auto results = HintedSweep<backend::Eigen, Hinted, Students>{teacher, settings, cpu}.fit(images(), options);
  Students::for_each([&]<Model M>(std::type_identity<M> /*model*/) {
    const std::size_t place = Students::place_of<M>();
    Network<M> student{settings[place].weights_seed()};
    DistillationTrainer{teacher, student, settings[place].loss, settings[place].optimizer}.fit(
        images(), options.fit_options(settings[place].seed));
    const auto& found = std::get<Network<M>>(results[place].network);
    CHECK(same_bits(found.copy_parameters().span(), student.copy_parameters().span()));
  });
}

TEST_CASE("Teachers answer for their layers once, before the first student trains", "[train]") {
  const test::SeparateMemory device;  // where students train one by one
  Network<Teacher, test::SeparateMemory> teacher{Seed{3}, device};
  auto settings = eight_settings();
  std::erase_if(settings, [](const auto& setting) { return setting.teacher > 0; });
  const HintedSweep<test::SeparateMemory> sweep{teacher, settings, device};
  const SweepOptions options{.epochs = 2, .batch_size = 16};
  const auto expected = sweep.fit(images(), options);
  const std::vector<float> zeros(Teacher::parameter_arena_size);
  const auto results = sweep.fit(images(), options, [&](const auto& /*result*/) { teacher.assign_parameters(zeros); });
  for (std::size_t i = 0; i < settings.size(); ++i) {
    CAPTURE(i);
    CHECK(same_bits(results[i].network.copy_parameters().span(), expected[i].network.copy_parameters().span()));
  }
}

TEST_CASE("A teacher whose layers the students' device cannot reach is refused", "[train]") {
  const test::SeparateMemory device;
  const Network<Teacher, test::SeparateMemory> teacher{Seed{3}, device};
  CHECK_THROWS_WITH((HintedSweep<test::SeparateMemory>{{teacher, teacher}, eight_settings(), test::SeparateMemory{1}}),
                    Catch::Matchers::Contains("on different devices"));
}

TEST_CASE("A sweep with hints names its settings, and resumes with the regressors", "[train]") {
  const test::TemporaryFolder folder;
  const backend::Eigen cpu{2};
  const Network<Teacher> teachers[]{Network<Teacher>{Seed{3}}, Network<Teacher>{Seed{4}}};
  const auto settings = eight_settings();
  const HintedSweep<backend::Eigen> sweep{{teachers[0], teachers[1]}, settings, cpu};
  const auto expected = sweep.fit(images(), {.epochs = 4, .batch_size = 16});
  CHECK(summarize(expected).size() == 4);
  CHECK(summarize(expected)[1].setting.loss.term.weight == 20.0);
  CHECK_THAT(expected[2].description,
             Catch::Matchers::Contains("Hint(weight=20) of layer 1 beside the teacher's layer 1"));
  SweepOptions options{.epochs = 2, .batch_size = 16, .checkpoints = SweepCheckpointOptions{.folder = folder.path()}};
  sweep.fit(images(), options);
  options.epochs = 4;
  options.checkpoints->resume = true;
  const auto resumed = sweep.fit(images(), options);
  for (std::size_t i = 0; i < settings.size(); ++i) {
    CAPTURE(i);
    CHECK(same_bits(resumed[i].network.copy_parameters().span(), expected[i].network.copy_parameters().span()));
  }
  const HintedSweep<backend::Eigen> of_others{{teachers[1], teachers[0]}, settings, cpu};
  CHECK_THROWS_WITH(of_others.fit(images(), options), Catch::Matchers::Contains("teacher"));
}

}  // namespace
