// SPDX-License-Identifier: MIT
// Trainings whose loss has a term on hidden layers.

#include "retort/loss/feature_loss.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <functional>
#include <numeric>
#include <span>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include "catch.hpp"
#include "finite_difference.hpp"
#include "random_values.hpp"
#include "retort/backend/eigen/backend.hpp"
#include "retort/backend/eigen/bf16.hpp"
#include "retort/backend/generic/engine.hpp"
#include "retort/core/error.hpp"
#include "retort/data/augment.hpp"
#include "retort/data/dataset.hpp"
#include "retort/loss/cross_entropy.hpp"
#include "retort/loss/hint.hpp"
#include "retort/loss/hinton.hpp"
#include "retort/nn/avg_pool2d.hpp"
#include "retort/nn/batch_norm.hpp"
#include "retort/nn/dropout.hpp"
#include "retort/nn/layer_norm.hpp"
#include "retort/nn/linear.hpp"
#include "retort/nn/network.hpp"
#include "retort/nn/relu.hpp"
#include "retort/nn/tanh.hpp"
#include "retort/optim/adam.hpp"
#include "retort/optim/gradient_clipping.hpp"
#include "retort/optim/schedule.hpp"
#include "retort/optim/sgd.hpp"
#include "retort/train/distillation_trainer.hpp"
#include "retort/train/epoch_trainer.hpp"
#include "retort/train/fit.hpp"
#include "retort/train/fit_options.hpp"
#include "retort/train/teacher.hpp"
#include "retort/train/trainer.hpp"
#include "retort/train/trainer_interface.hpp"
#include "separate_memory.hpp"
#include "small_datasets.hpp"
#include "temporary_folder.hpp"
#include "train/recorder.hpp"

