// SPDX-License-Identifier: MIT
#pragma once
/// @file
/// A block's job: steps of one model's training.

#include <cmath>
#include <cstddef>
#include <cstdint>

#include "retort/backend/arguments.hpp"
#include "retort/backend/cuda/block/bf16_pieces.hpp"
#include "retort/backend/training_step.hpp"
#include "retort/core/host_device.hpp"
#include "retort/core/instruction_set.hpp"
#include "retort/core/philox.hpp"
#include "retort/data/augment.hpp"
#include "retort/data/dataset_view.hpp"
#include "retort/data/gather.hpp"

namespace retort::inline RETORT_INSTRUCTION_SET::backend::block {

/// How the numbers of a dataset become inputs.
template <typename Scalar>
struct InputConstants : data::GatherConstants<Scalar> {
  /// The byte that stands for an input of 0, where the normalisation has one that can be taken from each byte exactly;
  /// 0 without an offset. Else negative: the offset is added to sums.
  float center = 0;

  /// Whether products on tensor cores read the bytes as they are, and the offset is added to their sums.
  RETORT_HOST_DEVICE bool adds_offset() const { return center < 0.0f; }

  InputConstants() = default;
  explicit InputConstants(const data::DatasetView& data) : data::GatherConstants<Scalar>(data) {
    // The mean of such a byte is a quotient by 255 rounded to double, so that this is within 1e-13 of the byte. Within
    // 1e-9 inputs are the same floats.
    const double exact = 255.0 * data.normalization.mean;
    const double nearest = std::round(2.0 * exact) / 2.0;
    const bool is_exact = is_byte_center(static_cast<float>(nearest)) && std::abs(exact - nearest) < 1e-9;
    center = is_exact ? static_cast<float>(nearest) : -1.0f;
  }
};

/// Samples in an order, and how they are normalised and augmented.
template <typename Scalar>
struct InputSource {
  data::DatasetView data{};
  InputConstants<Scalar> constants{};
  const std::uint32_t* samples = nullptr;  // (size); null: in the dataset's order
  std::size_t size = 0;
  data::View view{};
  const Scalar* inputs = nullptr;  // (size, features), where they are distorted: kernels know shifts alone

  RETORT_HOST_DEVICE std::uint32_t sample(std::size_t position) const {
    return samples != nullptr ? samples[position] : static_cast<std::uint32_t>(position);
  }
};

/// Which jobs a kernel takes. Kernels that keep gradients for later are separate: keeping them costs registers.
enum class Batches {
  any,
  single_chunks,  ///< no batch is larger than a chunk, and no gradients are clipped
};

/// Bytes that a block has for its job.
inline constexpr std::size_t job_capacity = 1024;

/// Doubles that a thread adds up for a report.
inline constexpr std::size_t report_sums = 5;

/// All pointers are to the backend's memory, outside of the block's.
template <typename Scalar, std::size_t Moments, typename L, typename Rule>
struct TrainingJob {
  InputSource<Scalar> training;  // the samples of the first batch, the second, ...
  std::size_t batch_size;
  Seed seed;  // of the dropout masks
  std::uint32_t first_step;
  L loss;
  const Rule* rules;  // one for each batch; null: `rule` for the only one
  Rule rule;
  Scalar* parameters;
  Scalar* moments[Moments > 0 ? Moments : 1];  // each laid out as the parameters
  TeacherTable<Scalar> teacher;
  Scalar* losses;         // (size)
  std::uint8_t* correct;  // (size)
  Scalar* gradients;      // laid out as the parameters: for batches of several chunks, and for clipping
  double max_norm;        // for clipping; 0 for none
  // After the steps, where a report is asked for: an evaluation, if there are samples for it.
  InputSource<Scalar> validation{};
  RunReport* report = nullptr;

  /// The narrowest kind of kernel that takes the job; `capacity`: samples of a chunk.
  Batches batches(std::size_t capacity) const {
    return batch_size <= capacity && max_norm == 0.0 ? Batches::single_chunks : Batches::any;
  }

  /// Asks for an evaluation on all samples of `data`.
  void evaluate(const data::DatasetView& data) {
    validation = InputSource<Scalar>();
    validation.data = data;
    validation.constants = InputConstants<Scalar>(data);
    validation.size = data.size;
  }
};

/// The samples of a batch that a block has in its memory at once. Numbers of samples are words, as in the datasets: a
/// kernel keeps several chunks in registers.
struct Chunk {
  std::uint32_t first;        // place in the job's samples
  std::uint32_t size;         // 0 behind the last chunk, and for a block that has none of a chunk's samples
  std::uint32_t batch_first;  // the same for its batch's first sample
  std::uint32_t batch_size;
  std::uint32_t batch;  // counted from the job's first

  RETORT_HOST_DEVICE bool begins_batch() const { return first == batch_first; }
  RETORT_HOST_DEVICE bool ends_batch() const { return first + size == batch_first + batch_size; }

  /// The chunks of up to `capacity` samples into which a job's batches are cut, in order; size 0 after the last.
  RETORT_HOST_DEVICE static Chunk at_batch(std::uint32_t batch, std::size_t full_batch, std::size_t samples,
                                           std::size_t capacity) {
    return beginning(static_cast<std::uint32_t>(batch * full_batch), batch, full_batch, samples, capacity);
  }
  RETORT_HOST_DEVICE Chunk next(std::size_t full_batch, std::size_t samples, std::size_t capacity) const {
    if (ends_batch()) {
      return beginning(batch_first + batch_size, batch + 1, full_batch, samples, capacity);
    }
    const std::uint32_t done = first + size - batch_first;
    return {first + size, smaller(batch_size - done, capacity), batch_first, batch_size, batch};
  }

 private:
  RETORT_HOST_DEVICE static std::uint32_t smaller(std::uint32_t a, std::size_t b) {
    return a < b ? a : static_cast<std::uint32_t>(b);
  }
  RETORT_HOST_DEVICE static Chunk beginning(std::uint32_t first, std::uint32_t batch, std::size_t full_batch,
                                            std::size_t samples, std::size_t capacity) {
    const std::uint32_t left = first < samples ? static_cast<std::uint32_t>(samples - first) : 0;
    const std::uint32_t count = smaller(left, full_batch);
    return {first, smaller(count, capacity), first, count, batch};
  }
};

}  // namespace retort::inline RETORT_INSTRUCTION_SET::backend::block
