// SPDX-License-Identifier: MIT
#pragma once
/// @file
/// What a view of a sample is: random shifts, the augmentation of the networks in Hinton, Vinyals and Dean, "Distilling
/// the knowledge in a neural network" (2015), section 3; random turns, sizes and slants; elastic distortion; mixing of
/// two samples; noise.

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <string_view>
#include <tuple>

#include "retort/core/error.hpp"
#include "retort/core/host_device.hpp"
#include "retort/core/hyperparameters.hpp"
#include "retort/core/instruction_set.hpp"
#include "retort/core/philox.hpp"
#include "retort/core/text.hpp"
#include "retort/data/dataset_view.hpp"
#include "retort/data/elastic_field.hpp"
#include "retort/data/pixel_map.hpp"

namespace retort::inline RETORT_INSTRUCTION_SET::data {

/// How much samples change at random; 0 switches a change off. An image is resized, slanted and turned about its
/// centre, in this order, and then moved; each of its pixels may come from somewhat beside that place. Between pixels,
/// values are interpolated bilinearly; what comes from beyond the border has the raw value 0.
struct Augmentation {
  static constexpr std::string_view name = "augmentation";

  std::size_t shift = 0;  ///< whole pixels: moved by up to this in each direction
  double rotation = 0.0;  ///< degrees: turned by up to this, either way
  double scale = 0.0;     ///< larger or smaller by up to this fraction
  double shear = 0.0;     ///< degrees: vertical lines lean by up to this, either way
  /// The standard deviation of the normal noise that is added to each feature, of images or not, before it is
  /// normalised. A byte counts as 0 ... 1.
  double noise = 0.0;
  /// Pixels: the standard deviation, in each direction, of random displacements that change smoothly over the image.
  /// Simard, Steinkraus and Platt (2003) smooth uniform numbers in [-1, 1] with a Gaussian and multiply them by
  /// alpha: `elastic` is then 0.163 alpha / elastic_sigma. Their alpha = 34, sigma = 4 is elastic = 1.4.
  double elastic = 0.0;
  /// Pixels: the deviation of that Gaussian (elastic_field.hpp). Displacements are alike within about as many pixels.
  double elastic_sigma = 4.0;
  /// Of images or not: each sample is mixed with another one, of the same view, whose share is up to this. In
  /// distillation a mixture has no label: the teacher answers it (Beyer et al., "Knowledge distillation: a good teacher
  /// is patient and consistent", arXiv:2106.05237, with shares up to 1).
  double mix = 0.0;

  static constexpr auto hyperparameters() {
    return std::tuple{
        Hyperparameter{"shift",
                       &Augmentation::shift,
                       {"a number of pixels below 2^31", [](const double& x) { return x < 2147483648.0; }}},
        Hyperparameter{"rotation",
                       &Augmentation::rotation,
                       {"a number of degrees in [0, 180]", [](const double& x) { return x >= 0.0 && x <= 180.0; }}},
        Hyperparameter{"scale",
                       &Augmentation::scale,
                       {"a number in [0, 0.9]", [](const double& x) { return x >= 0.0 && x <= 0.9; }}},
        Hyperparameter{"shear",
                       &Augmentation::shear,
                       {"a number of degrees in [0, 45]", [](const double& x) { return x >= 0.0 && x <= 45.0; }}},
        Hyperparameter{"noise",
                       &Augmentation::noise,
                       {"a number in [0, 1000000]", [](const double& x) { return x >= 0.0 && x <= 1e6; }}},
        Hyperparameter{"elastic",
                       &Augmentation::elastic,
                       {"a number of pixels in [0, 16]", [](const double& x) { return x >= 0.0 && x <= 16.0; }}},
        Hyperparameter{"elastic_sigma",
                       &Augmentation::elastic_sigma,
                       {"a number of pixels in [1, 1000]", [](const double& x) { return x >= 1.0 && x <= 1000.0; }}},
        Hyperparameter{
            "mix", &Augmentation::mix, {"a number in [0, 1]", [](const double& x) { return x >= 0.0 && x <= 1.0; }}}};
  }

  RETORT_HOST_DEVICE constexpr bool is_set() const { return shift != 0 || distorts(); }
  /// Whether it does more than move whole pixels.
  RETORT_HOST_DEVICE constexpr bool distorts() const { return interpolates() || noise != 0.0 || mix != 0.0; }
  /// Whether pixels come from between others.
  RETORT_HOST_DEVICE constexpr bool interpolates() const {
    return rotation != 0.0 || scale != 0.0 || shear != 0.0 || elastic != 0.0;
  }

  /// Throws OptionError for an amount outside its range, where pixels would move but the samples are no images, and for
  /// images that could be moved out of sight.
  [[gnu::cold]] void validate(ImageShape image) const {
    validate_hyperparameters(*this);
    if (image == ImageShape{}) {
      for_each_hyperparameter(*this, [](std::string_view field, const auto& amount, const Range&) {
        require_option(amount == 0 || field == "noise" || field == "elastic_sigma" || field == "mix", name, field,
                       amount, "0, as the samples are no images");
      });
    } else if (shift >= std::min(image.rows, image.columns) && shift > 0) {
      throw OptionError(concatenate(
          {name, ": shift is ", shift, ", expected less than the image's extents ", image.rows, " x ", image.columns}));
    }
  }

