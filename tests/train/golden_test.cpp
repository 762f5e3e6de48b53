// SPDX-License-Identifier: MIT
// Two steps of training, as PyTorch does them: by hand through the backend's operations, and by the trainers.

#include <Eigen/Dense>
#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <numeric>
#include <span>
#include <utility>
#include <vector>

#include "catch.hpp"
#include "golden/training_golden.hpp"
#include "random_values.hpp"
#include "retort/core/hyperparameters.hpp"
#include "retort/loss/cross_entropy.hpp"
#include "retort/loss/hinton.hpp"
#include "retort/optim/adam.hpp"
#include "retort/train/distillation_trainer.hpp"
#include "retort/train/trainer.hpp"
#include "small_datasets.hpp"
#include "training_pass.hpp"

namespace {

using namespace retort;
namespace golden = retort::golden::training;
using retort::test::largest_difference;
using retort::test::packed_parameters;
using retort::test::set_packed_parameters;

using M = Sequential<Linear<6, 5>, ReLU, Linear<5, 4>, ReLU, Linear<4, 3>>;
static_assert(M::parameter_count == golden::parameter_count);

constexpr Adam adam{.learning_rate = 2e-4, .beta1 = 0.5, .beta2 = 0.999};
constexpr HintonLoss hinton{.temperature = 4, .hard_weight = 0.3};
constexpr double tolerance = 1e-12;

struct Expected {
  std::array<const double*, 2> gradients;
  std::array<const double*, 2> parameters;
  const double* losses;
  const double* logits;
};

constexpr Expected expected_cross_entropy{{golden::cross_entropy_gradients1, golden::cross_entropy_gradients2},
                                          {golden::cross_entropy_parameters1, golden::cross_entropy_parameters2},
                                          golden::cross_entropy_losses,
                                          golden::cross_entropy_final_logits};
constexpr Expected expected_hinton{{golden::hinton_gradients1, golden::hinton_gradients2},
                                   {golden::hinton_parameters1, golden::hinton_parameters2},
                                   golden::hinton_losses,
                                   golden::hinton_final_logits};

std::span<const double> parameters_of(const double* values) { return {values, golden::parameter_count}; }

template <typename L>
void check_steps(const L& loss, const Expected& expected) {
  CAPTURE(describe_settings(loss));
  const std::vector<double> inputs(std::begin(golden::inputs), std::end(golden::inputs));
  test::TrainingPass<M> pass(golden::batch);
  set_packed_parameters(pass.network, golden::initial_parameters);
  CHECK(largest_difference(pass.forward(inputs), golden::initial_logits) < tolerance);

  auto parameters = packed_parameters(pass.network);
  std::vector<double> mean(parameters.size());
  std::vector<double> square(parameters.size());
  std::vector<std::uint32_t> samples(golden::batch);
  std::iota(samples.begin(), samples.end(), 0u);
  for (std::size_t step = 0; step < 2; ++step) {
    CAPTURE(step);
    const auto logits = pass.forward(inputs);
    std::vector<double> logits_gradient(logits.size());
    std::vector<double> losses(golden::batch);
    std::vector<std::uint8_t> correct(golden::batch);
    evaluate_loss(pass.network.backend(), loss, backend::Width<golden::classes>{},
                  backend::LossArguments<double>{.student = logits.data(),
                                                 .teacher = {golden::teacher_logits, false},
                                                 .samples = samples.data(),
                                                 .labels = golden::labels,
                                                 .gradient = logits_gradient.data(),
                                                 .losses = losses.data(),
                                                 .correct = correct.data(),
                                                 .batch = golden::batch});
    const auto sum =
        sum_losses(pass.network.backend(), std::as_const(losses).data(), std::as_const(correct).data(), losses.size());
    CHECK_THAT(sum.loss / golden::batch, WithinAbs(expected.losses[step], tolerance));
    const auto gradients = pass.backward(inputs, logits_gradient);
    CHECK(largest_difference(gradients.parameters, parameters_of(expected.gradients[step])) < tolerance);
    update_parameters(pass.network.backend(), adam.rule<double>(step + 1, adam.learning_rate), parameters.data(),
                      gradients.parameters.data(), std::array{mean.data(), square.data()}, parameters.size());
    CHECK(largest_difference(parameters, parameters_of(expected.parameters[step])) < tolerance);
    set_packed_parameters(pass.network, parameters);
  }
  CHECK(largest_difference(pass.forward(inputs), std::span(expected.logits, 12)) < tolerance);
}

TEST_CASE("Two steps by hand equal PyTorch's: losses, gradients, parameters, logits", "[train][golden]") {
  check_steps(CrossEntropy{}, expected_cross_entropy);
  check_steps(hinton, expected_hinton);
}

/// The golden inputs have three decimals: as thousands they are exact in float, and the normalisation divides.
data::Dataset golden_data() {
  std::vector<float> thousands;
  for (const double input : golden::inputs) {
    thousands.push_back(static_cast<float>(std::round(1000.0 * input)));
  }
  return test::make_dataset(thousands, {std::begin(golden::labels), std::end(golden::labels)}, golden::classes,
                            {.mean = 0.0, .standard_deviation = 1000.0});
}

const FitOptions two_steps{.epochs = 2, .batch_size = golden::batch, .shuffle = false};

template <typename Scalar>
Network<M, backend::Eigen, Scalar> golden_network() {
  Network<M, backend::Eigen, Scalar> network{Seed{1}};
  set_packed_parameters(network, golden::initial_parameters);
  return network;
}

/// A linear teacher that gives the golden teacher's logits: 12 equations for its 18 weights.
template <typename Scalar>
Network<Sequential<Linear<6, 3, Bias::no>>, backend::Eigen, Scalar> golden_teacher() {
  using Rows = Eigen::Matrix<double, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;
  const Eigen::Map<const Rows> inputs(golden::inputs, 4, 6);
  const Eigen::Map<const Rows> logits(golden::teacher_logits, 4, 3);
  const Rows weight = inputs.completeOrthogonalDecomposition().solve(logits).transpose();
  Network<Sequential<Linear<6, 3, Bias::no>>, backend::Eigen, Scalar> teacher{Seed{1}};
  set_packed_parameters(teacher, std::span(weight.data(), 18));
  return teacher;
}

template <typename Scalar>
void check_history(const History& history, const Network<M, backend::Eigen, Scalar>& network,
                   const Expected& expected) {
  const double close = sizeof(Scalar) == 4 ? 1e-6 : tolerance;
  REQUIRE(history.size() == 2);
  CHECK_THAT(history[0].loss, WithinAbs(expected.losses[0], close));
  CHECK_THAT(history[1].loss, WithinAbs(expected.losses[1], close));
  CHECK(largest_difference(packed_parameters(network), parameters_of(expected.parameters[1])) < close);
  const auto logits = predict_all(network, golden_data());
  CHECK(largest_difference(logits, std::span(expected.logits, 12)) < 5 * close);
}

TEMPLATE_TEST_CASE("Trainer's two steps equal PyTorch's", "[train][golden]", float, double) {
  auto network = golden_network<TestType>();
  Trainer trainer{network, CrossEntropy{}, adam};
  check_history(trainer.fit(golden_data(), two_steps), network, expected_cross_entropy);
}

TEMPLATE_TEST_CASE("DistillationTrainer's two steps equal PyTorch's", "[train][golden]", float, double) {
  const auto teacher = golden_teacher<TestType>();
  auto student = golden_network<TestType>();
  DistillationTrainer distiller{teacher, student, hinton, adam};
  check_history(distiller.fit(golden_data(), two_steps), student, expected_hinton);
}

}  // namespace
