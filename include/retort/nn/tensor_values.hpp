// SPDX-License-Identifier: MIT
#pragma once
/// @file
/// The values that a network's tensors may hold. Saving, loading and training ask the same question, so that no
/// training ends with a network that cannot be saved, and no file is written that cannot be loaded.

#include <span>
#include <string>

#include "retort/core/instruction_set.hpp"
#include "retort/core/text.hpp"
#include "retort/nn/layer.hpp"
#include "retort/nn/sequential.hpp"
#include "retort/nn/tensor_fault.hpp"

namespace retort::inline RETORT_INSTRUCTION_SET::internal {

/// The first element of a tensor that no network may hold (nn/tensor_fault.hpp), in words: "element 3 is nan, expected
/// a finite number". Empty if there is none.
template <typename Scalar>
[[gnu::cold]] std::string describe_fault(const TensorSpec& spec, std::span<const Scalar> values,
                                         Scalar largest = largest_tensor_value<Scalar>) {
  const ElementFault found = find_fault(spec, values, largest);
  if (found.fault == TensorFault::none) {
    return {};
  }
  std::string text = concatenate({"element ", found.element, " is ", values[found.element], ", expected "});
  switch (found.fault) {
    case TensorFault::no_count:
      return text +=
             concatenate({"a whole number from 0 to ", static_cast<unsigned long long>(largest_tensor_count<Scalar>)});
    case TensorFault::too_large:
      return text += concatenate({"a magnitude of at most ", largest});
    default:
      return text += found.fault == TensorFault::not_finite ? "a finite number" : "a number of at least 0";
  }
}

/// The same for the first tensor in `arena` with such an element: "1.running_var: element 3 is nan, expected a finite
/// number"; empty if there is none. An optimizer's moments, laid out like the parameters, may have any finite
/// magnitude.
template <typename Scalar>
[[gnu::cold]] std::string describe_fault(std::span<const TensorInfo> tensors, std::span<const Scalar> arena,
                                         Scalar largest = largest_tensor_value<Scalar>) {
  for (const TensorInfo& tensor : tensors) {
    if (const std::string fault = describe_fault(tensor.spec, tensor.in(arena), largest); !fault.empty()) {
      return concatenate({tensor.full_name(), ": ", fault});
    }
  }
  return {};
}

}  // namespace retort::inline RETORT_INSTRUCTION_SET::internal
