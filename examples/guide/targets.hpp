// SPDX-License-Identifier: MIT
#pragma once
/// @file
/// Targets that are not classes, for each image several labels or a real number: the guide's page 11.

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <numbers>
#include <retort/data/gather.hpp>
#include <retort/retort.hpp>
#include <utility>
#include <variant>
#include <vector>

#include "digits.hpp"

namespace guide {

/// Mean and standard deviation of measure(student) over five students that differ in their seeds alone. Each is trained
/// by learn(student, options).
template <typename Student, typename Learn, typename Measure>
rt::Statistics over_seeds(const rt::backend::Eigen& cpu, const Learn& learn, const Measure& measure) {
  std::vector<double> values;
  for (const rt::Seed seed : rt::consecutive_seeds(5)) {
    rt::Network<Student> student{seed, cpu};
    rt::FitOptions options = recipe();
    options.seed = seed;
    learn(student, options);
    values.push_back(measure(student));
  }
  return rt::statistics(values);
}

/// Each image with another one laid over it. The targets are an answer for each digit: 1 if it is there, else 0.
inline rt::data::Dataset overlaid(const rt::data::Dataset& digits, rt::Seed seed) {
  const auto& single = std::get<rt::data::Matrix<std::uint8_t>>(digits.features());
  rt::data::Matrix<std::uint8_t> images(digits.size(), digits.feature_count());
  rt::data::Matrix<float> present(digits.size(), digits.classes());
  rt::RandomSequence random{rt::RandomStream{seed, rt::Stream::synthetic, 0}};
  for (std::size_t first = 0; first < digits.size(); ++first) {
    const std::size_t second = random.below(static_cast<std::uint32_t>(digits.size()));
    for (std::size_t pixel = 0; pixel < digits.feature_count(); ++pixel) {
      images(first, pixel) = std::max(single(first, pixel), single(second, pixel));
    }
    present(first, digits.labels()[first]) = 1;
    present(first, digits.labels()[second]) = 1;
  }
  return rt::data::Dataset{std::move(images), digits.image(), digits.normalization()}.with_targets(std::move(present));
}

inline void multi_label(const Digits& digits, const rt::backend::Eigen& cpu) {
  // The teacher knows one half of the digits. By the same seed `few` are among them.
  const auto [known, unknown] = rt::data::random_split(digits.train, 0.5, rt::Seed{0});
  const Digits pairs{.train = overlaid(known, rt::Seed{0}),
                     .few = overlaid(digits.few, rt::Seed{1}),
                     .held_out = overlaid(digits.held_out, rt::Seed{2})};
  const rt::data::Dataset others = overlaid(unknown, rt::Seed{3});
  const rt::data::Dataset untagged = others.without_labels();

  rt::ProgressPrinter progress{"teacher"};
  rt::Network<Teacher> teacher{rt::Seed{0}, cpu};
  rt::Trainer{teacher, rt::BinaryCrossEntropy{}, rt::Adam{.learning_rate = 1e-3}}.fit(
      pairs.train, pairs.held_out, {.epochs = 16, .schedule = rt::CosineSchedule{}, .observers = {&progress}});

  const auto report = [&](const char* name, const auto& learn) {
    const rt::Statistics found = over_seeds<Student>(cpu, learn, [&](const auto& student) {
      return 100 * rt::evaluate(student, pairs.held_out, rt::BinaryCrossEntropy{}).accuracy;
    });
    std::printf("exact match %.2f +- %.2f %%: student %s\n", found.mean, found.standard_deviation, name);
    std::fflush(stdout);
  };
  report("alone", [&](auto& student, const rt::FitOptions& options) {
    rt::Trainer{student, rt::BinaryCrossEntropy{}, adam}.fit(pairs.few, options);
  });
  const rt::BinaryHintonLoss loss{.temperature = 2, .hard_weight = 0.3};
  report("distilled", [&](auto& student, const rt::FitOptions& options) {
    rt::DistillationTrainer{teacher, student, loss, adam}.fit(pairs.few, options);
  });
  report("alone, from other images", [&](auto& student, rt::FitOptions options) {
    options.epochs = 6;  // of 30,000 images: as many steps as 60 of 3,000
    rt::Trainer{student, rt::BinaryCrossEntropy{}, adam}.fit(others, options);
  });
  const rt::BinaryHintonLoss of_teacher{.temperature = 2, .hard_weight = 0};
  report("distilled, from other images, without targets", [&](auto& student, rt::FitOptions options) {
    options.epochs = 6;
    rt::DistillationTrainer{teacher, student, of_teacher, adam}.fit(untagged, options);
  });
}

using AngleTeacher = rt::Sequential<rt::Linear<784, 400>, rt::ReLU, rt::Linear<400, 400>, rt::ReLU, rt::Linear<400, 1>>;
using AngleStudent = rt::Sequential<rt::Linear<784, 20>, rt::ReLU, rt::Linear<20, 20>, rt::ReLU, rt::Linear<20, 1>>;

/// Each image turned at random by up to 45 degrees either way. The target is that angle in degrees, anticlockwise.
inline rt::data::Dataset turned(const rt::data::Dataset& digits, rt::Seed seed) {
  const rt::data::View view{.augmentation = {.rotation = 45}, .seed = seed};
  rt::data::Matrix<std::uint8_t> images(digits.size(), digits.feature_count());
  rt::data::Matrix<float> angles(digits.size(), 1);
  std::vector<float> pixels(digits.feature_count());  // 0 to 255
  for (std::uint32_t sample = 0; sample < digits.size(); ++sample) {
    rt::data::gather_row(digits.view(), rt::data::GatherConstants<float>{}, sample, view, pixels.data());
    std::transform(pixels.begin(), pixels.end(), images.row(sample).begin(),
                   [](float pixel) { return static_cast<std::uint8_t>(pixel + 0.5f); });
    const double sine = static_cast<double>(view.pixel_map(sample).row_by_column) / rt::data::PixelMap::one;
    angles(sample, 0) = static_cast<float>(std::asin(sine) * 180 / std::numbers::pi);
  }
  return rt::data::Dataset{std::move(images), digits.image(), digits.normalization()}.with_targets(std::move(angles));
}

inline void regression(const Digits& digits, const rt::backend::Eigen& cpu) {
  const auto [known, unknown] = rt::data::random_split(digits.train, 0.5, rt::Seed{0});
  const Digits images{.train = turned(known, rt::Seed{0}),
                      .few = turned(digits.few, rt::Seed{1}),
                      .held_out = turned(digits.held_out, rt::Seed{2})};
  const rt::data::Dataset others = turned(unknown, rt::Seed{3});
  const rt::data::Dataset unmeasured = others.without_labels();

  rt::ProgressPrinter progress{"teacher"};
  rt::Network<AngleTeacher> teacher{rt::Seed{0}, cpu};
  rt::Trainer{teacher, rt::MeanSquaredError{}, rt::Adam{.learning_rate = 1e-3}}.fit(
      images.train, images.held_out, {.epochs = 16, .schedule = rt::CosineSchedule{}, .observers = {&progress}});

  const auto report = [&](const char* name, const auto& learn) {
    const rt::Statistics found = over_seeds<AngleStudent>(cpu, learn, [&](const auto& student) {
      return rt::evaluate(student, images.held_out, rt::MeanSquaredError{}).rmse();
    });
    std::printf("RMSE %.2f +- %.2f degrees: student %s\n", found.mean, found.standard_deviation, name);
    std::fflush(stdout);
  };
  report("alone", [&](auto& student, const rt::FitOptions& options) {
    rt::Trainer{student, rt::MeanSquaredError{}, adam}.fit(images.few, options);
  });
  report("alone, by Huber's loss", [&](auto& student, const rt::FitOptions& options) {
    rt::Trainer{student, rt::Huber{.delta = 10}, adam}.fit(images.few, options);
  });
  const rt::TowardsTeacher of_teacher{rt::MeanSquaredError{}};
  const auto loss = 0.3 * rt::MeanSquaredError{} + 0.7 * of_teacher;
  report("distilled", [&](auto& student, const rt::FitOptions& options) {
    rt::DistillationTrainer{teacher, student, loss, adam}.fit(images.few, options);
  });
  report("alone, from other images", [&](auto& student, rt::FitOptions options) {
    options.epochs = 6;
    rt::Trainer{student, rt::MeanSquaredError{}, adam}.fit(others, options);
  });
  report("distilled, from other images, without targets", [&](auto& student, rt::FitOptions options) {
    options.epochs = 6;
    rt::DistillationTrainer{teacher, student, of_teacher, adam}.fit(unmeasured, options);
  });
}

}  // namespace guide
