// SPDX-License-Identifier: MIT
#include "retort/train/sweep_models.hpp"

#include <algorithm>
#include <cstddef>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "backend/generic/serial_system.hpp"
#include "catch.hpp"
#include "random_values.hpp"
#include "retort/backend/cuda/cuda_on.hpp"
#include "retort/backend/cuda/engines.hpp"
#include "retort/backend/eigen/backend.hpp"
#include "retort/nn/avg_pool2d.hpp"
#include "retort/nn/dropout.hpp"
#include "retort/nn/relu.hpp"
#include "retort/train/sweep.hpp"
#include "retort/train/sweep_grid.hpp"
#include "retort/train/sweep_summary.hpp"
#include "small_datasets.hpp"
#include "temporary_folder.hpp"
#include "train/recorder.hpp"

namespace {

using namespace retort;
using retort::test::same_bits;
using retort::test::same_results;

using Narrow = Sequential<Linear<30, 6>, ReLU, Linear<6, 4>>;
using Wide = Sequential<Linear<30, 9>, ReLU, Linear<9, 4>>;
using Students = OneOfModels<Narrow, Wide>;
using OneEach = backend::Eigen;
using AllAtOnce = backend::CudaOn<system::Serial>;

const data::Dataset& images() {
  static const data::Dataset data = test::noise_images(75, {5, 6}, 4, 1);
  return data;
}

/// For each temperature two narrow students and two wide ones, which lie among each other in the list.
std::vector<SweepSetting<>> settings() {
  return sweep_grid(SweepSetting<>{.optimizer = {.learning_rate = 1e-2}}, SweepAxis{&HintonLoss::temperature, {1, 3}},
                    SweepAxis{&SweepSetting<>::model, Students::places()},
                    SweepAxis{&SweepSetting<>::seed, {Seed{5}, Seed{9}}});
}

/// A sweep of M alone has the same students, in the same order.
template <Model M, typename Backend, typename Results>
void check_model(const Results& results, const Network<Narrow, Backend>& teacher, const SweepOptions& options) {
  std::vector<SweepSetting<>> own = settings();
  std::erase_if(own, [](const SweepSetting<>& setting) { return setting.model != Students::place_of<M>(); });
  for (SweepSetting<>& setting : own) {
    setting.model = 0;
  }
  const auto expected = Sweep<M, Backend>{teacher, own, teacher.backend()}.fit(images(), images(), options);
  std::size_t place = 0;
  for (const auto& result : results) {
    if (const auto* network = std::get_if<Network<M, Backend>>(&result.network)) {
      REQUIRE(place < expected.size());
      CHECK(same_bits(network->copy_parameters().span(), expected[place].network.copy_parameters().span()));
      CHECK(same_results(result.history, expected[place].history));
      CHECK(result.evaluation->errors == expected[place].evaluation->errors);
      CHECK(result.model == expected[place].model);
      CHECK(result.description == result.model + ", " + expected[place].description);
      CHECK(result.difference == result.model + ", " + expected[place].difference);
      ++place;
    }
  }
  CHECK(place == expected.size());
}

TEMPLATE_TEST_CASE("Students of several models are those of a sweep of each", "[train]", OneEach, AllAtOnce) {
  const TestType backend;
  const Network<Narrow, TestType> teacher{Seed{3}, backend};
  const SweepOptions options{.epochs = 3, .batch_size = 16};
  const auto results = Sweep<Students, TestType>{teacher, settings(), backend}.fit(images(), images(), options);
  REQUIRE(results.size() == 8);
  for (std::size_t i = 0; i < results.size(); ++i) {
    CHECK(results[i].index == i);
    CHECK(results[i].network.index() == results[i].setting.model);
  }
  CHECK(results[2].difference == "30-9-4, temperature=1, seed 5");
  check_model<Narrow>(results, teacher, options);
  check_model<Wide>(results, teacher, options);

  const auto summaries = summarize(results);
  REQUIRE(summaries.size() == 4);
  CHECK(summaries[0].model == "30-6-4");
  CHECK(summaries[1].model == "30-9-4");
  CHECK(summaries[1].setting.loss.temperature == 1);
  CHECK(summaries[3].model == "30-9-4");
  CHECK(summaries[3].errors.count == 2);
}

/// Makes a request after some students.
class Stopper : public SweepObserver {
 public:
  explicit Stopper(std::size_t after) : after_(after) {}
  void on_student_end(const StudentReport& /*report*/, const SweepProgress& progress) override {
    if (progress.finished == after_) {
      request.make();
    }
  }
  StopRequest request;

