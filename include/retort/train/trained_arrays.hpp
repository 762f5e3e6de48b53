// SPDX-License-Identifier: MIT
#pragma once
/// @file
/// The arrays that a training changes, in a backend's memory, and their copies on the host.

#include <algorithm>
#include <cstddef>
#include <cstring>
#include <limits>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "retort/core/error.hpp"
#include "retort/core/instruction_set.hpp"
#include "retort/core/out_of_memory.hpp"
#include "retort/core/text.hpp"
#include "retort/nn/sequential.hpp"
#include "retort/nn/tensor_values.hpp"
#include "retort/train/trainer_interface.hpp"

namespace retort::inline RETORT_INSTRUCTION_SET::internal {

/// Parameters, buffers or moments, laid out as `tensors` are.
template <typename Scalar>
struct TrainedArray {
  std::string name;
  std::span<Scalar> values;  ///< in the backend's memory
  std::span<const TensorInfo> tensors;
  std::string place{};                            ///< precedes the name of a faulty tensor
  Scalar largest = largest_tensor_value<Scalar>;  ///< magnitude

  template <typename Backend>
  std::vector<Scalar> copy(const Backend& backend) const {
    std::vector<Scalar> copy(values.size());
    copy_to_host(backend, static_cast<const Scalar*>(values.data()), std::span(copy));
    return copy;
  }
};

/// An optimizer's moments of the parameters of `owner`, which ends in a dot unless it is empty. They may have any
/// finite magnitude.
template <typename Buffer, typename Scalar>
void append_moments(std::vector<TrainedArray<Scalar>>& arrays, std::string_view owner, std::span<Buffer> moments,
                    std::span<const TensorInfo> tensors) {
  for (std::size_t i = 0; i < moments.size(); ++i) {
    const std::string name = concatenate({owner, "moment.", i});
    arrays.push_back(
        {name, {moments[i].data(), moments[i].size()}, tensors, name + " of ", std::numeric_limits<Scalar>::max()});
  }
}

/// What TrainerInterface::is_finite returns.
template <typename Backend, typename Scalar>
bool are_finite(const Backend& backend, std::span<const TrainedArray<Scalar>> arrays) {
  return std::ranges::all_of(arrays, [&](const TrainedArray<Scalar>& array) {
    return all_finite(backend, static_cast<const Scalar*>(array.values.data()), array.values.size());
  });
}

/// What TrainerInterface::describe_fault returns.
template <typename Backend, typename Scalar>
[[gnu::cold]] std::string describe_fault(const Backend& backend, std::span<const TrainedArray<Scalar>> arrays) {
  for (const TrainedArray<Scalar>& array : arrays) {
    const std::vector<Scalar> copy = array.copy(backend);
    const std::string fault = describe_fault(array.tensors, std::span(copy), array.largest);
    if (!fault.empty()) {
      return array.place + fault;
    }
  }
  return {};
}

template <typename Backend, typename Scalar>
[[gnu::cold]] StateArrays copy_state(const Backend& backend, std::span<const TrainedArray<Scalar>> arrays) {
  StateArrays state;
  for (const TrainedArray<Scalar>& array : arrays) {
    allocate_for(concatenate({"state of a training, ", array.name}), array.values.size_bytes(), [&] {
      const std::vector<Scalar> copy = array.copy(backend);
      const auto bytes = std::as_bytes(std::span(copy));
      state.push_back({array.name, {bytes.begin(), bytes.end()}});
    });
  }
  return state;
}

/// Throws ShapeError for arrays that are not among `arrays`, or not of their sizes. These are checked before the first
/// is written: a state that does not fit leaves everything as it was.
template <typename Backend, typename Scalar>
[[gnu::cold]] void restore_state(const Backend& backend, std::span<const TrainedArray<Scalar>> arrays,
                                 const StateArrays& state) {
  const auto target_of = [&](const StateArray& array) {
    const auto found = std::ranges::find(arrays, array.name, &TrainedArray<Scalar>::name);
    if (found == arrays.end()) {
      throw ShapeError(concatenate({"training state: ", array.name, " is no array of this training"}));
    }
    return found->values;
  };
  for (const StateArray& array : state) {
    const std::size_t expected = target_of(array).size_bytes();
    if (array.bytes.size() != expected) {
      throw ShapeError(
          concatenate({"training state: ", array.name, " has ", array.bytes.size(), " bytes, expected ", expected}));
    }
  }
  for (const StateArray& array : state) {
    const std::span<Scalar> target = target_of(array);
    std::vector<Scalar> values(target.size());
    if (!values.empty()) {
      std::memcpy(values.data(), array.bytes.data(), array.bytes.size());
    }
    copy_from_host(backend, std::span<const Scalar>(values), target.data());
  }
}

}  // namespace retort::inline RETORT_INSTRUCTION_SET::internal
