// SPDX-License-Identifier: MIT
#pragma once
/// @file
/// What whole models read outside of training, the inputs panel by panel, and the memory that each thread keeps for
/// them.
///
/// Each kind of inputs is a struct with `Element`, the type in its panels, size(), the number of samples, and
/// fill(index, panel).

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <numeric>
#include <span>
#include <type_traits>

#include "retort/backend/eigen/panel/forward.hpp"
#include "retort/backend/eigen/panel/inputs.hpp"
#include "retort/backend/eigen/panel/panel.hpp"
#include "retort/backend/eigen/panel/pooled_inputs.hpp"
#include "retort/backend/plan.hpp"
#include "retort/core/instruction_set.hpp"
#include "retort/core/matrix_view.hpp"
#include "retort/core/thread_scratch.hpp"
#include "retort/data/augment.hpp"
#include "retort/data/dataset_view.hpp"
#include "retort/data/gather.hpp"
#include "retort/simd/tile.hpp"
#include "retort/simd/vector.hpp"

namespace retort::inline RETORT_INSTRUCTION_SET::backend::panel {

/// A network's numbers outside of training.
template <typename Scalar>
struct InferenceTensors {
  const Scalar* parameters;
  const Scalar* buffers;
};

/// The panel after `index` of rows (size, features), if it is full.
template <typename Scalar, typename Number>
Ahead panel_after(std::size_t index, std::size_t size, const Number* rows, std::size_t features) {
  const std::size_t next = (index + 1) * width<Scalar>;
  return {next + width<Scalar> <= size ? reinterpret_cast<const std::byte*>(rows + next * features) : nullptr};
}

/// Rows (size, in) of numbers.
template <typename Scalar>
struct BatchInputs {
  using Element = Scalar;

  MatrixView<const Scalar> rows;

  std::size_t size() const { return rows.rows; }

  void fill(std::size_t index, Scalar* panel) const { fill_part(index, {0, rows.columns}, panel); }

  /// Some of the panel's features alone.
  bool has_parts() const { return true; }
  void fill_part(std::size_t index, RowRange features, Scalar* part) const {
    fill_panel<simd::Vector<Scalar>>({rows.row(index * width<Scalar>) + features.begin, rows.stride},
                                     samples_in<Scalar>(index, size()), features.count(), part);
  }

  Ahead ahead(std::size_t index) const { return panel_after<Scalar>(index, size(), rows.data, rows.stride); }
};

/// Every sample of a dataset, normalised.
template <typename Scalar>
struct DatasetInputs {
  using Element = Scalar;

  explicit DatasetInputs(const data::DatasetView& dataset) : data(dataset), constants(dataset) {}

  const data::DatasetView& data;
  data::GatherConstants<Scalar> constants;

  std::size_t size() const { return data.size; }

  void fill(std::size_t index, Scalar* panel) const {
    for_samples(index, [&](std::span<const std::uint32_t> samples) {
      fill_panel<simd::Vector<Scalar>>(data, constants, samples, panel);
    });
  }

  /// Like BatchInputs::fill_part, of a dataset of real numbers.
  bool has_parts() const { return data.bytes == nullptr; }
  void fill_part(std::size_t index, RowRange features, Scalar* part) const {
    for_samples(index, [&](std::span<const std::uint32_t> samples) {
      fill_panel_with_reals(data, constants, samples, features, part);
    });
  }

  Ahead ahead(std::size_t index) const {
    return data.bytes != nullptr ? Ahead{} : panel_after<Scalar>(index, size(), data.reals, data.features);
  }

 private:
  /// Calls function(the numbers of a panel's samples).
  template <typename Function>
  void for_samples(std::size_t index, const Function& function) const {
    std::array<std::uint32_t, width<Scalar>> samples;
    std::iota(samples.begin(), samples.end(), static_cast<std::uint32_t>(index * width<Scalar>));
    function(std::span<const std::uint32_t>(samples).first(samples_in<Scalar>(index, size())));
  }
};

/// Every sample of a dataset of bytes, as bytes: by fold_offset the Linear layer that reads them normalises them.
template <typename Scalar>
struct ByteInputs {
  using Element = std::uint8_t;

  const data::DatasetView& data;
  Affine<Scalar> folded;

  std::size_t size() const { return data.size; }

  void fill(std::size_t index, std::uint8_t* panel) const {
    const std::size_t count = samples_in<Scalar>(index, size());
    const simd::Rows<const std::uint8_t> rows{data.bytes + index * width<Scalar> * data.features, data.features};
    fill_byte_panel<Scalar>(byte_rows<Scalar>(rows, count).data(), count, data.features, panel);
  }
};

/// Rows (size, in) of numbers for a model that begins with AvgPool2d, which pools them.
template <typename L, typename Scalar>
struct PooledBatchInputs {
  using Element = Scalar;

  MatrixView<const Scalar> rows;

  std::size_t size() const { return rows.rows; }