 private:
  std::size_t after_;
};

TEST_CASE("A sweep of several models resumes to the same, and not with the models in another order", "[train]") {
  const test::TemporaryFolder folder;
  const OneEach backend;
  const Network<Narrow> teacher{Seed{3}, backend};
  SweepOptions options{.epochs = 3, .batch_size = 16};
  const Sweep<Students> sweep{teacher, settings(), backend};
  const auto expected = sweep.fit(images(), images(), options);
  options.checkpoints = SweepCheckpointOptions{.folder = folder.path(), .resume = true};
  Stopper stopper(3);
  options.observers = {&stopper};
  options.stop = &stopper.request;
  CHECK_THROWS_AS(sweep.fit(images(), images(), options), StoppedError);
  options.observers.clear();
  options.stop = nullptr;
  const auto found = sweep.fit(images(), images(), options);
  REQUIRE(found.size() == expected.size());
  for (std::size_t i = 0; i < found.size(); ++i) {
    CHECK(found[i].network.index() == expected[i].network.index());
    std::visit(
        [&]<typename N>(const N& network) {
          CHECK(same_bits(network.copy_parameters().span(), std::get<N>(expected[i].network).copy_parameters().span()));
        },
        found[i].network);
  }

  std::vector<SweepSetting<>> turned = settings();
  for (SweepSetting<>& setting : turned) {
    setting.model = 1 - setting.model;
  }
  CHECK_THROWS_WITH(
      (Sweep<Students>{teacher, turned, backend}.fit(images(), images(), options)),
      Catch::Matchers::EndsWith("model = Linear(30, 6), ReLU, Linear(6, 4), cannot be resumed with Linear(30, 9), "
                                "ReLU, Linear(9, 4)"));
}

TEST_CASE("A model that a sweep does not have is refused with the student's number", "[train]") {
  const Network<Narrow> teacher{Seed{3}};
  const std::vector<SweepSetting<>> list{{}, {.model = 2}};
  CHECK_THROWS_WITH((Sweep<Students>{teacher, list, backend::Eigen{1}}),
                    "student 1: SweepSetting: model is 2, expected less than the number of models, 2");
  CHECK_THROWS_WITH((Sweep<Narrow>{teacher, list, backend::Eigen{1}}),
                    "student 1: SweepSetting: model is 2, expected less than the number of models, 1");
}

TEST_CASE("Models are named by their widths, or by their layers where widths do not tell them apart", "[train]") {
  using Dropping = Sequential<Linear<30, 6>, Dropout<0.5>, ReLU, Linear<6, 4>>;
  using Pooled = Sequential<AvgPool2d<Shape<1, 6, 5>, 1>, Linear<30, 6>, ReLU, Linear<6, 6>, Linear<6, 4>>;
  CHECK(OneOfModels<Narrow, Wide, Pooled>::names() == std::vector<std::string>{"30-6-4", "30-9-4", "30-6-6-4"});
  CHECK(OneOfModels<Narrow, Wide, Dropping>::names() ==
        std::vector<std::string>{"Linear(30, 6), ReLU, Linear(6, 4)", "30-9-4",
                                 "Linear(30, 6), Dropout(0.5), ReLU, Linear(6, 4)"});
  CHECK(OneOfModels<Narrow, Wide, Dropping>::places() == std::vector<std::size_t>{0, 1, 2});
  STATIC_REQUIRE(OneOfModels<Narrow, Wide, Dropping>::place_of<Dropping>() == 2);
}

}  // namespace
