// SPDX-License-Identifier: MIT
/// Products by a BLAS.

#include "backend/product_benchmark.hpp"
#include "retort/backend/eigen/cblas.hpp"

namespace retort::benchmarks {

[[maybe_unused]] static const bool registered = [] {
  register_products("cblas", backend::cblas);
  return true;
}();

}  // namespace retort::benchmarks
