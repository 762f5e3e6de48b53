// SPDX-License-Identifier: MIT
#pragma once
/// @file
/// A chunk's inputs and targets, from the dataset into the block's memory. A byte x stands for x * scale + offset:
/// products read the bytes, and the offset is added to their sums, or on tensor cores taken from the bytes before
/// (InputConstants::center).

#include <cstddef>
#include <cstdint>

#include "retort/backend/arguments.hpp"
#include "retort/backend/cuda/block/job.hpp"
#include "retort/backend/cuda/block/layout.hpp"
#include "retort/backend/cuda/block/operands.hpp"
#include "retort/backend/cuda/vector_access.hpp"
#include "retort/core/host_device.hpp"
#include "retort/core/instruction_set.hpp"
#include "retort/data/augment.hpp"
#include "retort/data/gather.hpp"

namespace retort::inline RETORT_INSTRUCTION_SET::backend::block {

/// One of the threads that fetch a chunk together in a phase: all threads of the team from `first_thread` on. Their
/// copies arrive while the team goes on: see team.hpp.
template <typename Team, std::size_t first_thread = 0>
struct Fetcher {
  static constexpr auto step = static_cast<std::uint32_t>(Team::threads - first_thread);

  Team& team;
  std::size_t thread;

  RETORT_HOST_DEVICE std::uint32_t begin() const { return static_cast<std::uint32_t>(thread - first_thread); }

