// SPDX-License-Identifier: MIT
#pragma once
/// @file
/// One product by cuBLASLt, decided once and run many times. NVIDIA, cuBLAS documentation, "Using the cuBLASLt API".

#include <cublasLt.h>
#include <cuda_runtime_api.h>
#include <library_types.h>

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <source_location>
#include <string_view>

#include "retort/backend/cuda/runtime/context.hpp"
#include "retort/backend/cuda/runtime/error.hpp"
#include "retort/backend/cuda/runtime/handle.hpp"
#include "retort/core/instruction_set.hpp"

namespace retort::inline RETORT_INSTRUCTION_SET::backend::cuda {

/// A cuBLASLt handle of one device. It has neither stream nor workspace: each product names its own.
using LtHandle = DeviceHandle<cublasLtHandle_t, cublasLtDestroy>;

/// Throws DeviceError.
inline LtHandle create_lt_handle(int device, const std::source_location& where = std::source_location::current()) {
  return create_on_device<LtHandle>(device, cublasLtCreate, "creation of a cuBLASLt handle", where);
}

/// result (rows, columns) = alpha op(left) op(right), a sum of `depth` terms, then the epilogue. In cuBLASLt's order,
/// column-major, without gaps.
struct LtProblem {
  std::size_t rows;
  std::size_t columns;
  std::size_t depth;
  cublasOperation_t left_operation = CUBLAS_OP_N;
  cublasOperation_t right_operation = CUBLAS_OP_N;
  cudaDataType_t factor_type = CUDA_R_32F;
  cudaDataType_t result_type = CUDA_R_32F;  // also of alpha, and of a bias or its gradient: float or double
  cublasComputeType_t compute_type = CUBLAS_COMPUTE_32F;
  cublasLtEpilogue_t epilogue = CUBLASLT_EPILOGUE_DEFAULT;
  std::uint32_t factor_alignment = 16;  // bytes to which the matrices are aligned at least
  std::uint32_t result_alignment = 16;
};

namespace detail {

using LtDescriptor = UniqueHandle<cublasLtMatmulDesc_t, cublasLtMatmulDescDestroy>;
using LtLayout = UniqueHandle<cublasLtMatrixLayout_t, cublasLtMatrixLayoutDestroy>;
using LtPreference = UniqueHandle<cublasLtMatmulPreference_t, cublasLtMatmulPreferenceDestroy>;

inline constexpr std::string_view lt_description = "description of a product for cuBLASLt";

/// A row-major matrix (columns, rows) is cuBLASLt's (rows, columns).
inline LtLayout make_layout(cudaDataType_t type, std::size_t rows, std::size_t columns,
                            const std::source_location& where) {
  cublasLtMatrixLayout_t layout = nullptr;
  check(cublasLtMatrixLayoutCreate(&layout, type, rows, columns, static_cast<std::int64_t>(rows)), lt_description,
        where);
  return LtLayout(layout);
}

template <typename T>
void set_attribute(cublasLtMatmulDesc_t descriptor, cublasLtMatmulDescAttributes_t attribute, const T& value,
                   const std::source_location& where) {
  check(cublasLtMatmulDescSetAttribute(descriptor, attribute, static_cast<const void*>(&value), sizeof(value)),
        lt_description, where);
}

template <typename T>
void set_attribute(cublasLtMatmulPreference_t preference, cublasLtMatmulPreferenceAttributes_t attribute,
                   const T& value, const std::source_location& where) {
  check(cublasLtMatmulPreferenceSetAttribute(preference, attribute, static_cast<const void*>(&value), sizeof(value)),
        lt_description, where);
}

}  // namespace detail

/// A product's arguments. Its epilogue reads `bias`, or writes it where it is a gradient; null without one.
template <std::floating_point Scalar>
struct LtArguments {
  Scalar alpha;
  const void* left;
  const void* right;
  const Scalar* bias;
  Scalar* result;
};

/// A product with its descriptors and its algorithm. It uses the same algorithm and workspace each time, and no sums in
/// an order left to chance: results repeat bit for bit on one kind of device and one version of cuBLASLt.
class LtMatmul {
 public:
  /// Asks cuBLASLt's heuristic, which takes the host some tens of microseconds. `workspace`: memory that the product
  /// may use, at least 256-byte aligned. Empty if cuBLASLt has no way to do it, as with some epilogues of some types.
  /// Throws DeviceError.
  static std::optional<LtMatmul> find(const LtHandle& handle, const LtProblem& problem, void* workspace,
                                      std::size_t workspace_size,
                                      const std::source_location& where = std::source_location::current()) {
    LtMatmul product(problem, where);
    cublasLtMatmulPreference_t created = nullptr;
    check(cublasLtMatmulPreferenceCreate(&created), detail::lt_description, where);
    const detail::LtPreference preference(created);
    const std::uint64_t size = workspace_size;
    detail::set_attribute(created, CUBLASLT_MATMUL_PREF_MAX_WORKSPACE_BYTES, size, where);
    // Not "in place": its pieces add to the result in an order that only counters keep.
    const std::uint32_t reductions = CUBLASLT_REDUCTION_SCHEME_COMPUTE_TYPE | CUBLASLT_REDUCTION_SCHEME_OUTPUT_TYPE;
    detail::set_attribute(created, CUBLASLT_MATMUL_PREF_REDUCTION_SCHEME_MASK, reductions, where);
    for (const auto attribute :
         {CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_A_BYTES, CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_B_BYTES}) {
      detail::set_attribute(created, attribute, problem.factor_alignment, where);
    }
    for (const auto attribute :
         {CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_C_BYTES, CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_D_BYTES}) {
      detail::set_attribute(created, attribute, problem.result_alignment, where);
    }
    product.set_bias(workspace, where);  // a placeholder: each run names the real one

    cublasLtMatmulHeuristicResult_t result{};
    int found = 0;
    const cublasStatus_t status = cublasLtMatmulAlgoGetHeuristic(
        handle.get(), product.descriptor_.get(), product.left_.get(), product.right_.get(), product.result_.get(),
        product.result_.get(), preference.get(), 1, &result, &found);
    // An epilogue that the types do not have is "not supported", or "invalid".
    const bool unsupported = status == CUBLAS_STATUS_NOT_SUPPORTED ||
                             (status == CUBLAS_STATUS_INVALID_VALUE && problem.epilogue != CUBLASLT_EPILOGUE_DEFAULT);
    if (!unsupported) {
      check(status, "choice of an algorithm by cuBLASLt", where);
    }
    if (unsupported || found == 0 || result.state != CUBLAS_STATUS_SUCCESS) {
      return std::nullopt;
    }
    product.algorithm_ = result.algo;
    product.workspace_ = workspace;
    product.workspace_size_ = workspace_size;
    return product;
  }

