// SPDX-License-Identifier: MIT
#include "retort/loss/class_weighted.hpp"

#include <array>
#include <cmath>
#include <limits>
#include <string>
#include <vector>

#include "catch.hpp"
#include "loss/loss_laws.hpp"
#include "retort/backend/eigen/backend.hpp"
#include "retort/core/error.hpp"
#include "retort/data/class_weights.hpp"
#include "retort/loss/cross_entropy.hpp"
#include "retort/loss/hinton.hpp"
#include "retort/optim/sgd.hpp"
#include "retort/train/trainer.hpp"
#include "small_datasets.hpp"

namespace {

using namespace retort;

static_assert(Loss<ClassWeighted<CrossEntropy, 3>>);
static_assert(std::is_trivially_copyable_v<ClassWeighted<HintonLoss, 10>>);  // it goes to a device as bytes

TEST_CASE("A weighted loss obeys the laws of losses", "[loss]") {
  test::check_loss_laws<3>(ClassWeighted{CrossEntropy{}, std::array{0.5, 0.5, 0.5}});
  test::check_loss_laws<3>(ClassWeighted{HintonLoss{}, std::array{2.0, 2.0, 2.0}});
}

TEST_CASE("A row's loss and gradient are the label's weight times those of the loss", "[loss]") {
  const std::array<double, 3> weights{0.5, 2, 0};
  const ClassWeighted weighted{HintonLoss{.temperature = 2}, weights};
  const test::LossRow<double> row{{1, 2, -1}, {0.5, 3, 1}, 0};
  for (std::uint32_t label = 0; label < 3; ++label) {
    test::LossRow<double> of_label = row;
    of_label.label = label;
    const auto plain = test::evaluate<3>(HintonLoss{.temperature = 2}, of_label);
    const auto result = test::evaluate<3>(weighted, of_label);
    CHECK_THAT(result.loss, WithinRel(weights[label] * plain.loss, 1e-15));
    for (std::size_t k = 0; k < 3; ++k) {
      CHECK_THAT(result.gradient[k], WithinRel(weights[label] * plain.gradient[k], 1e-15));
    }
  }
}

TEST_CASE("With weights of mean 1 a batch's loss is PyTorch's weighted mean", "[loss]") {
  // CrossEntropyLoss(weight=w): sum_i w[label_i] l_i / sum_i w[label_i].
  const data::Dataset data = test::clouds(12, 4, 3, 7).subset(std::vector<std::uint32_t>{0, 1, 2, 3, 6, 9, 4});
  const std::array<double, 3> given{1, 5, 2};
  const auto weights = data::normalized_class_weights<3>(given, data);
  Network<Sequential<Linear<4, 3>>, backend::Eigen, double> network{Seed{1}};
  const std::vector<double> logits = predict_all(network, data);
  double sum = 0;
  double weight_sum = 0;
  for (std::size_t sample = 0; sample < data.size(); ++sample) {
    const double* row = logits.data() + 3 * sample;
    const std::uint32_t label = data.labels()[sample];
    const double loss = std::log(std::exp(row[0]) + std::exp(row[1]) + std::exp(row[2])) - row[label];
    sum += given[label] * loss;
    weight_sum += given[label];
  }
  const History history = Trainer{network, ClassWeighted{CrossEntropy{}, weights}, Sgd{.learning_rate = 0.1}}.fit(
      data, {.epochs = 1, .batch_size = data.size()});
  CHECK_THAT(history[0].loss, WithinRel(sum / weight_sum, 1e-12));
}

TEST_CASE("Balanced weights let a rare class be learned", "[loss]") {
  // Two overlapping clouds, 20 to 1: unweighted, the rare class is hardly ever the answer.
  std::vector<float> features;
  std::vector<std::uint32_t> labels;
  const auto noise = test::random_values<float>(420, 3, -1, 1);
  for (std::size_t i = 0; i < 420; ++i) {
    labels.push_back(i % 21 == 0 ? 1 : 0);
    features.push_back(noise[i] + (labels.back() == 1 ? 0.8f : 0.0f));
  }
  const data::Dataset data = test::make_dataset(features, labels, 2);
  const auto rare_answers = [&](const auto& loss) {
    Network<Sequential<Linear<1, 2>>> network{Seed{1}};
    Trainer{network, loss, Sgd{.learning_rate = 0.3}}.fit(data, {.epochs = 60, .batch_size = 32});
    const std::vector<float> logits = predict_all(network, data);
    std::size_t count = 0;
    for (std::size_t i = 0; i < 420; ++i) {
      count += labels[i] == 1 && logits[2 * i + 1] > logits[2 * i] ? 1u : 0u;
    }
    return count;
  };
  CHECK(rare_answers(CrossEntropy{}) < 8);  // of 20
  CHECK(rare_answers(ClassWeighted{CrossEntropy{}, data::balanced_class_weights<2>(data)}) > 12);
}

TEST_CASE("A weight that is no weight is refused, with its class", "[loss]") {
  const auto refused = [](std::array<double, 2> weights) {
    try {
      ClassWeighted{CrossEntropy{}, weights}.validate();
    } catch (const OptionError& error) {
      return std::string(error.what());
    }
    return std::string();
  };
  CHECK(refused({0, 1}).empty());
  for (const double wrong : {-1.0, std::nan(""), std::numeric_limits<double>::infinity(), 1e39}) {
    CHECK(refused({1, wrong}).find("the weight of class 1 is") != std::string::npos);
  }
  CHECK(refused({0, 0}).find("every weight is 0") != std::string::npos);
  CHECK_THROWS_AS((ClassWeighted{CrossEntropy{2.0}, std::array{1.0}}.validate()), OptionError);
}

TEST_CASE("What float cannot compute with is refused where float is trained", "[loss]") {
  const ClassWeighted cold{HintonLoss{.temperature = 1e-25}, std::array{1.0, 1.0}};
  CHECK_NOTHROW(cold.validate());
  CHECK_THROWS_AS(cold.validate<float>(), OptionError);
  const ClassWeighted light{CrossEntropy{}, std::array{1e-60, 1.0}};
  CHECK_NOTHROW(light.validate());
  CHECK_THROWS_WITH(light.validate<float>(), Catch::Contains("ClassWeighted: the weight of class 0 is 1e-60"));
}

TEST_CASE("A weighted loss describes itself, its loss and its weights", "[loss]") {
  CHECK(ClassWeighted{CrossEntropy{}, std::array{0.5, 2.0}}.describe() ==
        "ClassWeighted(loss=CrossEntropy(label_smoothing=0), weights=0.5 2)");
}

}  // namespace
