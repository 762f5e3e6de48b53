// SPDX-License-Identifier: MIT
#pragma once
/// @file
/// A BLAS for backend::Eigen, through the C interface: `backend::Eigen cpu{2, backend::cblas()}`. Needs cblas.h and a
/// library that has it, which the program links: OpenBLAS (libopenblas-dev), BLIS, or the reference (libblas-dev). Not
/// part of retort.hpp, since only programs that include it need a BLAS.

#include <cblas.h>

#include <cassert>
#include <cstddef>
#include <limits>
#include <string>
#include <thread>

#include "retort/backend/eigen/product_library.hpp"
#include "retort/core/error.hpp"
#include "retort/core/instruction_set.hpp"
#include "retort/core/matrix_view.hpp"

namespace retort::inline RETORT_INSTRUCTION_SET::backend {

namespace detail {

// OpenBLAS's functions outside the interface, and OpenMP's, which it may be built with: null where they are not linked.
// NOLINTBEGIN(readability-redundant-declaration): only OpenBLAS's cblas.h declares them
extern "C" {
__attribute__((weak)) char* openblas_get_config();
__attribute__((weak)) int openblas_get_parallel();
__attribute__((weak)) void openblas_set_num_threads(int);
__attribute__((weak)) int omp_get_max_threads();
}
// NOLINTEND(readability-redundant-declaration)

/// An extent as BLAS takes it: an int, unless the library was built for larger ones.
inline int blas_extent(std::size_t extent) {
  assert(extent <= static_cast<std::size_t>(std::numeric_limits<int>::max()));
  return static_cast<int>(extent);
}

inline CBLAS_TRANSPOSE blas_transpose(Transpose transpose) {
  return transpose == Transpose::yes ? CblasTrans : CblasNoTrans;
}

/// `gemm` is cblas_sgemm or cblas_dgemm.
template <typename Scalar, typename Gemm>
void add_product_by_cblas(const Gemm& gemm, const MatrixOperand<Scalar>& left, const MatrixOperand<Scalar>& right,
                          const MatrixView<Scalar>& result) {
  const std::size_t depth = left.transpose == Transpose::yes ? left.matrix.rows : left.matrix.columns;
  gemm(CblasRowMajor, blas_transpose(left.transpose), blas_transpose(right.transpose), blas_extent(result.rows),
       blas_extent(result.columns), blas_extent(depth), Scalar{1}, left.matrix.data, blas_extent(left.matrix.stride),
       right.matrix.data, blas_extent(right.matrix.stride), Scalar{1}, result.data, blas_extent(result.stride));
}

/// Keeps OpenBLAS, where it is the BLAS, from starting threads of its own.
inline void make_openblas_single_threaded() {
  if (openblas_set_num_threads != nullptr) {
    openblas_set_num_threads(1);
  }
  constexpr int built_with_openmp = 2;
  if (openblas_get_parallel == nullptr || openblas_get_parallel() != built_with_openmp ||
      omp_get_max_threads == nullptr) {
    return;
  }
  // With OpenMP the number belongs to the calling thread, and a thread that starts later gets OpenMP's own.
  int threads = 1;
  std::thread([&] { threads = omp_get_max_threads(); }).join();
  if (threads != 1) {
    throw OptionError("cblas: this OpenBLAS is built with OpenMP and would start " + std::to_string(threads) +
                      " threads in each of the backend's; expected OMP_NUM_THREADS=1, or OpenBLAS for pthreads");
  }
}

}  // namespace detail

/// The products sgemm and dgemm of the BLAS that the program links.
///
/// The backend cuts the work for its own threads by shapes, so the BLAS must compute on the calling thread: then
/// results do not depend on the number of threads. This function tells OpenBLAS so, once for the whole process; linked
/// statically it may need OPENBLAS_NUM_THREADS=1 instead, other libraries BLIS_NUM_THREADS=1 or their own variable. A
/// BLAS that picks its kernels by the processor gives other bits on another processor.
///
/// Throws OptionError where OpenBLAS is built with OpenMP and OpenMP may start threads.
inline ProductLibrary cblas() {
  detail::make_openblas_single_threaded();
  return {
      .name = detail::openblas_get_config != nullptr ? detail::openblas_get_config() : "a BLAS",
      .add_float = [](MatrixOperand<float> left, MatrixOperand<float> right,
                      MatrixView<float> result) { detail::add_product_by_cblas(cblas_sgemm, left, right, result); },
      .add_double = [](MatrixOperand<double> left, MatrixOperand<double> right,
                       MatrixView<double> result) { detail::add_product_by_cblas(cblas_dgemm, left, right, result); }};
}

}  // namespace retort::inline RETORT_INSTRUCTION_SET::backend
