// SPDX-License-Identifier: MIT
#pragma once
/// @file
/// A graph's products by cuBLASLt, with bias, ReLU and a bias's gradient in their epilogues where it has those for the
/// type, else by kernels of our own.

#include <cublasLt.h>
#include <library_types.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include "retort/backend/cuda/graph/column_sums.hpp"
#include "retort/backend/cuda/graph/epilogue.hpp"
#include "retort/backend/cuda/graph/linear_spec.hpp"
#include "retort/backend/cuda/graph/operand.hpp"
#include "retort/backend/cuda/runtime/blas.hpp"
#include "retort/backend/cuda/runtime/error.hpp"
#include "retort/backend/cuda/runtime/lt_matmul.hpp"
#include "retort/backend/thrust/thrust.hpp"
#include "retort/core/error.hpp"
#include "retort/core/instruction_set.hpp"
#include "retort/core/matrix_view.hpp"
#include "retort/nn/layer.hpp"

namespace retort::inline RETORT_INSTRUCTION_SET::backend::graph {

/// Like HostProducts. A row-major matrix is its transpose to cuBLASLt, so each product is asked for transposed.
template <typename System, typename Scalar, Precision precision>
class LtProducts {
 public:
  using Factor = Operand<Scalar, precision>;

  LtProducts(const Thrust<System>& backend, std::span<const LinearSpec> linears, std::size_t capacity)
      : linears_(linears.begin(), linears.end()),
        handle_(cuda::create_lt_handle(backend.system().context().device())),
        workspace_(backend.template allocate<std::byte>(
            cuda::recommended_workspace(backend.system().context().facts().major))) {
    std::size_t sums = 0;
    for (const LinearSpec& linear : linears_) {
      sums = std::max(sums, column_sum_scratch_size(capacity, linear.out));
    }
    column_sums_ = backend.template allocate<Scalar>(sums);
    prepare(backend, capacity);
  }

  void prepare(const Thrust<System>& backend, std::size_t batch) {
    const auto known = std::ranges::find(batches_, batch, &Batch::size);
    if (known != batches_.end()) {
      current_ = static_cast<std::size_t>(known - batches_.begin());
      return;
    }
    const auto entry = backend.system().context().enter();
    Batch created{.size = batch, .layers = {}};
    for (const LinearSpec& linear : linears_) {
      created.layers.push_back(find_products(linear, batch));
    }
    if (batches_.size() == most_batches) {
      batches_.erase(batches_.begin());
    }
    batches_.push_back(std::move(created));
    current_ = batches_.size() - 1;
  }

  void forward(const Thrust<System>& backend, std::size_t index, MatrixView<const Factor> input,
               const LinearTensors<const Factor, const Scalar>& linear, Scalar scale, MatrixView<Scalar> output) {
    const LinearSpec& spec = linears_[index];
    cuda::LtMatmul& product = products(index).forward;
    const Scalar* added = spec.adds_bias ? linear.bias : nullptr;
    product(backend.system().context(), handle_,
            cuda::LtArguments<Scalar>{scale, linear.weight.data, input.data, added, output.data});
    if (!product.has_epilogue()) {
      apply_epilogue(backend, added, spec.applies_relu, output);
    }
  }

  void gradients(const Thrust<System>& backend, std::size_t index, MatrixView<const Factor> input,
                 MatrixView<const Factor> output_gradient, Scalar scale,
                 const LinearTensors<Scalar, Scalar>& gradients) {
    cuda::LtMatmul& product = products(index).weight_gradient;
    product(backend.system().context(), handle_,
            cuda::LtArguments<Scalar>{scale, input.data, output_gradient.data, gradients.bias, gradients.weight.data});
    if (gradients.bias != nullptr && !product.has_epilogue()) {
      sum_columns(backend, output_gradient, column_sums_.data(), gradients.bias);
    }
  }

  void input_gradient(const Thrust<System>& backend, std::size_t index, MatrixView<const Factor> weight,
                      MatrixView<const Factor> output_gradient, MatrixView<Scalar> input_gradient) {
    (*products(index).input_gradient)(
        backend.system().context(), handle_,
        cuda::LtArguments<Scalar>{Scalar{1}, weight.data, output_gradient.data, nullptr, input_gradient.data});
  }

 private:
  template <typename T>
  using Buffer = typename Thrust<System>::template Buffer<T>;