namespace {

using namespace retort;
using retort::test::same_bits;

using TeacherModel = Sequential<Linear<6, 4>, Tanh, Dropout<0.5>, Linear<4, 3>>;
using StudentModel = Sequential<Linear<6, 5>, Tanh, Linear<5, 3>>;
using TeacherNetwork = Network<TeacherModel, backend::Eigen, double>;
using StudentNetwork = Network<StudentModel, backend::Eigen, double>;
template <typename Term, typename O>
using TermTrainer = internal::EpochTrainer<StudentModel, backend::Eigen, double, WithTerm<CrossEntropy, Term>, O,
                                           internal::Teacher<TeacherModel, backend::Eigen, double>>;

/// A hint with a regressor of several layers.
struct DeepHint : Hint<1, 2> {
  template <std::size_t Student, std::size_t TeacherWidth>
  using Regressor = Sequential<Linear<Student, 7>, Tanh, Linear<7, TeacherWidth>>;
};

constexpr std::size_t samples = 20;

const data::Dataset& points() {
  static const data::Dataset data = test::clouds(samples, 6, 3, 1);
  return data;
}

/// What a training sees of the samples in epoch 0.
std::vector<double> inputs_of(const data::Dataset& data, const internal::Epoch& epoch) {
  std::vector<std::uint32_t> indices(samples);
  std::iota(indices.begin(), indices.end(), 0u);
  std::vector<double> inputs(samples * 6);
  gather_batch(backend::Eigen{}, data.view(), indices.data(), samples, epoch.view(0), inputs.data());
  return inputs;
}

std::vector<double> array_of(const internal::StateArrays& state, const std::string& name) {
  const auto array = std::ranges::find(state, name, &internal::StateArray::name);
  REQUIRE(array != state.end());
  std::vector<double> values(array->bytes.size() / sizeof(double));
  std::memcpy(values.data(), array->bytes.data(), array->bytes.size());
  return values;
}

/// The mean loss of all samples, of a student and a regressor with these numbers, by predictions alone.
template <typename Term>
double loss_of(const WithTerm<CrossEntropy, Term>& loss, const TeacherNetwork& teacher, const data::Dataset& data,
               const std::vector<double>& inputs, const std::vector<double>& parameters,
               const std::vector<double>& regressor) {
  constexpr std::size_t student_width = StudentModel::widths[Term::student_layer + 1];
  constexpr std::size_t width = TeacherModel::widths[Term::teacher_layer + 1];
  StudentNetwork student{Seed{0}};
  student.assign_parameters(parameters);
  Network<typename Term::template Regressor<student_width, width>, backend::Eigen, double> answering{Seed{0}};
  answering.assign_parameters(regressor);
  std::vector<double> logits(samples * 3);
  std::vector<double> features(samples * student_width);
  std::vector<double> answers(samples * width);
  std::vector<double> expected(samples * width);
  student.predict(inputs, logits);
  student.predict_layer<Term::student_layer>(inputs, features);
  answering.predict(features, answers);
  teacher.predict_layer<Term::teacher_layer>(inputs, expected);
  double sum = 0.0;
  for (std::size_t i = 0; i < samples; ++i) {
    std::array<double, 3> ignored{};
    sum += loss.loss.template row<3>(StudentLogits<double>{logits.data() + 3 * i}, TeacherLogits<double>{nullptr},
                                     data.labels()[i], 1.0, ignored.data());
    for (std::size_t j = 0; j < width; ++j) {
      const double difference = answers[width * i + j] - expected[width * i + j];
      sum += loss.term.weight * difference * difference / static_cast<double>(width);
    }
  }
  return sum / samples;
}

internal::Epoch whole_epoch(const Schedule& schedule) {
  return {.batch_size = samples, .seed = Seed{7}, .schedule = &schedule};
}

/// One step on all samples, whose memory has room for `capacity`.
template <typename Term>
void check_gradient(const Term& term, const data::Dataset& data, std::size_t capacity, std::size_t shift = 0) {
  const WithTerm<CrossEntropy, Term> loss{CrossEntropy{}, term};
  const TeacherNetwork teacher{Seed{3}};
  StudentNetwork student{Seed{1}};
  TermTrainer<Term, Sgd> epoch_trainer(student, loss, Sgd{.learning_rate = 1.0}, {&teacher});
  const Schedule schedule;
  internal::Epoch epoch = whole_epoch(schedule);
  epoch.augmentation = {.shift = shift};
  epoch.batch_size = capacity;
  epoch_trainer.begin(data, nullptr, epoch);
  epoch.batch_size = samples;
  const internal::StateArrays before = epoch_trainer.state();
  const auto parameters = array_of(before, "parameters");
  const auto regressor = array_of(before, "regressor.parameters");
  const std::vector<double> inputs = inputs_of(data, epoch);
  const auto loss_at = [&](const std::vector<double>& of_student, const std::vector<double>& of_regressor) {
    return loss_of(loss, teacher, data, inputs, of_student, of_regressor);
  };
  const internal::EpochResult result = epoch_trainer.train_epoch(epoch, [](std::size_t, const backend::LossSum&) {});
  CHECK_THAT(result.sum.loss / samples, WithinRel(loss_at(parameters, regressor), 1e-12));

  const internal::StateArrays after = epoch_trainer.state();
  const auto step = [&](const std::vector<double>& from, const std::string& name) {
    std::vector<double> gradient = array_of(after, name);
    std::ranges::transform(from, gradient, gradient.begin(), std::minus<>{});
    return gradient;
  };
  const auto by_parameters = [&](const std::vector<double>& at) { return loss_at(at, regressor); };
  const auto by_regressor = [&](const std::vector<double>& at) { return loss_at(parameters, at); };
  CHECK(test::worst_gradient_difference(by_parameters, parameters, step(parameters, "parameters")).relative_error <
        1e-6);
  CHECK(
      test::worst_gradient_difference(by_regressor, regressor, step(regressor, "regressor.parameters")).relative_error <
      1e-6);
}

TEST_CASE("A step with a hint follows the gradient of loss and hint in student and regressor", "[train]") {
  check_gradient(Hint<1, 2>{.weight = 2.0}, points(), samples);
  check_gradient(Hint<1, 2>{.weight = 2.0}, points(), samples + 13);  // as a last batch has more room than it needs
  check_gradient(Hint<0, 0>{.weight = 0.5}, points(), samples);       // a Linear with a chain behind it
  check_gradient(DeepHint{{.weight = 2.0}}, points(), samples);
  check_gradient(Hint<1, 3>{.weight = 2.0}, test::noise_images(samples, {2, 3}, 3, 1), samples, 1);
}

TEST_CASE("Clipping is by the norm of both gradients", "[train]") {
  const WithTerm loss{CrossEntropy{}, Hint<1, 2>{.weight = 2.0}};
  const TeacherNetwork teacher{Seed{3}};
  StudentNetwork student{Seed{1}};
  TermTrainer<Hint<1, 2>, Sgd> epoch_trainer(student, loss, Sgd{.learning_rate = 1.0}, {&teacher});
  const Schedule schedule;
  internal::Epoch epoch = whole_epoch(schedule);
  epoch.clipping = GradientClipping{.max_norm = 0.01};
  epoch_trainer.begin(points(), nullptr, epoch);
  const internal::StateArrays before = epoch_trainer.state();
  epoch_trainer.train_epoch(epoch, [](std::size_t, const backend::LossSum&) {});
  const internal::StateArrays after = epoch_trainer.state();
  double squares = 0.0;
  double of_regressor = 0.0;
  for (const char* name : {"parameters", "regressor.parameters"}) {
    const auto from = array_of(before, name);
    const auto to = array_of(after, name);
    of_regressor = 0.0;
    for (std::size_t i = 0; i < from.size(); ++i) {
      of_regressor += (to[i] - from[i]) * (to[i] - from[i]);
    }
    squares += of_regressor;
  }
  CHECK_THAT(std::sqrt(squares), WithinRel(0.01, 1e-5));  // 1e-6 is added to the norm that it is divided by
  CHECK(of_regressor > 1e-3 * squares);
}

TEST_CASE("A training with a hint that was interrupted goes on to the same bits, regressor and all", "[train]") {
  const test::TemporaryFolder folder;
  const TeacherNetwork teacher{Seed{3}};
  const auto train = [&](std::size_t epochs, const std::string& checkpoint) {
    StudentNetwork student{Seed{1}};
    DistillationTrainer trainer{teacher, student, WithTerm{HintonLoss{}, Hint<1, 2>{}}, Adam{.learning_rate = 1e-2}};
    trainer.fit(points(), {.epochs = epochs,
                           .batch_size = 8,
                           .checkpoint = CheckpointOptions{.path = folder / checkpoint, .resume = true}});
    return student;
  };
  const StudentNetwork whole = train(6, "whole");
  train(2, "parts");
  const StudentNetwork resumed = train(6, "parts");
  CHECK(same_bits(resumed.parameter_arena(), whole.parameter_arena()));

  // Another weight of the hint is another training.
  StudentNetwork student{Seed{1}};
  DistillationTrainer other{teacher, student, WithTerm{HintonLoss{}, Hint<1, 2>{.weight = 1}},
                            Adam{.learning_rate = 1e-2}};
  CHECK_THROWS_AS(other.fit(points(), {.epochs = 6,
                                       .batch_size = 8,
                                       .checkpoint = CheckpointOptions{.path = folder / "whole", .resume = true}}),
                  SettingError);
}

TEST_CASE("With weight 0 a hint changes no bit of the student", "[train]") {
  const TeacherNetwork teacher{Seed{3}};
  const FitOptions options{.epochs = 3, .batch_size = 8, .seed = Seed{4}};
  StudentNetwork hinted{Seed{1}};
  DistillationTrainer{teacher, hinted, WithTerm{HintonLoss{}, Hint<1, 2>{.weight = 0}}, Adam{}}.fit(points(), options);
  // By single operations too.
  StudentNetwork plain{Seed{1}};
  using Steps = backend::GenericSteps<StudentModel, backend::Eigen, double>;
  internal::EpochTrainer<StudentModel, backend::Eigen, double, HintonLoss, Adam,
                         internal::Teacher<TeacherModel, backend::Eigen, double>, Steps>
      epoch_trainer(plain, {}, {}, {&teacher});
  retort::detail::fit(epoch_trainer, points(), nullptr, options);
  CHECK(same_bits(hinted.parameter_arena(), plain.parameter_arena()));
}

TEST_CASE("Hints are learned, from cached features and from those of augmented inputs", "[train]") {
  using ImageTeacher = Sequential<Linear<30, 16>, ReLU, Linear<16, 4>>;
  using ImageStudent = Sequential<Linear<30, 6>, ReLU, Linear<6, 4>>;
  const data::Dataset images = test::noise_images(75, {5, 6}, 4, 1);
  const Network<ImageTeacher> teacher{Seed{3}};
  for (const std::size_t pixels : {0u, 1u}) {
    CAPTURE(pixels);
    Network<ImageStudent> student{Seed{1}};
    DistillationTrainer trainer{teacher, student, WithTerm{HintonLoss{.hard_weight = 0}, Hint<1, 1>{.weight = 10}},
                                Adam{.learning_rate = 1e-2}};
    const History history = trainer.fit(images, {.epochs = 15, .batch_size = 16, .augmentation = {.shift = pixels}});
    CHECK(history.back().loss < 0.6 * history.front().loss);
  }
}

TEST_CASE("In memory that is not the host's a hint trains to the same bits", "[train]") {
  const auto train = [](const auto& backend) {
    using Backend = std::remove_cvref_t<decltype(backend)>;
    const Network<TeacherModel, Backend> teacher{Seed{3}, backend};
    Network<StudentModel, Backend> student{Seed{1}, backend};
    DistillationTrainer trainer{teacher, student, WithTerm{HintonLoss{}, Hint<1, 2>{}}, Adam{}};
    trainer.fit(points(), {.epochs = 3, .batch_size = 8, .clipping = GradientClipping{.max_norm = 1}});
    return student.copy_parameters();
  };
  CHECK(same_bits(train(test::SeparateMemory{}).span(), train(backend::Eigen{}).span()));
}

TEST_CASE("A number of the state that is not finite is named, a regressor's and a moment's too", "[train]") {
  const TeacherNetwork teacher{Seed{3}};
  StudentNetwork student{Seed{1}};
  TermTrainer<Hint<1, 2>, Adam> epoch_trainer(student, {}, Adam{}, {&teacher});
  const Schedule schedule;
  epoch_trainer.begin(points(), nullptr, whole_epoch(schedule));
  const internal::StateArrays state = epoch_trainer.state();
  const auto fault_of = [&](const std::string& name, double value) {
    internal::StateArrays changed = state;
    const auto array = std::ranges::find(changed, name, &internal::StateArray::name);
    REQUIRE(array != changed.end());
    std::memcpy(array->bytes.data() + 3 * sizeof(double), &value, sizeof(double));
    epoch_trainer.restore(changed);
    CHECK(epoch_trainer.is_finite() == std::isfinite(value));
    return epoch_trainer.describe_fault();
  };
  CHECK(fault_of("regressor.parameters", 1.0).empty());
  CHECK(fault_of("regressor.parameters", HUGE_VAL).starts_with("regressor.0.weight: element 3 is inf"));
  CHECK(fault_of("moment.0", -HUGE_VAL) == "moment.0 of 0.weight: element 3 is -inf, expected a finite number");
  CHECK(fault_of("regressor.moment.1", HUGE_VAL).starts_with("regressor.moment.1 of 0.weight: element 3 is inf"));
  // Weights have a bound, moments have none.
  CHECK(fault_of("parameters", 1e300).starts_with("0.weight: element 3 is 1e+300, expected a magnitude of at most "));
  CHECK(fault_of("moment.1", 1e300).empty());
}

TEST_CASE("A trainer says which engine runs, and why another does not", "[train]") {
  using Pooled = Sequential<Tanh, AvgPool2d<Shape<1, 6, 1>, 1>, Linear<6, 3>>;
  using Normalized = Sequential<Linear<6, 5>, LayerNorm<5>, Tanh, BatchNorm<5>, Linear<5, 3>>;
  const Network<TeacherModel> teacher{Seed{3}};
  Network<StudentModel> student{Seed{1}};
  CHECK(Trainer{student, CrossEntropy{}, Adam{}}.describe() == "panels in float");
  CHECK(DistillationTrainer{teacher, student, WithTerm{HintonLoss{}, Hint<1, 2>{}}, Adam{}}.describe() ==
        "single operations in float, not panels: the loss has a term on hidden layers");
  Network<Normalized, backend::Eigen, double> normalized{Seed{1}};
  CHECK(Trainer{normalized, CrossEntropy{}, Adam{}}.describe() == "panels in double");
  Network<Pooled, backend::Eigen, double> pooled{Seed{1}};
  CHECK(Trainer{pooled, CrossEntropy{}, Adam{}}.describe() ==
        "single operations in double, not panels: AvgPool2d (layer 1) is neither Linear, pointwise nor a "
        "normalization");
  Network<Pooled, backend::EigenBf16> mixed{Seed{1}};
  CHECK(Trainer{mixed, CrossEntropy{}, Adam{}}.describe() ==
        "single operations in float, not panels with bf16 products: AvgPool2d (layer 1) is neither Linear, pointwise "
        "nor a normalization, not panels: AvgPool2d (layer 1) is neither Linear, pointwise nor a normalization");
  Network<StudentModel, backend::EigenBf16, double> wide{Seed{1}};
  CHECK(Trainer{wide, CrossEntropy{}, Adam{}}.describe() ==
        "panels in double, not panels with bf16 products: it computes in float");
}

TEST_CASE("EigenBf16 trains a model that its panels do not take as Eigen does", "[train]") {
  using Pooled = Sequential<Tanh, AvgPool2d<Shape<1, 6, 1>, 1>, Linear<6, 3>>;
  const FitOptions options{.epochs = 2, .batch_size = 8};
  Network<Pooled, backend::EigenBf16> mixed{Seed{1}};
  Trainer{mixed, CrossEntropy{}, Adam{}}.fit(points(), options);
  Network<Pooled> single{Seed{1}};
  Trainer{single, CrossEntropy{}, Adam{}}.fit(points(), options);
  CHECK(same_bits(mixed.parameter_arena(), single.parameter_arena()));
}

}  // namespace