  friend bool operator==(const Augmentation&, const Augmentation&) = default;
};

/// Whether a training sees the same augmented versions of each sample again. With a `count` epoch e has view e modulo
/// `count`, so that a teacher answers each view once and its logits are kept. The views follow from a seed of their
/// own: trainings with other seeds can share a teacher's answers.
struct Views {
  std::size_t count = 0;  ///< < 2^32; 0: a new view in every epoch, from the training's seed
  Seed seed{};

  friend bool operator==(const Views&, const Views&) = default;
};

template <typename Scalar>
struct NormalPair {
  Scalar first;
  Scalar second;
};

/// Two standard normal numbers by Box and Muller, from words 2 * pair and 2 * pair + 1 of a block. Precondition: `pair`
/// is 0 or 1.
template <typename Scalar>
RETORT_HOST_DEVICE NormalPair<Scalar> standard_normals(const PhiloxBlock& words, std::size_t pair) {
  using std::log;
  using std::sqrt;
  const Scalar radius = sqrt(static_cast<Scalar>(-2) * log(1 - internal::uniform01<Scalar>(words[2 * pair])));
  const auto [sine, cosine] = detail::sine_cosine(360 * internal::uniform01<Scalar>(words[2 * pair + 1]));
  return {radius * cosine, radius * sine};
}

/// What a sample is mixed with.
struct Mixing {
  std::uint32_t other = 0;  ///< a sample, perhaps the same
  double share = 0.0;       ///< of the other one in the mixture
};

/// What the samples undergo in one view.
struct View {
  Augmentation augmentation{};
  Seed seed{};
  std::uint32_t index = 0;  ///< the epoch, unless views come again

  /// The shift of one sample, uniform over [-shift, shift]^2: a pure function of seed, index and sample, so the same
  /// on every backend, in every batch order and after a resume. Multiplication in place of rejection has a bias below
  /// (2 shift + 1) / 2^32. Precondition: shift < 2^31.
  RETORT_HOST_DEVICE constexpr PixelOffset offset(std::uint64_t sample) const {
    if (augmentation.shift == 0) {
      return {};  // the result below, without drawing
    }
    const std::uint64_t positions = 2 * std::uint64_t{augmentation.shift} + 1;
    const PhiloxBlock words = RandomStream{seed, Stream::augmentation, index}.block(sample);
    const auto centred = [&](std::uint32_t word) {
      return static_cast<std::int32_t>(static_cast<std::int64_t>(word * positions >> 32) -
                                       static_cast<std::int64_t>(augmentation.shift));
    };
    return {centred(words.w0), centred(words.w1)};
  }

  /// Where the pixels of one sample come from, shift included; like offset() a pure function. Each amount is uniform
  /// between its limits. A backend that rounds otherwise draws the same, but for a 2^-20th in rare cases.
  RETORT_HOST_DEVICE constexpr PixelMap pixel_map(std::uint64_t sample) const {
    const PhiloxBlock words = RandomStream{seed, Stream::augmentation, index, 1}.block(sample);
    const auto within = [](double most, std::uint32_t word) {
      return most * (2.0 * internal::uniform01<double>(word) - 1.0);
    };
    return {within(augmentation.rotation, words.w0), 1.0 + within(augmentation.scale, words.w1),
            within(augmentation.shear, words.w2), offset(sample)};
  }

  /// What displaces the pixels of one sample besides; also a pure function.
  RETORT_HOST_DEVICE constexpr ElasticField elastic_field(std::uint64_t sample, ImageShape image) const {
    return augmentation.elastic == 0.0 ? ElasticField{}
                                       : ElasticField{{seed, Stream::augmentation, index, 3},
                                                      sample,
                                                      image,
                                                      augmentation.elastic,
                                                      augmentation.elastic_sigma};
  }

  /// What one of `size` samples is mixed with: each of them is as likely, and so is each share up to `mix`. Also a pure
  /// function. Precondition: `size` < 2^32.
  RETORT_HOST_DEVICE constexpr Mixing mixing(std::uint64_t sample, std::size_t size) const {
    const PhiloxBlock words = RandomStream{seed, Stream::augmentation, index, 4}.block(sample);
    return {static_cast<std::uint32_t>(words.w0 * std::uint64_t{size} >> 32),
            augmentation.mix * internal::uniform01<double>(words.w1)};
  }

  /// The words of the noise of features 4 * quad ... 4 * quad + 3 of one sample, for standard_normals().
  RETORT_HOST_DEVICE constexpr PhiloxBlock noise_words(std::uint64_t sample, std::size_t features,
                                                       std::size_t quad) const {
    return RandomStream{seed, Stream::augmentation, index, 2}.block(sample * ((features + 3) / 4) + quad);
  }
};

}  // namespace retort::inline RETORT_INSTRUCTION_SET::data
