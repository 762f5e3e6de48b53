// SPDX-License-Identifier: MIT
#pragma once
/// @file
/// The base of a backend whose operations are those of this folder: Linear, chains, normalization, pooling, losses,
/// optimizers, batches, whole models. Each is a named function object that is called for every index of a range, so one
/// source serves a loop, a pool of threads and a GPU. A backend brings memory and `for_each`:
///
///     struct Mine : HostMemory, Generic<Mine> {
///       static constexpr const char* name = "mine";
///       std::string describe() const;
///       template <typename Function>
///       void for_each(std::size_t count, const Function& function) const;  // function(index) for each index < count
///     };
///
/// An overload on the backend's own type replaces an operation. Sums run in an order that depends on shapes alone, so a
/// result is the same bits for every number of threads.

#include <cstddef>
#include <source_location>

#include "retort/backend/generic/host_memory.hpp"
#include "retort/backend/generic/scratch.hpp"
#include "retort/core/host_device.hpp"
#include "retort/core/instruction_set.hpp"

namespace retort::inline RETORT_INSTRUCTION_SET::backend {

namespace detail {
struct ScalarChain;  // chain.hpp
}

/// `Derived` is the backend. It calls a function object for the indices of a range in any order, several at once; how
/// many elements a call takes, and how many samples run through a model together outside of training, it states in
/// `elements_per_call` and `inference_batch`, or HostMemory does.
template <typename Derived>
struct Generic {
  /// How chains are applied: see ScalarChain.
  using ChainKernel = detail::ScalarChain;

  /// Temporary memory: `backend.scratch<float>(n).data()` is valid while the lease lives. The thread that leases it
  /// gives it back.
  template <typename T>
  auto scratch(std::size_t count) const {
    static_assert(Derived::host_memory,
                  "retort: a backend with memory of its own needs a scratch<T>(count) of its own");
    static thread_local detail::ScratchPool<HostMemory> pool;
    return pool.template lease<T>(HostMemory{}, count);
  }

  const Derived& self() const { return static_cast<const Derived&>(*this); }
};

namespace detail {

/// Calls function(index) for every index below `count`. `where`: the operation, for a launch that fails.
template <typename Backend, typename Function>
void for_each(const Backend& backend, std::size_t count, const Function& function,
              const std::source_location& where = std::source_location::current()) {
  if constexpr (requires { backend.for_each(count, function, where); }) {
    backend.for_each(count, function, where);
  } else {
    backend.for_each(count, function);
  }
}

/// Calls function(element) for the elements of one piece.
template <typename Function, std::size_t PieceSize>
struct ForPiece {
  Function function;
  std::size_t size;

#ifdef __CUDACC__
#pragma nv_exec_check_disable  // a host's function object is called on the host only
#endif
  RETORT_HOST_DEVICE void operator()(std::size_t piece) const {
    const std::size_t begin = piece * PieceSize;
    const std::size_t end = begin + PieceSize < size ? begin + PieceSize : size;
    for (std::size_t element = begin; element < end; ++element) {
      function(element);
    }
  }
};

}  // namespace detail

/// Calls function(index) for each index below `count`, as many in one call as suit the backend if each takes as much
/// work as `Work` elements.
template <std::size_t Work = 1, typename Backend, typename Function>
void for_each_of(const Backend& backend, std::size_t count, const Function& function,
                 const std::source_location& where = std::source_location::current()) {
  constexpr std::size_t piece = Backend::elements_per_call > Work ? Backend::elements_per_call / Work : 1;
  for_each(backend, (count + piece - 1) / piece, detail::ForPiece<Function, piece>{function, count}, where);
}

namespace detail {

/// Columns [first, first + count) of a matrix of `columns` columns; a call takes `Strip` of them, and sums run over the
/// rows in order. A host's columns lie side by side in memory.
template <std::size_t Strip>
struct ColumnStrip {
  std::size_t columns;
  std::size_t first;
  std::size_t count;

  static constexpr std::size_t strips(std::size_t columns) { return (columns + Strip - 1) / Strip; }

  RETORT_HOST_DEVICE ColumnStrip(std::size_t all, std::size_t strip)
      : columns(all), first(strip * Strip), count(all - first < Strip ? all - first : Strip) {}

  /// Calls function(element, column within the strip) for the elements of the strip, row after row.
  template <typename Function>
  RETORT_HOST_DEVICE void for_each(std::size_t rows, const Function& function) const {
    for (std::size_t row = 0; row < rows; ++row) {
      const std::size_t begin = row * columns + first;
      for (std::size_t column = 0; column < count; ++column) {
        function(begin + column, column);
      }
    }
  }
};

}  // namespace detail

}  // namespace retort::inline RETORT_INSTRUCTION_SET::backend
