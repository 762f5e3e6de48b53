// SPDX-License-Identifier: MIT
// A program compiled with -ffast-math, which takes std::isfinite for true: what is not a number is refused all the
// same. Without a test framework, whose own objects would be compiled without the flag.

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <exception>
#include <filesystem>
#include <utility>
#include <vector>

#include "plain_backend/plain.hpp"
#include "retort/backend/eigen/bf16.hpp"
#include "retort/core/hyperparameters.hpp"
#include "retort/core/small_floats.hpp"
#include "retort/data/synthetic_digits.hpp"
#include "retort/retort.hpp"

#ifndef __FAST_MATH__
#error "to be compiled with -ffast-math"
#endif

using namespace retort;

namespace {

int failures = 0;

void check(bool right, const char* what) {
  if (!right) {
    std::fprintf(stderr, "fast_math: wrong: %s\n", what);
    ++failures;
  }
}

template <typename Function>
void check_refused(const char* what, const Function& function) {
  try {
    function();
  } catch (const Error&) {
    return;
  }
  check(false, what);
}

// Writes bits that the compiler does not see.
template <typename Bits, typename Number>
[[gnu::noinline]] void set_bits(Number& value, Bits bits) {
  static_assert(sizeof value == sizeof bits);
  volatile Bits hidden = bits;
  const Bits shown = hidden;
  std::memcpy(&value, &shown, sizeof value);
}

const std::uint32_t not_numbers[] = {0x7F800000, 0xFF800000, 0x7FC00000, 0xFFC00000, 0x7FFFFFFF, 0x7F800001};
const std::uint64_t wide_not_numbers[] = {0x7FF0000000000000, 0xFFF0000000000000, 0x7FF8000000000000,
                                          0xFFFFFFFFFFFFFFFF, 0x7FF0000000000001};

void check_bits() {
  for (const std::uint32_t bits : not_numbers) {
    float value = 0.0f;
    set_bits(value, bits);
    check(!is_finite(value), "is_finite of a float that is none");
    std::vector<float> values(1003, 1.5f);
    check(all_finite(backend::Eigen{}, std::as_const(values).data(), values.size()), "all_finite of numbers");
    set_bits(values[1001], bits);
    check(!all_finite(backend::Eigen{}, std::as_const(values).data(), values.size()), "Eigen's all_finite");
    check(!all_finite(plain::Plain{}, std::as_const(values).data(), values.size()), "all_finite of one's own backend");
  }
  for (const std::uint64_t bits : wide_not_numbers) {
    double value = 0.0;
    set_bits(value, bits);
    check(!is_finite(value), "is_finite of a double that is none");
    check(!is_finite(GradientClipping{}.clip_factor(value)), "clip_factor of a norm that is no number");
  }
  check(is_finite(1.0f) && is_finite(-3e38f) && is_finite(0.0) && is_finite(1e308), "is_finite of numbers");
  float nan = 0.0f;
  set_bits(nan, 0x7FFFFFFFu);
  check((internal::to_bfloat16(nan) & 0x7FFF) > 0x7F80, "bfloat16 of NaN");
}

void check_options() {
  for (const std::uint64_t bits : wide_not_numbers) {
    double none = 0.0;
    set_bits(none, bits);
    check_refused("temperature", [&] { validate_in<double>(HintonLoss{none, 0.5}); });
    check_refused("hard_weight", [&] { validate_in<double>(HintonLoss{4.0, none}); });
    check_refused("temperature", [&] { validate_in<double>(SoftmaxPassedToKlLoss{none, 0.5}); });
    check_refused("label_smoothing", [&] { validate_in<double>(CrossEntropy{none}); });
    check_refused("Adam's learning_rate", [&] { Adam{.learning_rate = none}.validate(); });
    check_refused("Adam's beta1", [&] { Adam{.beta1 = none}.validate(); });
    check_refused("Adam's beta2", [&] { Adam{.beta2 = none}.validate(); });
    check_refused("Adam's epsilon", [&] { Adam{.epsilon = none}.validate(); });
    check_refused("AdamW's weight_decay", [&] { AdamW{.weight_decay = none}.validate(); });
    check_refused("Sgd's learning_rate", [&] { Sgd{.learning_rate = none}.validate(); });
    check_refused("Sgd's momentum", [&] { Sgd{.momentum = none}.validate(); });
    check_refused("Sgd's weight_decay", [&] { Sgd{.weight_decay = none}.validate(); });
    check_refused("max_norm", [&] { validate_in<double>(GradientClipping{none}); });
    check_refused("decay", [&] { validate_in<double>(StepSchedule{.decay = none}); });
    check_refused("final_factor", [&] { validate_in<double>(CosineSchedule{none}); });
    check_refused("validation_fraction", [&] { FitOptions{.validation_fraction = none}.validate(); });
    check_refused("first_fraction", [&] { data::random_split_indices(100, none, Seed{1}); });
    check_refused("every_seconds", [&] { CheckpointOptions{.every_seconds = none}.validate(); });
    check_refused("a hint's weight", [&] { validate_in<double>(Hint<1, 2>{.weight = none}); });
    check_refused("a class's weight", [&] { ClassWeighted{CrossEntropy{}, std::array{1.0, none}}.validate(); });
    check_refused("the mean of a column", [&] { data::Standardization{{none}, {1.0}}.validate(); });
    check_refused("the deviation of a column", [&] { data::Standardization{{0.0}, {none}}.validate(); });
    check_refused("distortion", [&] { data::SyntheticDigitsOptions{.distortion = none}.validate(); });
    check_refused("noise", [&] { data::SyntheticDigitsOptions{.noise = none}.validate(); });
    check_refused("a network's mean", [&] { Preprocessing{.mean = none}.validate(1, 1); });
    check_refused("a network's deviation", [&] { Preprocessing{.standard_deviation = none}.validate(1, 1); });
  }
}

data::Dataset blobs(const float& scale, data::Normalization normalization = {}) {
  std::vector<float> features(60 * 4);
  std::vector<std::uint32_t> labels(60);
  for (std::size_t i = 0; i < features.size(); ++i) {
    features[i] = scale * static_cast<float>(i * 7 % 11);
    labels[i / 4] = static_cast<std::uint32_t>(i / 4 % 3);
  }
  return {data::Matrix<float>(60, 4, std::move(features)), std::move(labels), 3, data::ImageShape{}, normalization};
}

using Small = Sequential<Linear<4, 5>, ReLU, Linear<5, 3>>;
using Normalized = Sequential<Linear<4, 5>, BatchNorm<5>, Linear<5, 3>>;

template <typename M, typename Backend = backend::Eigen>
void check_training() {
  for (const bool clips : {false, true}) {
    Network<M, Backend> network{Seed{1}};
    FitOptions options{.epochs = 50, .batch_size = 10};
    if (clips) {
      options.clipping = GradientClipping{.max_norm = 1e30};
    }
    check_refused("a training that diverges",
                  [&] { Trainer{network, CrossEntropy{}, Sgd{.learning_rate = 1e30}}.fit(blobs(1.0f), options); });
  }
  Network<M, Backend> network{Seed{1}};
  const History history = Trainer{network, CrossEntropy{}, Adam{}}.fit(blobs(1.0f), {.epochs = 2, .batch_size = 10});
  check(history.front().loss > 0.5 && history.front().loss < 10.0, "the loss of a training that does not");
}

// Weights that are finite, and held-out samples whose logits are not.
void check_validation() {
  Network<Small> network{Seed{1}};
  for (std::size_t i = 0; i < Small::parameters.size(); ++i) {
    std::ranges::fill(network.parameter(i), 1e17f);
  }
  const char* found = "";
  try {
    Trainer{network, CrossEntropy{}, Sgd{.learning_rate = 0.0}}.fit(blobs(1.0f), blobs(3e37f), {.batch_size = 10});
  } catch (const DivergenceError& error) {
    found = std::strstr(error.what(), "the validation loss is ");
  }
  check(found != nullptr && *found != '\0', "a validation loss that diverges");
}

void check_data() {
  float nan = 0.0f;
  set_bits(nan, 0x7FC00000u);
  check_refused("a feature that is not a number", [&] { blobs(nan); });
  for (const std::uint64_t bits : wide_not_numbers) {
    double none = 0.0;
    set_bits(none, bits);
    check_refused("a mean that is none", [&] { blobs(1.0f, {.mean = none}); });
    check_refused("a deviation that is none", [&] { blobs(1.0f, {.standard_deviation = none}); });
  }
}

void check_files(const std::filesystem::path& folder) {
  Network<Small> network{Seed{1}};
  const auto path = folder / "weights.safetensors";
  AlignedBuffer<float> parameters = network.copy_parameters();
  set_bits(parameters.data()[3], 0x7FC00000u);
  network.assign_parameters(parameters.span());
  check_refused("weights that are no numbers", [&] {
    io::save_safetensors(network, path);
    Network<Small> read{Seed{2}};
    io::load_safetensors(read, path);
  });

  // The same in files that others wrote.
  const std::span<const float> all = parameters.span();
  io::write_safetensors(
      path, std::vector{io::Tensor::of("0.weight", {5, 4}, all.first(20)), io::Tensor::of("0.bias", {5}, all.first(5)),
                        io::Tensor::of("2.weight", {3, 5}, all.first(15)), io::Tensor::of("2.bias", {3}, all.last(3))});
  check_refused("a file of weights that are no numbers", [&] {
    Network<Small> read{Seed{2}};
    io::load_safetensors(read, path);
  });
  for (const char* value : {"nan", "inf", "-inf", "1e39"}) {
    AtomicFile file(folder / "table.csv");
    file.write(concatenate({"1,2\n0,", value, "\n"}));
    file.commit();
    check_refused(value, [&] { data::load_csv(folder / "table.csv"); });
  }
  for (const std::uint32_t bits : not_numbers) {
    std::vector<float> feature(1);
    set_bits(feature[0], bits);
    data::save_npy(folder / "features.npy", data::Matrix<float>(1, 1, std::move(feature)));
    data::save_npy(folder / "labels.npy", data::Labels{0});
    check_refused("a feature in a file that is no number",
                  [&] { data::load_npy(folder / "features.npy", folder / "labels.npy"); });
    check_refused("a teacher's logit in a file that is no number",
                  [&] { data::load_teacher_logits(folder / "features.npy"); });
  }
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2) {
    std::fprintf(stderr, "usage: fast_math FOLDER\n");
    return 2;
  }
  try {
    std::filesystem::create_directories(argv[1]);
    check_bits();
    check_options();
    check_training<Small>();
    check_training<Normalized>();
    check_training<Small, backend::EigenBf16>();
    check_validation();
    check_data();
    check_files(argv[1]);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "fast_math: %s\n", error.what());
    return 1;
  }
  return failures == 0 ? 0 : 1;
}