  void fill(std::size_t index, Scalar* panel) const {
    fill_panel_by_rows<Scalar>(samples_in<Scalar>(index, size()), L::output_size, panel,
                               [&](std::size_t sample, Scalar* row) {
                                 detail::pool_numbers<L>(rows.row(index * width<Scalar> + sample), row);
                               });
  }
};

/// Every sample of a dataset for such a model, normalised and pooled.
template <typename L, typename Scalar>
struct PooledDatasetInputs {
  using Element = Scalar;

  explicit PooledDatasetInputs(const data::DatasetView& dataset) : data(dataset), constants(dataset) {}

  const data::DatasetView& data;
  data::GatherConstants<Scalar> constants;

  std::size_t size() const { return data.size; }

  void fill(std::size_t index, Scalar* panel) const {
    fill_panel_by_rows<Scalar>(samples_in<Scalar>(index, size()), L::output_size, panel,
                               [&](std::size_t sample, Scalar* row) {
                                 const auto place = static_cast<std::uint32_t>(index * width<Scalar> + sample);
                                 detail::gather_pooled_row<L>(data, constants, place, data::View{}, row);
                               });
  }
};

/// Any of these whose elements are numbers, so that a model's pass over them is compiled once. Does not outlive them.
template <typename Scalar>
class NumberInputs {
 public:
  using Element = Scalar;

  template <typename Inputs>
  explicit NumberInputs(const Inputs& inputs)
      : inputs_(&inputs),
        size_(inputs.size()),
        has_parts_([&] {
          if constexpr (requires { inputs.has_parts(); }) {
            return inputs.has_parts();
          } else {
            return false;
          }
        }()),
        fill_([](const void* any, std::size_t index, Scalar* panel) {
          static_cast<const Inputs*>(any)->fill(index, panel);
        }),
        fill_part_([](const void* any, std::size_t index, RowRange features, Scalar* part) {
          if constexpr (requires { inputs.fill_part(index, features, part); }) {
            static_cast<const Inputs*>(any)->fill_part(index, features, part);
          }
        }),
        ahead_([](const void* any, std::size_t index) {
          if constexpr (requires { inputs.ahead(index); }) {
            return static_cast<const Inputs*>(any)->ahead(index);
          } else {
            return static_cast<void>(any), static_cast<void>(index), Ahead{};
          }
        }) {}

  std::size_t size() const { return size_; }
  void fill(std::size_t index, Scalar* panel) const { fill_(inputs_, index, panel); }
  Ahead ahead(std::size_t index) const { return ahead_(inputs_, index); }

  bool has_parts() const { return has_parts_; }
  void fill_part(std::size_t index, RowRange features, Scalar* part) const {
    fill_part_(inputs_, index, features, part);
  }

 private:
  const void* inputs_;
  std::size_t size_;
  bool has_parts_;
  void (*fill_)(const void*, std::size_t, Scalar*);
  void (*fill_part_)(const void*, std::size_t, RowRange, Scalar*);
  Ahead (*ahead_)(const void*, std::size_t);
};

/// Whether a panel of a narrow layer's inputs had better be made and multiplied a part of its features at a time, each
/// small enough for the first-level cache. Every part adds to the whole output, which costs a wide layer more.
template <typename L>
inline constexpr bool is_by_parts = L::output_size <= 64;

/// Rows of a panel's output of a model's first operation, a Linear layer. `panel`: the inputs, or if all rows are made
/// `by_parts`, room for them.
template <typename L, typename Scalar>
void forward_numbers(const NumberInputs<Scalar>& inputs, std::size_t index, const Scalar* parameters, Scalar* panel,
                     Scalar* output, const PanelRows<Scalar>& rows, bool by_parts) {
  using V = simd::Vector<Scalar>;
  constexpr std::size_t part = (std::size_t{16} << 10) / (width<Scalar> * sizeof(Scalar));
  const std::size_t step = by_parts ? part : L::input_size;
  for (std::size_t first = 0; first < L::input_size; first += step) {
    const RowRange features{first, std::min(first + step, L::input_size)};
    if (by_parts) {
      inputs.fill_part(index, features, panel);
    }
    forward_depth<L, V>(parameters, features, panel, output, rows,
                        inputs.ahead(index).template from<V>(features.begin));
  }
}

template <Model M>
struct InferenceTag;  // tags the memory that whole panels and split panels of a model share

/// Panels on their way through a model: the current operation's input and output, each with room for the widest layer,
/// a LayerNorm's statistics, two for each sample, and the model's inputs where their elements are of another type.
template <Model M, typename Scalar, typename Element = Scalar>
struct InferenceScratch {
  /// The calling thread's memory, until the thread asks for another.
  explicit InferenceScratch(std::size_t panels) {
    const std::size_t half = panels * Plan<M>::widest * width<Scalar>;
    current = internal::thread_scratch<Scalar, InferenceTag<M>>(2 * half + 2 * panels * width<Scalar>);
    other = current + half;
    statistics = other + half;
    if constexpr (std::is_same_v<Element, Scalar>) {
      inputs = current;
    } else {
      inputs = internal::thread_scratch<Element, InferenceTag<M>>(panels * M::input_size * width<Scalar>);
    }
  }

  Scalar* current;
  Scalar* other;
  Scalar* statistics;
  Element* inputs;
};

}  // namespace retort::inline RETORT_INSTRUCTION_SET::backend::panel
