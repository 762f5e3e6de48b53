#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <iostream>
#include <numeric>
#include <vector>

#include "catch.hpp"
#include "every_backend/candidates.hpp"
#include "every_backend/models.hpp"
#include "retort/data/mnist.hpp"
#include "retort/data/synthetic_digits.hpp"

using namespace retort;
using namespace retort::test;

namespace {

constexpr std::size_t batch_size = 64;  // of FitOptions

/// The real MNIST where MNIST_DIR names it, else the built-in digits: 300 batches.
const data::Dataset& digits() {
  static const data::Dataset all = [] {
    const char* folder = std::getenv("MNIST_DIR");
    return folder != nullptr && std::filesystem::is_directory(folder) ? data::load_mnist(folder).first
                                                                      : data::synthetic_digits(25'000, Seed{0});
  }();
  return all;
}

data::Dataset first_samples(std::size_t count, std::size_t first = 0) {
  std::vector<std::uint32_t> indices(count);
  std::iota(indices.begin(), indices.end(), static_cast<std::uint32_t>(first));
  return digits().subset(indices);
}

/// |found - expected| / |expected|, Euclidean norms.
double norm_difference(const Numbers& found, const Numbers& expected) {
  REQUIRE(found.size() == expected.size());
  double difference = 0.0;
  double norm = 0.0;
  for (std::size_t i = 0; i < found.size(); ++i) {
    difference += (found[i] - expected[i]) * (found[i] - expected[i]);
    norm += expected[i] * expected[i];
  }
  return std::sqrt(difference / norm);
}

/// A narrow teacher's parameters, trained by the reference.
const Numbers& teacher_parameters() {
  static const Numbers parameters = [] {
    const data::Dataset data = first_samples(60 * batch_size);
    Numbers values = reference().train({.recipe = Recipe::narrow_teacher, .train = &data}).parameters;
    for (double& value : values) {
      value = static_cast<float>(value);
    }
    return values;
  }();
  return parameters;
}

TrainResult train(const Subject& subject, Recipe recipe, const data::Dataset& data, std::size_t epochs = 1,
                  const data::Dataset* validation = nullptr) {
  const bool distils = recipe != Recipe::teacher && recipe != Recipe::narrow_teacher && recipe != Recipe::alone;
  return subject.train({.recipe = recipe,
                        .train = &data,
                        .validation = validation,
                        .epochs = epochs,
                        .teacher = distils ? &teacher_parameters() : nullptr});
}

/// How far a backend's weights may be from the reference's after so many steps: float against double, in a process that
/// amplifies differences. About ten times what was measured on x86-64 (RETORT_PRINT_DIFFERENCES=1 prints it).
struct Tolerance {
  std::size_t steps;
  double weights;
};

void check_weights(const Subject& subject, Recipe recipe, const std::vector<Tolerance>& tolerances) {
  for (const Tolerance& tolerance : tolerances) {
    const data::Dataset data = first_samples(tolerance.steps * batch_size);
    const TrainResult found = train(subject, recipe, data);
    const TrainResult expected = train(reference(), recipe, data);
    const double difference = norm_difference(found.parameters, expected.parameters);
    if (std::getenv("RETORT_PRINT_DIFFERENCES") != nullptr) {
      std::cout << subject.describe() << ", recipe " << static_cast<int>(recipe) << ", " << tolerance.steps
                << " steps: " << difference << '\n';
    }
    CAPTURE(tolerance.steps);
    CHECK(difference < tolerance.weights);
    CHECK_THAT(found.history.back().loss, WithinRel(expected.history.back().loss, 1e-4));
  }
}

}  // namespace

TEMPLATE_TEST_CASE("weights follow the reference: teacher with dropout", "[every_backend]", RETORT_EVERY_BACKEND) {
  if (const Subject* subject = subject_on<TestType>()) {
    check_weights(*subject, Recipe::narrow_teacher, {{1, 5e-6}, {60, 5e-6}, {300, 2e-5}});
  }
}

TEMPLATE_TEST_CASE("weights follow the reference: student alone", "[every_backend]", RETORT_EVERY_BACKEND) {
  if (const Subject* subject = subject_on<TestType>()) {
    check_weights(*subject, Recipe::alone, {{1, 5e-6}, {60, 5e-6}, {300, 2e-5}});
  }
}

TEMPLATE_TEST_CASE("weights follow the reference: distillation with both losses", "[every_backend]",
                   RETORT_EVERY_BACKEND) {
  if (const Subject* subject = subject_on<TestType>()) {
    check_weights(*subject, Recipe::as_written, {{1, 5e-6}, {60, 5e-6}, {300, 2e-5}});
    check_weights(*subject, Recipe::hinton, {{1, 5e-6}, {60, 5e-6}, {300, 2e-5}});
  }
}

TEMPLATE_TEST_CASE("weights follow the reference: everything at once", "[every_backend]", RETORT_EVERY_BACKEND) {
  if (const Subject* subject = subject_on<TestType>()) {
    check_weights(*subject, Recipe::everything, {{1, 2e-5}, {60, 1e-5}});
  }
}

TEMPLATE_TEST_CASE("weights follow the reference: the full teacher", "[every_backend]", RETORT_EVERY_BACKEND) {
  if (const Subject* subject = subject_on<TestType>()) {
    // A step takes the reference a second: the long run is for machines with a GPU, where all have time.
    const bool long_run = std::getenv("RETORT_LONG_TESTS") != nullptr;
    check_weights(
        *subject, Recipe::teacher,
        long_run ? std::vector<Tolerance>{{1, 5e-6}, {60, 5e-6}, {300, 2e-5}} : std::vector<Tolerance>{{1, 5e-6}});
  }
}

TEMPLATE_TEST_CASE("a training repeats bit for bit", "[every_backend]", RETORT_EVERY_BACKEND) {
  const Subject* subject = subject_on<TestType>();
  if (subject == nullptr) {
    return;
  }
  const data::Dataset data = first_samples(1003);
  for (const Recipe recipe : {Recipe::narrow_teacher, Recipe::as_written, Recipe::everything}) {
    CAPTURE(static_cast<int>(recipe));
    const TrainResult first = train(*subject, recipe, data, 2);
    const TrainResult second = train(*subject, recipe, data, 2);
    CHECK(same_bits(first.parameters, second.parameters));
    CHECK(same_bits(first.buffers, second.buffers));
    CHECK(first.history.back().loss == second.history.back().loss);
  }
}

TEMPLATE_TEST_CASE("Thrust's host systems agree bit for bit", "[every_backend]", OnThrustOmp, OnThrustTbb) {
  const Subject* subject = subject_on<TestType>();
  const Subject* cpp = subject_on<OnThrustCpp>();
  if (subject == nullptr || cpp == nullptr) {
    return;
  }
  const data::Dataset data = first_samples(1003);
  for (const Recipe recipe : {Recipe::narrow_teacher, Recipe::everything}) {
    CAPTURE(static_cast<int>(recipe));
    const TrainResult found = train(*subject, recipe, data, 2);
    const TrainResult expected = train(*cpp, recipe, data, 2);
    CHECK(same_bits(found.parameters, expected.parameters));
    CHECK(same_bits(found.buffers, expected.buffers));
    CHECK(found.history.back().loss == expected.history.back().loss);
  }
}

TEMPLATE_TEST_CASE("a short distillation ends with the reference's accuracy", "[every_backend]", RETORT_EVERY_BACKEND) {
  const Subject* subject = subject_on<TestType>();
  if (subject == nullptr) {
    return;
  }
  const data::Dataset data = first_samples(8000);
  const data::Dataset held_out = first_samples(4000, 12'000);
  const TrainResult found = train(*subject, Recipe::hinton, data, 3, &held_out);
  const TrainResult expected = train(reference(), Recipe::hinton, data, 3, &held_out);
  REQUIRE(found.history.size() == 3);
  for (std::size_t epoch = 0; epoch < found.history.size(); ++epoch) {
    CAPTURE(epoch);
    CHECK_THAT(found.history[epoch].loss, WithinRel(expected.history[epoch].loss, 1e-4));
    CHECK_THAT(found.history[epoch].validation->accuracy,
               WithinAbs(expected.history[epoch].validation->accuracy, 0.001));
    CHECK_THAT(found.history[epoch].validation->loss, WithinRel(expected.history[epoch].validation->loss, 1e-4));
  }
  CHECK(found.history.back().validation->accuracy > 0.5);
}
