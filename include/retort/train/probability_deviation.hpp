// SPDX-License-Identifier: MIT
#pragma once
/// @file
/// Foretells from a teacher alone which augmentation helps its students.

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <utility>
#include <vector>

#include "retort/backend/arguments.hpp"
#include "retort/core/hyperparameters.hpp"
#include "retort/core/instruction_set.hpp"
#include "retort/core/permutation.hpp"
#include "retort/core/philox.hpp"
#include "retort/core/statistics.hpp"
#include "retort/data/augment.hpp"
#include "retort/data/dataset.hpp"
#include "retort/loss/log_softmax.hpp"
#include "retort/nn/network.hpp"
#include "retort/train/evaluate.hpp"
#include "retort/train/resident_dataset.hpp"

namespace retort::inline RETORT_INSTRUCTION_SET {

/// How find_probability_deviation draws its samples.
struct ProbabilityDeviationOptions {
  std::size_t views = 10;   ///< of each sample, >= 1 and < 2^32
  std::size_t group = 320;  ///< samples in a group, >= 1
  Seed seed{};
};

/// How much a teacher's mean probabilities differ from group to group of augmented samples. Each view of the dataset is
/// shuffled and cut into groups, its last samples left out if they fill none. A group's mean probabilities, at T = 1,
/// are those of the classes over its samples; the result is their standard deviation over the groups of all views,
/// averaged over the classes. Compare augmentations by it, with one teacher, one dataset and one size of groups: the
/// lower it is, the lower tends to be the test loss of a student under this augmentation (Wang, Lohit, Jones and Fu,
/// "What makes a 'good' data augmentation in knowledge distillation", arXiv:2012.02909, whose published program has
/// groups of 5 batches of 64 and 10 epochs). Groups alone differ, so it is not 0 without augmentation.
///
/// Deterministic: a function of the teacher, the data and the options. Throws OptionError for options outside their
/// ranges, for fewer than two groups and for an augmentation that is not for this data; else like predict_all.
template <Model M, typename Backend, typename Scalar>
double find_probability_deviation(const Network<M, Backend, Scalar>& teacher, const data::Dataset& data,
                                  const data::Augmentation& augmentation,
                                  const ProbabilityDeviationOptions& options = {}) {
  constexpr std::size_t classes = M::output_size;
  constexpr const char* owner = "find_probability_deviation";
  internal::require_predictable(teacher, data);
  augmentation.validate(data.image());
  require_option(options.views >= 1 && options.views <= UINT32_MAX, owner, "views", options.views,
                 "a number from 1 to 2^32 - 1");
  require_option(options.group >= 1 && options.group <= data.size(), owner, "group", options.group,
                 "at least 1 and at most the number of samples");
  const std::size_t groups = data.size() / options.group;  // of a view
  require_option(groups * options.views >= 2, owner, "views", options.views, "at least 2 where there is one group");

  const Backend& backend = teacher.backend();
  const internal::ResidentDataset<Backend> resident(backend, data);
  auto order = backend.template allocate<std::uint32_t>(data.size());
  auto inputs = backend.template allocate<Scalar>(options.group * M::input_size);
  auto outputs = backend.template allocate<Scalar>(options.group * classes);
  std::vector<Scalar> logits(outputs.size());
  std::array<std::vector<double>, classes> means;  // of each class, by group
  for (std::size_t view = 0; view < options.views; ++view) {
    const auto index = static_cast<std::uint32_t>(view);
    shuffle_samples(backend,
                    RandomPermutation{static_cast<std::uint32_t>(data.size()), {options.seed, Stream::shuffle, index}},
                    order.data());
    for (std::size_t group = 0; group < groups; ++group) {
      gather_batch(backend, resident.view(), std::as_const(order).data() + group * options.group, options.group,
                   data::View{augmentation, options.seed, index}, inputs.data());
      predict_batch(backend, M{},
                    backend::InferArguments<Scalar>{teacher.parameter_data(), teacher.buffer_data(),
                                                    std::as_const(inputs).data(), outputs.data(), options.group});
      copy_to_host(backend, std::as_const(outputs).data(), std::span(logits));
      std::array<double, classes> sums{};
      for (std::size_t sample = 0; sample < options.group; ++sample) {
        std::array<Scalar, classes> exponentials;
        const auto normalizer =
            softmax_exponentials<classes>(logits.data() + sample * classes, Scalar{1}, exponentials.data());
        for (std::size_t k = 0; k < classes; ++k) {
          sums[k] += static_cast<double>(exponentials[k] / normalizer.sum);
        }
      }
      for (std::size_t k = 0; k < classes; ++k) {
        means[k].push_back(sums[k] / static_cast<double>(options.group));
      }
    }
  }
  double deviation = 0;
  for (const std::vector<double>& of_class : means) {
    deviation += statistics(of_class).standard_deviation;
  }
  return deviation / static_cast<double>(classes);
}

}  // namespace retort::inline RETORT_INSTRUCTION_SET
