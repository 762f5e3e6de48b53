// SPDX-License-Identifier: MIT
// A sweep whose teacher is a table of logits, with a student on each thread and with all at once.

#include <cstddef>
#include <string>
#include <vector>

#include "backend/generic/serial_system.hpp"
#include "by_operations.hpp"
#include "catch.hpp"
#include "random_values.hpp"
#include "retort/backend/cuda/cuda_on.hpp"
#include "retort/backend/cuda/engines.hpp"
#include "retort/backend/eigen/backend.hpp"
#include "retort/data/ensemble_logits.hpp"
#include "retort/nn/relu.hpp"
#include "retort/train/distillation_trainer.hpp"
#include "retort/train/sweep.hpp"
#include "retort/train/sweep_grid.hpp"
#include "retort/train/tabulate_logits.hpp"
#include "separate_memory.hpp"
#include "small_datasets.hpp"
#include "temporary_folder.hpp"

namespace {

using namespace retort;
using retort::test::same_bits;

/// It answers a dataset and a gathered batch by the same operations.
using Wide = test::ByOperations<Shape<1, 5, 6>, Linear<30, 24>, ReLU, Linear<24, 4>>;
using Student = Sequential<Linear<30, 8>, ReLU, Linear<8, 4>>;
using OneEach = backend::Eigen;
using AllAtOnce = backend::CudaOn<system::Serial>;

const data::Dataset& images() {
  static const data::Dataset data = test::noise_images(75, {5, 6}, 4, 1);
  return data;
}

std::vector<SweepSetting<>> four_settings() {
  return sweep_grid(SweepSetting<>{.optimizer = {.learning_rate = 1e-2}}, SweepAxis{&HintonLoss::temperature, {1, 3}},
                    SweepAxis{&SweepSetting<>::seed, {Seed{5}, Seed{9}}});
}

template <typename Results>
void check_same(const Results& found, const Results& expected) {
  REQUIRE(found.size() == expected.size());
  for (std::size_t i = 0; i < found.size(); ++i) {
    CAPTURE(i);
    CHECK(same_bits(found[i].network.copy_parameters().span(), expected[i].network.copy_parameters().span()));
    CHECK(found[i].history.back().loss == expected[i].history.back().loss);
  }
}

TEMPLATE_TEST_CASE("A sweep of a network's table is that of the network", "[train]", OneEach, AllAtOnce) {
  const TestType backend;
  const Network<Wide, TestType> teacher{Seed{3}, backend};
  for (const std::size_t views : {0u, 2u}) {
    CAPTURE(views);
    const SweepOptions options{.epochs = 2,
                               .batch_size = 16,
                               .augmentation = {.shift = views == 0 ? 0u : 1u},
                               .views = {.count = views, .seed = Seed{9}}};
    const auto expected = Sweep<Student, TestType>{teacher, four_settings(), backend}.fit(images(), options);
    const auto table = tabulate_logits(teacher, images(), options.augmentation, options.views);
    check_same(Sweep<Student, TestType>{table, four_settings(), backend}.fit(images(), options), expected);
  }
}

TEST_CASE("Networks and tables teach in one sweep", "[train]") {
  const backend::Eigen cpu{2};
  const Network<Wide> wide{Seed{3}};
  const Network<Student> narrow{Seed{4}};
  auto settings = four_settings();
  settings[1].teacher = 1;
  settings[2].teacher = 1;
  const SweepOptions options{.epochs = 2, .batch_size = 16};
  const auto expected = Sweep<Student>{{wide, narrow}, settings, cpu}.fit(images(), options);
  check_same(Sweep<Student>{{wide, tabulate_logits(narrow, images())}, settings, cpu}.fit(images(), options), expected);
  check_same(Sweep<Student>{{tabulate_logits(wide, images()), narrow}, settings, cpu}.fit(images(), options), expected);
  const auto swapped = Sweep<Student>{{narrow, wide}, settings, cpu}.fit(images(), options);
  CHECK_FALSE(same_bits(swapped[0].network.copy_parameters().span(), expected[0].network.copy_parameters().span()));
}

TEST_CASE("A device has a table's logits in memory of its own", "[train]") {
  const test::SeparateMemory device;
  const Network<Wide> teacher{Seed{3}};
  const SweepOptions options{.epochs = 2, .batch_size = 16};
  const auto settings = four_settings();
  const auto results =
      Sweep<Student, test::SeparateMemory>{tabulate_logits(teacher, images()), settings, device}.fit(images(), options);
  for (std::size_t i = 0; i < results.size(); ++i) {
    Network<Student, test::SeparateMemory> student{settings[i].seed, device};
    DistillationTrainer trainer{tabulate_logits(teacher, images()), student, settings[i].loss, settings[i].optimizer};
    trainer.fit(images(), options.fit_options(settings[i].seed));
    CHECK(same_bits(results[i].network.copy_parameters().span(), student.copy_parameters().span()));
  }
}

TEST_CASE("A table that cannot teach a sweep is refused before anything is trained", "[train]") {
  const Network<Wide> teacher{Seed{3}};
  const Sweep<Student> sweep{tabulate_logits(teacher, images()), four_settings(), backend::Eigen{2}};
  CHECK_THROWS_WITH(
      sweep.fit(images(), {.augmentation = {.shift = 1}}),
      "teacher logits: views.count is 0, new views in every epoch, expected 1, those that the table answers");
  CHECK_THROWS_WITH(sweep.fit(images(), {.augmentation = {.shift = 1}, .views = {.count = 2}}),
                    "teacher logits: logits of 1 x 75 x 4, expected 2 x 75 x 4: views, training samples, classes");
  const data::Dataset others = test::noise_images(75, {5, 6}, 4, 2);
  CHECK_THROWS_WITH(sweep.fit(others), Catch::Matchers::StartsWith("teacher logits: made for other inputs"));
  // One that no setting has is not looked at.
  const Sweep<Student> of_first{{teacher, tabulate_logits(teacher, images())}, four_settings(), backend::Eigen{2}};
  CHECK(of_first.fit(others).size() == 4);
}

TEST_CASE("A sweep of a table resumes from the same table alone", "[train]") {
  const test::TemporaryFolder folder;
  const backend::Eigen cpu{2};
  const auto table = tabulate_logits(Network<Wide>{Seed{3}}, images());
  SweepOptions options{.epochs = 2, .batch_size = 16};
  const auto expected = Sweep<Student>{table, four_settings(), cpu}.fit(images(), options);
  options.checkpoints = SweepCheckpointOptions{.folder = folder.path(), .resume = true};
  Sweep<Student>{table, four_settings(), cpu}.fit(images(), options);
  const std::string file = test::read_file(options.checkpoints->file(0));
  check_same(Sweep<Student>{table, four_settings(), cpu}.fit(images(), options), expected);
  CHECK(test::read_file(options.checkpoints->file(0)) == file);
  const Sweep<Student> other{tabulate_logits(Network<Wide>{Seed{4}}, images()), four_settings(), cpu};
  CHECK_THROWS_WITH(other.fit(images(), options), Catch::Matchers::Contains("teacher"));
}

TEST_CASE("A sweep refuses a mean of teachers at another temperature than a student's", "[train]") {
  const Network<Wide> first{Seed{3}};
  const Network<Wide> second{Seed{4}};
  const auto mean = data::ensemble_logits({tabulate_logits(first, images()), tabulate_logits(second, images())}, 1.0);
  const Sweep<Student> sweep{mean, four_settings(), backend::Eigen{}};
  CHECK_THROWS_WITH(sweep.fit(images(), {.epochs = 1}),
                    Catch::Matchers::StartsWith("student 2: ") && Catch::Matchers::Contains("temperature"));
}

}  // namespace
