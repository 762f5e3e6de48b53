// SPDX-License-Identifier: MIT
#pragma once
/// @file
/// What whole models outside of training infer from, panel by panel: a batch of numbers, or a dataset.
///
/// Each kind is a struct with the `Element` its panels are made of, fill(index, panel), and
/// forward(parameters, index, panel, output, begin, end): rows [begin, end) of the Linear layer that the model begins
/// with, from panel `index`. forward_ahead is all of them, and may fetch the inputs of the panel behind it meanwhile.

#include <array>
#include <cstddef>
#include <cstdint>
#include <numeric>
#include <span>

#include "retort/backend/eigen/panel/forward.hpp"
#include "retort/backend/eigen/panel/inputs.hpp"
#include "retort/backend/eigen/panel/panel.hpp"
#include "retort/core/instruction_set.hpp"
#include "retort/data/dataset_view.hpp"
#include "retort/data/gather.hpp"
#include "retort/simd/transpose.hpp"
#include "retort/simd/vector.hpp"

namespace retort::inline RETORT_INSTRUCTION_SET::backend::panel {

/// Rows (size, in) of numbers.
template <typename Scalar>
struct BatchInputs {
  using Element = Scalar;
  using V = simd::Vector<Scalar>;

  const Scalar* rows;
  std::size_t features;
  std::size_t size;

  void fill(std::size_t index, Scalar* panel) const {
    fill_panel<V>({rows + index * width<Scalar> * features, features}, samples_in<Scalar>(index, size), features,
                  panel);
  }

  template <typename L>
  void forward(const Scalar* parameters, std::size_t index, const Scalar* panel, Scalar* output, std::size_t begin,
               std::size_t end, Ahead ahead = {}) const {
    forward_rows<L, V>(parameters, panel, output, begin, end, vectors_for<V>(samples_in<Scalar>(index, size)), ahead);
  }

  template <typename L>
  void forward_ahead(const Scalar* parameters, std::size_t index, const Scalar* panel, Scalar* output) const {
    const std::size_t next = (index + 1) * width<Scalar>;
    const bool is_full = next + width<Scalar> <= size;
    forward<L>(parameters, index, panel, output, 0, L::output_size,
               Ahead{is_full ? reinterpret_cast<const std::byte*>(rows + next * features) : nullptr});
  }
};

/// Every sample of a dataset, normalised.
template <typename Scalar>
struct DatasetInputs {
  using Element = Scalar;
  using V = simd::Vector<Scalar>;

  explicit DatasetInputs(const data::DatasetView& dataset) : data(dataset), constants(dataset) {}

  const data::DatasetView& data;
  data::GatherConstants<Scalar> constants;

  void fill(std::size_t index, Scalar* panel) const {
    std::array<std::uint32_t, width<Scalar>> samples;
    std::iota(samples.begin(), samples.end(), static_cast<std::uint32_t>(index * width<Scalar>));
    const std::size_t count = samples_in<Scalar>(index, data.size);
    fill_panel<V>(data, constants, std::span<const std::uint32_t>(samples).first(count), panel);
  }

  template <typename L>
  void forward(const Scalar* parameters, std::size_t index, const Scalar* panel, Scalar* output, std::size_t begin,
               std::size_t end) const {
    forward_rows<L, V>(parameters, panel, output, begin, end, vectors_for<V>(samples_in<Scalar>(index, data.size)));
  }

  template <typename L>
  void forward_ahead(const Scalar* parameters, std::size_t index, const Scalar* panel, Scalar* output) const {
    forward<L>(parameters, index, panel, output, 0, L::output_size);
  }
};

/// Every sample of a dataset of bytes, as bytes: fold_offset says how the Linear layer that takes them normalises them.
template <typename Scalar>
struct ByteInputs {
  using Element = std::uint8_t;
  using V = simd::Vector<Scalar>;

  const data::DatasetView& data;
  FoldedBias<Scalar> bias;

  void fill(std::size_t index, std::uint8_t* panel) const {
    const std::size_t count = samples_in<Scalar>(index, data.size);
    const simd::Rows<const std::uint8_t> rows{data.bytes + index * width<Scalar> * data.features, data.features};
    fill_byte_panel<Scalar>(byte_rows<Scalar>(rows, count).data(), count, data.features, panel);
  }

  template <typename L>
  void forward(const Scalar* parameters, std::size_t index, const std::uint8_t* panel, Scalar* output,
               std::size_t begin, std::size_t end) const {
    forward_byte_rows<L, V>(parameters, bias, panel, output, begin, end,
                            vectors_for<V>(samples_in<Scalar>(index, data.size)));
  }

  template <typename L>
  void forward_ahead(const Scalar* parameters, std::size_t index, const std::uint8_t* panel, Scalar* output) const {
    forward<L>(parameters, index, panel, output, 0, L::output_size);
  }
};

}  // namespace retort::inline RETORT_INSTRUCTION_SET::backend::panel
