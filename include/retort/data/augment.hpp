// SPDX-License-Identifier: MIT
#pragma once
/// @file
/// What a view of a sample is: a random shift, the augmentation of the networks in Hinton, Vinyals and Dean,
/// "Distilling the knowledge in a neural network" (2015), section 3, and a random distortion.

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>

#include "retort/core/error.hpp"
#include "retort/core/host_device.hpp"
#include "retort/core/instruction_set.hpp"
#include "retort/core/philox.hpp"
#include "retort/core/text.hpp"
#include "retort/data/dataset_view.hpp"
#include "retort/data/distort.hpp"

namespace retort::inline RETORT_INSTRUCTION_SET::data {

/// Each image moves by a whole number of pixels, up to `pixels` in each direction; 0 switches it off.
struct RandomShift {
  std::size_t pixels = 0;

  /// Throws OptionError when the samples are no images, or could be moved out of sight.
  void validate(ImageShape image) const {
    if (pixels == 0) {
      return;
    }
    if (image == ImageShape{}) {
      throw OptionError(concatenate({"shift: ", pixels, " pixels, but the samples are no images"}));
    }
    if (pixels >= std::min(image.rows, image.columns)) {
      throw OptionError(concatenate(
          {"shift: ", pixels, " pixels, expected less than the image's extents ", image.rows, " x ", image.columns}));
    }
  }
};

/// Whether a training sees the same augmented versions of each sample again. With a `count` epoch e has view e modulo
/// `count`, so that a teacher answers each view once and its logits are kept. The views follow from a seed of their
/// own: trainings with other seeds can share a teacher's answers.
struct Views {
  std::size_t count = 0;  ///< < 2^32; 0: a new view in every epoch, from the training's seed
  Seed seed{};

  friend bool operator==(const Views&, const Views&) = default;
};

/// The changes to the samples of one view.
struct Augmentation {
  RandomShift shift{};
  Seed seed{};
  std::uint32_t view = 0;  ///< the epoch, unless views come again
  Distortion distortion{};

  RETORT_HOST_DEVICE constexpr bool is_set() const { return shift.pixels != 0 || distortion.is_set(); }

  /// The shift of one sample, uniform over [-pixels, pixels]^2: a pure function of seed, view and sample, so the same
  /// on every backend, in every batch order and after a resume. Multiplication in place of rejection has a bias below
  /// (2 pixels + 1) / 2^32. Precondition: pixels < 2^31.
  RETORT_HOST_DEVICE constexpr PixelOffset offset(std::uint64_t sample) const {
    if (shift.pixels == 0) {
      return {};  // the result below, without drawing
    }
    const std::uint64_t positions = 2 * std::uint64_t{shift.pixels} + 1;
    const PhiloxBlock words = RandomStream{seed, Stream::augmentation, view}.block(sample);
    const auto centred = [&](std::uint32_t word) {
      return static_cast<std::int32_t>(static_cast<std::int64_t>(word * positions >> 32) -
                                       static_cast<std::int64_t>(shift.pixels));
    };
    return {centred(words.w0), centred(words.w1)};
  }

  /// Where the pixels of one sample come from, shift included; like offset() a pure function. Each amount is uniform
  /// between its limits. A backend that rounds otherwise draws the same, but for a 2^-20th in rare cases.
  RETORT_HOST_DEVICE constexpr PixelMap pixel_map(std::uint64_t sample) const {
    const PhiloxBlock words = RandomStream{seed, Stream::augmentation, view, 1}.block(sample);
    const auto within = [](double most, std::uint32_t word) { return most * (2.0 * uniform01<double>(word) - 1.0); };
    return {within(distortion.rotation, words.w0), 1.0 + within(distortion.scale, words.w1),
            within(distortion.shear, words.w2), offset(sample)};
  }

  /// The words of the noise of features 4 * index ... 4 * index + 3 of one sample, for standard_normal().
  RETORT_HOST_DEVICE constexpr PhiloxBlock noise_words(std::uint64_t sample, std::size_t features,
                                                       std::size_t index) const {
    return RandomStream{seed, Stream::augmentation, view, 2}.block(sample * ((features + 3) / 4) + index);
  }
};

}  // namespace retort::inline RETORT_INSTRUCTION_SET::data
