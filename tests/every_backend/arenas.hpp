// SPDX-License-Identifier: MIT
#pragma once
/// @file
/// A model's tensors as the tests exchange them, behind one another, and as a network keeps them, in an arena.

#include <array>
#include <cstddef>
#include <span>

#include "every_backend/candidate.hpp"
#include "retort/core/aligned_buffer.hpp"
#include "retort/nn/network.hpp"
#include "retort/nn/sequential.hpp"

namespace retort::test {

/// The tensors of an arena behind one another.
template <typename S, std::size_t N>
Numbers packed(const std::array<TensorInfo, N>& tensors, std::span<const S> arena) {
  Numbers values;
  for (const TensorInfo& tensor : tensors) {
    const auto part = tensor.in(arena);
    values.insert(values.end(), part.begin(), part.end());
  }
  return values;
}

template <typename M, typename Backend, typename S, typename Values>
void set_parameters(Network<M, Backend, S>& network, const Values& values) {
  AlignedBuffer<S> arena = network.copy_parameters();
  auto next = values.begin();
  for (const TensorInfo& tensor : M::parameters) {
    for (S& value : tensor.in(arena.span())) {
      value = static_cast<S>(*next++);
    }
  }
  network.assign_parameters(arena.span());
}

}  // namespace retort::test