  template <typename T>
  RETORT_HOST_DEVICE void copy(T* to, const T* from) const {
    team.copy(thread, to, from);
  }
};

namespace detail {

/// Calls function(row, part) for a fetcher's share of the `Parts` parts of each row. A thread has the same part of
/// several rows, where there are threads enough.
template <std::size_t Parts, typename Team, std::size_t first_thread, typename Function>
RETORT_HOST_DEVICE void for_each_part(const Fetcher<Team, first_thread>& fetcher, std::uint32_t rows,
                                      const Function& function) {
  constexpr std::uint32_t parts = Parts;
  constexpr std::uint32_t step = Fetcher<Team, first_thread>::step;
  if constexpr (parts <= step) {
    constexpr std::uint32_t rows_at_once = step / parts;
    if (fetcher.begin() < rows_at_once * parts) {
      for (std::uint32_t row = fetcher.begin() / parts; row < rows; row += rows_at_once) {
        function(row, fetcher.begin() % parts);
      }
    }
  } else {
    for (std::uint32_t item = fetcher.begin(); item < rows * parts; item += step) {
      function(item / parts, item % parts);
    }
  }
}

/// The first of this block's features.
template <typename Layout, typename Team>
RETORT_HOST_DEVICE std::size_t first_feature(const Team& team) {
  if constexpr (Layout::blocks > 1) {
    return team.block() * TiledStage<typename Layout::Model, 0>::in;
  } else {
    return 0;
  }
}

/// Feature `first` of `features` and the three after it, as the dataset holds them.
template <typename Scalar>
RETORT_HOST_DEVICE std::uint32_t raw_word(const InputSource<Scalar>& source, std::uint32_t sample, std::size_t first,
                                          std::size_t features) {
  const data::PixelOffset offset = source.view.offset(sample);
  const std::uint8_t* bytes = source.data.bytes + sample * features;
  std::uint32_t word = 0;
  for (std::size_t f = 0; f < quad && first + f < features; ++f) {
    const std::size_t place = data::shifted_source(source.data.image, offset, first + f);
    word |= place == data::no_feature ? 0u : std::uint32_t{bytes[place]} << (8 * f);
  }
  return word;
}

/// For tensor cores: (samples, words), the words of a sample side by side.
template <typename Layout, typename Team, std::size_t first_thread, typename Scalar, typename SampleOf>
RETORT_HOST_DEVICE void gather_rows(const Fetcher<Team, first_thread>& fetcher, const InputSource<Scalar>& source,
                                    const Chunk& chunk, const SampleOf& sample_of, std::uint32_t* words) {
  using First = TiledStage<typename Layout::Model, 0>;
  using Line = Quad<std::uint32_t>;
  constexpr std::uint32_t quads = First::quads;
  constexpr std::uint32_t lines = First::in % sizeof(Line) == 0 ? First::in / sizeof(Line) : 0;  // of a sample
  constexpr std::uint32_t pitch = Layout::word_pitch;
  constexpr std::uint32_t samples = Layout::samples;
  const std::size_t own_features = first_feature<Layout>(fetcher.team);
  if constexpr (lines > 0) {
    if (source.view.augmentation.shift == 0 &&
        reinterpret_cast<std::uintptr_t>(source.data.bytes) % sizeof(Line) == 0) {
      const std::uint8_t* bytes = source.data.bytes + own_features;
      for_each_part<lines>(fetcher, samples, [&](std::uint32_t row, std::uint32_t line) {
        auto* to = reinterpret_cast<Line*>(words + row * pitch) + line;
        if (row < chunk.size) {
          const std::size_t sample = sample_of(row);
          fetcher.copy(to, reinterpret_cast<const Line*>(bytes + sample * Layout::features) + line);
        } else {
          *to = Line();
        }
      });
      return;
    }
  }
  for (std::uint32_t item = fetcher.begin(); item < samples * quads; item += fetcher.step) {
    const std::uint32_t row = item / quads;
    const std::uint32_t q = item % quads;
    words[row * pitch + q] =
        row < chunk.size ? raw_word(source, sample_of(row), own_features + quad * q, Layout::features) : 0;
  }
}

}  // namespace detail

/// One thread's part of a chunk's inputs. Zeros stand for the samples that a chunk lacks. Inputs that the dataset holds
/// unchanged are copied. `sample_of(row)` is the dataset's sample for a row of the chunk.
template <typename Layout, typename Team, std::size_t first_thread, typename Scalar, typename SampleOf>
RETORT_HOST_DEVICE void gather(const Fetcher<Team, first_thread>& fetcher, const InputSource<Scalar>& source,
                               const Chunk& chunk, const SampleOf& sample_of, Scalar* inputs) {
  using First = TiledStage<typename Layout::Model, 0>;
  const std::size_t own_features = detail::first_feature<Layout>(fetcher.team);
  if constexpr (Layout::on_tensor_cores) {
    detail::gather_rows<Layout>(fetcher, source, chunk, sample_of, reinterpret_cast<std::uint32_t*>(inputs));
  } else if constexpr (Layout::input_kind == InputKind::bytes) {
    auto* words = reinterpret_cast<std::uint32_t*>(inputs);
    const bool whole_words = First::in % quad == 0 && source.view.augmentation.shift == 0;
    for (std::size_t item = fetcher.begin(); item < Layout::samples * First::quads; item += fetcher.step) {
      const std::size_t row = item / First::quads;
      const std::size_t q = item % First::quads;
      std::uint32_t* to = words + q * Layout::word_stride + row;
      if (row >= chunk.size) {
        *to = 0;
        continue;
      }
      const std::uint32_t sample = sample_of(row);
      if (whole_words) {
        const std::uint8_t* from = source.data.bytes + sample * Layout::features + own_features;
        fetcher.copy(to, reinterpret_cast<const std::uint32_t*>(from) + q);
      } else {
        *to = detail::raw_word(source, sample, own_features + quad * q, Layout::features);
      }
    }
  } else {
    for (std::size_t item = fetcher.begin(); item < Layout::samples * First::in; item += fetcher.step) {
      const std::size_t row = item / First::in;
      const std::size_t feature = item % First::in;
      Scalar value = 0;
      if (row < chunk.size) {
        const std::uint32_t sample = sample_of(row);
        value = source.inputs != nullptr
                    ? source.inputs[(chunk.first + row) * Layout::features + own_features + feature]
                    : data::gathered_feature(source.data, source.constants, sample, source.view.offset(sample),
                                             own_features + feature);
      }
      inputs[feature * Layout::stride + row] = value;
    }
  }
}

/// One thread's part of the numbers of a chunk's samples.
template <typename Team, std::size_t first_thread, typename Scalar>
RETORT_HOST_DEVICE void fetch_numbers(const Fetcher<Team, first_thread>& fetcher, const InputSource<Scalar>& source,
                                      const Chunk& chunk, std::uint32_t* numbers) {
  for (std::uint32_t row = fetcher.begin(); row < chunk.size; row += fetcher.step) {
    if (source.samples != nullptr) {
      fetcher.copy(numbers + row, source.samples + chunk.first + row);
    } else {
      numbers[row] = chunk.first + row;
    }
  }
}

/// One thread's part of a chunk's targets: labels, and the logits of `teacher` where it has any. `sample_of`: see
/// gather().
template <typename Layout, typename Team, std::size_t first_thread, typename Scalar, typename SampleOf>
RETORT_HOST_DEVICE void gather_targets(const Fetcher<Team, first_thread>& fetcher, const InputSource<Scalar>& source,
                                       const TeacherTable<Scalar>& teacher, const Chunk& chunk,
                                       const SampleOf& sample_of, Scalar* targets) {
  constexpr auto classes = static_cast<std::uint32_t>(Layout::Model::output_size);
  constexpr auto samples = static_cast<std::uint32_t>(Layout::samples);
  constexpr auto words = static_cast<std::uint32_t>(sizeof(Scalar) / sizeof(std::uint32_t));  // of an element
  for (std::uint32_t row = fetcher.begin(); row < chunk.size; row += fetcher.step) {
    fetcher.copy(reinterpret_cast<std::uint32_t*>(targets) + row, source.data.labels + sample_of(row));
  }
  if (teacher.logits == nullptr) {
    return;
  }
  const auto* from = reinterpret_cast<const std::uint32_t*>(teacher.logits);
  auto* to = reinterpret_cast<std::uint32_t*>(targets + Layout::label_elements);
  detail::for_each_part<classes * words>(fetcher, chunk.size, [&](std::uint32_t row, std::uint32_t word) {
    const std::size_t teacher_row = teacher.row_of(chunk.first + row, sample_of(row));
    fetcher.copy(to + (word / words * samples + row) * words + word % words,
                 from + teacher_row * classes * words + word);
  });
}

/// One thread's part of the optimizer's rule for a chunk's batch, where the job has one for each.
template <typename Layout, typename Team, std::size_t first_thread, std::size_t Moments, typename L, typename Rule,
          typename Scalar>
RETORT_HOST_DEVICE void gather_rule(const Fetcher<Team, first_thread>& fetcher,
                                    const TrainingJob<Scalar, Moments, L, Rule>& job, const Chunk& chunk,
                                    Scalar* targets) {
  constexpr std::size_t words = detail::fetches_rule<Rule> ? sizeof(Rule) / sizeof(std::uint32_t) : 0;
  if (job.rules != nullptr && chunk.size > 0 && fetcher.begin() < words) {
    fetcher.copy(reinterpret_cast<std::uint32_t*>(targets + Layout::rule_in_targets) + fetcher.begin(),
                 reinterpret_cast<const std::uint32_t*>(job.rules + chunk.batch) + fetcher.begin());
  }
}

/// Whether bytes that enter the first stage have an offset.
template <typename Layout, typename Scalar>
RETORT_HOST_DEVICE bool has_offset(const data::GatherConstants<Scalar>& constants) {
  return Layout::input_kind == InputKind::bytes && constants.offset != 0;
}

/// Sums of weights, each times the offset: what an offset of the inputs adds to each output of the first stage.
template <typename Layout, typename Scalar>
RETORT_HOST_DEVICE void sum_rows(std::size_t thread, Scalar offset, Scalar* memory) {
  using S = TiledStage<typename Layout::Model, 0>;
  static_assert(Layout::weight_stride == S::in);
  for (std::size_t row = thread; row < S::out; row += Layout::threads) {
    Scalar sums[quad] = {};
    for (std::size_t q = 0; q < S::quads; ++q) {
      const Quad<Scalar> weights = weight_quad<S::in>(memory + Layout::parameters + S::weight, row, q);
      for (std::size_t f = 0; f < quad; ++f) {
        sums[f] += weights.values[f];
      }
    }
    memory[Layout::row_sums + row] = offset * ((sums[0] + sums[1]) + (sums[2] + sums[3]));
  }
}

}  // namespace retort::inline RETORT_INSTRUCTION_SET::backend::block