  struct LayerProducts {
    cuda::LtMatmul forward;
    cuda::LtMatmul weight_gradient;
    std::optional<cuda::LtMatmul> input_gradient;
  };
  struct Batch {
    std::size_t size;
    std::vector<LayerProducts> layers;
  };

  /// The most sizes of batches whose products are remembered; an epoch has two.
  static constexpr std::size_t most_batches = 8;

  static cuda::LtProblem problem(std::size_t rows, std::size_t columns, std::size_t depth, cublasOperation_t left,
                                 cublasOperation_t right, cublasLtEpilogue_t epilogue) {
    constexpr Precision products = product_precision<Scalar, precision>;
    constexpr bool is_double = std::is_same_v<Scalar, double>;
    return {.rows = rows,
            .columns = columns,
            .depth = depth,
            .left_operation = left,
            .right_operation = right,
            .factor_type = is_double                     ? CUDA_R_64F
                           : products == Precision::bf16 ? CUDA_R_16BF
                                                         : CUDA_R_32F,
            .result_type = is_double ? CUDA_R_64F : CUDA_R_32F,
            .compute_type = is_double                     ? CUBLAS_COMPUTE_64F
                            : products == Precision::tf32 ? CUBLAS_COMPUTE_32F_FAST_TF32
                                                          : CUBLAS_COMPUTE_32F,
            .epilogue = epilogue,
            // Tensors begin at multiples of tensor_alignment elements.
            .factor_alignment = static_cast<std::uint32_t>(tensor_alignment * sizeof(Factor)),
            .result_alignment = static_cast<std::uint32_t>(tensor_alignment * sizeof(Scalar))};
  }

  /// With the epilogue if cuBLASLt has it, else without.
  cuda::LtMatmul find(cuda::LtProblem problem) {
    auto product = cuda::LtMatmul::find(handle_, problem, workspace_.data(), workspace_.size());
    if (!product && problem.epilogue != CUBLASLT_EPILOGUE_DEFAULT) {
      problem.epilogue = CUBLASLT_EPILOGUE_DEFAULT;
      product = cuda::LtMatmul::find(handle_, problem, workspace_.data(), workspace_.size());
    }
    if (!product) {
      throw DeviceError("cuBLASLt: no algorithm for a product of " + std::to_string(problem.rows) + " x " +
                        std::to_string(problem.depth) + " x " + std::to_string(problem.columns) + "; " +
                        std::string{cuda::another_backend});
    }
    return *std::move(product);
  }

  LayerProducts find_products(const LinearSpec& linear, std::size_t batch) {
    const cublasLtEpilogue_t finish = linear.adds_bias && linear.applies_relu ? CUBLASLT_EPILOGUE_RELU_BIAS
                                      : linear.adds_bias                      ? CUBLASLT_EPILOGUE_BIAS
                                      : linear.applies_relu                   ? CUBLASLT_EPILOGUE_RELU
                                                                              : CUBLASLT_EPILOGUE_DEFAULT;
    // The documentation does not say whether the epilogue's sums are scaled too.
    const cublasLtEpilogue_t sums =
        linear.has_bias && !linear.scaled ? CUBLASLT_EPILOGUE_BGRADB : CUBLASLT_EPILOGUE_DEFAULT;
    LayerProducts found{.forward = find(problem(linear.out, batch, linear.in, CUBLAS_OP_T, CUBLAS_OP_N, finish)),
                        .weight_gradient = find(problem(linear.in, linear.out, batch, CUBLAS_OP_N, CUBLAS_OP_T, sums)),
                        .input_gradient = {}};
    if (linear.needs_input_gradient) {
      found.input_gradient =
          find(problem(linear.in, batch, linear.out, CUBLAS_OP_N, CUBLAS_OP_N, CUBLASLT_EPILOGUE_DEFAULT));
    }
    return found;
  }

  LayerProducts& products(std::size_t index) { return batches_[current_].layers[index]; }

  std::vector<LinearSpec> linears_;
  cuda::LtHandle handle_;
  Buffer<std::byte> workspace_;
  Buffer<Scalar> column_sums_{};
  std::vector<Batch> batches_;
  std::size_t current_ = 0;
};

}  // namespace retort::inline RETORT_INSTRUCTION_SET::backend::graph
