// SPDX-License-Identifier: MIT
#include "deviation.hpp"

#include <algorithm>
#include <cstddef>
#include <string_view>
#include <tuple>
#include <utility>
#include <vector>

#include "backends.hpp"
#include "common/models.hpp"
#include "common/number_text.hpp"
#include "retort/backend/eigen/backend.hpp"
#include "retort/core/philox.hpp"
#include "retort/core/text.hpp"
#include "retort/io/safetensors.hpp"
#include "retort/nn/network.hpp"
#include "retort/train/probability_deviation.hpp"

namespace distill_mnist {

namespace {

/// Each of several changes by itself, with its name; none of a single one.
std::vector<std::pair<std::string_view, retort::data::Augmentation>> changes_alone(
    const retort::data::Augmentation& augmentation) {
  std::vector<std::pair<std::string_view, retort::data::Augmentation>> changes;
  const auto add = [&](const auto& amount) {
    retort::data::Augmentation alone{.elastic_sigma = augmentation.elastic_sigma};
    alone.*amount.field = augmentation.*amount.field;
    if (alone.is_set()) {
      changes.emplace_back(amount.name, alone);
    }
  };
  std::apply([&](const auto&... amounts) { (add(amounts), ...); }, retort::data::Augmentation::hyperparameters());
  return changes.size() > 1 ? changes : decltype(changes){};
}

}  // namespace

std::string describe_deviation(const Options& options, const retort::data::Dataset& images) {
  retort::Network<examples::Teacher> teacher{retort::Seed{0}, with_threads<retort::backend::Eigen>(options)};
  retort::io::load_safetensors(teacher, options.out / "teacher.safetensors");
  // All of MNIST once, and small sets often enough for some hundred groups.
  const retort::ProbabilityDeviationOptions groups{.views = std::clamp<std::size_t>(60'000 / images.size(), 1, 100),
                                                   .group = std::min<std::size_t>(320, images.size()),
                                                   .seed = retort::Seed{options.seed}};
  const auto deviation = [&](const retort::data::Augmentation& augmentation) {
    return examples::fixed(retort::find_probability_deviation(teacher, images, augmentation, groups), 5);
  };
  std::string of_each;
  for (const auto& [name, alone] : changes_alone(options.student.augmentation)) {
    of_each += retort::concatenate(
        {of_each.empty() ? "; with one change alone by " : ", ", deviation(alone), " (", name, ")"});
  }
  return retort::concatenate({"The teacher's mean probabilities deviate by ", deviation(options.student.augmentation),
                              " between groups of ", groups.group, " of the students' augmented images, by ",
                              deviation({}), " between groups of the images as they are", of_each,
                              ". Of several augmentations, the one with the "
                              "lowest figure is the most promising (arXiv:2012.02909)."});
}

}  // namespace distill_mnist