  bool has_epilogue() const { return problem_.epilogue != CUBLASLT_EPILOGUE_DEFAULT; }

  /// Runs in the stream. Throws DeviceError.
  template <std::floating_point Scalar>
  void operator()(CudaContext& context, const LtHandle& handle, const LtArguments<Scalar>& arguments,
                  const std::source_location& where = std::source_location::current()) {
    const auto entry = context.enter(where);
    set_bias(arguments.bias, where);
    const Scalar beta = 0;
    context.check(
        cublasLtMatmul(handle.get(), descriptor_.get(), &arguments.alpha, arguments.left, left_.get(), arguments.right,
                       right_.get(), &beta, arguments.result, result_.get(), arguments.result, result_.get(),
                       &algorithm_, workspace_, workspace_size_, context.stream()),
        "product by cuBLASLt", where);
  }

 private:
  LtMatmul(const LtProblem& problem, const std::source_location& where) : problem_(problem) {
    cublasLtMatmulDesc_t descriptor = nullptr;
    check(cublasLtMatmulDescCreate(&descriptor, problem.compute_type, problem.result_type), detail::lt_description,
          where);
    descriptor_.reset(descriptor);
    detail::set_attribute(descriptor, CUBLASLT_MATMUL_DESC_TRANSA, problem.left_operation, where);
    detail::set_attribute(descriptor, CUBLASLT_MATMUL_DESC_TRANSB, problem.right_operation, where);
    detail::set_attribute(descriptor, CUBLASLT_MATMUL_DESC_EPILOGUE, problem.epilogue, where);
    if (has_epilogue()) {
      detail::set_attribute(descriptor, CUBLASLT_MATMUL_DESC_BIAS_DATA_TYPE, problem.result_type, where);
    }
    const auto factor = [&](cublasOperation_t operation, std::size_t rows, std::size_t columns) {
      return operation == CUBLAS_OP_N ? detail::make_layout(problem.factor_type, rows, columns, where)
                                      : detail::make_layout(problem.factor_type, columns, rows, where);
    };
    left_ = factor(problem.left_operation, problem.rows, problem.depth);
    right_ = factor(problem.right_operation, problem.depth, problem.columns);
    result_ = detail::make_layout(problem.result_type, problem.rows, problem.columns, where);
  }

  void set_bias(const void* bias, const std::source_location& where) {
    if (has_epilogue()) {
      detail::set_attribute(descriptor_.get(), CUBLASLT_MATMUL_DESC_BIAS_POINTER, bias, where);
    }
  }

  LtProblem problem_;
  detail::LtDescriptor descriptor_;
  detail::LtLayout left_;
  detail::LtLayout right_;
  detail::LtLayout result_;
  cublasLtMatmulAlgo_t algorithm_{};
  void* workspace_ = nullptr;
  std::size_t workspace_size_ = 0;
};

}  // namespace retort::inline RETORT_INSTRUCTION_SET::backend::cuda
