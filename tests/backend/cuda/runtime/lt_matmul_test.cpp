// SPDX-License-Identifier: MIT
#include "retort/backend/cuda/runtime/lt_matmul.hpp"

#include <algorithm>
#include <cstddef>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "backend/cuda/runtime/cuda_device.hpp"
#include "catch.hpp"
#include "random_values.hpp"
#include "retort/backend/cuda/graph/operand.hpp"
#include "retort/backend/cuda/runtime/buffer.hpp"
#include "retort/backend/cuda/runtime/copy.hpp"

namespace {

using namespace retort::backend::cuda;
using retort::backend::graph::Bfloat16;
using retort::test::largest_difference;
using retort::test::random_values;
using retort::test::same_bits;

template <typename Factor, typename Scalar>
class Products {
 public:
  std::optional<LtMatmul> find(LtProblem problem) {
    problem.factor_type = sizeof(Factor) == 2 ? CUDA_R_16BF : sizeof(Factor) == 4 ? CUDA_R_32F : CUDA_R_64F;
    problem.result_type = sizeof(Scalar) == 4 ? CUDA_R_32F : CUDA_R_64F;
    problem.compute_type = sizeof(Scalar) == 4 ? CUBLAS_COMPUTE_32F : CUBLAS_COMPUTE_64F;
    return LtMatmul::find(handle_, problem, workspace_.data(), workspace_.size());
  }

  /// The result, and what stands in `bias` afterwards.
  std::vector<Scalar> run(LtMatmul& product, const std::vector<Factor>& left, const std::vector<Factor>& right,
                          std::vector<Scalar>& bias, std::size_t size, Scalar alpha) {
    DeviceBuffer<Factor> a(context_, left.size());
    DeviceBuffer<Factor> b(context_, right.size());
    DeviceBuffer<Scalar> c(context_, bias.size());
    DeviceBuffer<Scalar> result(context_, size);
    copy_from_host(*context_, std::span<const Factor>(left), a.data());
    copy_from_host(*context_, std::span<const Factor>(right), b.data());
    copy_from_host(*context_, std::span<const Scalar>(bias), c.data());
    product(*context_, handle_, LtArguments<Scalar>{alpha, a.data(), b.data(), c.data(), result.data()});
    std::vector<Scalar> values(size);
    copy_to_host(*context_, std::as_const(result).data(), std::span(values));
    copy_to_host(*context_, std::as_const(c).data(), std::span(bias));
    return values;
  }

 private:
  std::shared_ptr<CudaContext> context_ = CudaContext::create();
  LtHandle handle_ = create_lt_handle(context_->device());
  DeviceBuffer<std::byte> workspace_{context_, recommended_workspace(context_->facts().major)};
};

template <typename Factor>
struct ScalarOf {
  using type = float;
};
template <>
struct ScalarOf<double> {
  using type = double;
};

constexpr std::size_t rows = 48;
constexpr std::size_t columns = 33;
constexpr std::size_t depth = 130;

// As a Linear asks for its outputs: weight (rows, depth) and input (columns, depth), both row-major.
TEMPLATE_TEST_CASE("a product with its epilogue on the device", "[graph][device]", Bfloat16, float, double) {
  RETORT_REQUIRE_CUDA_DEVICE();
  using Scalar = typename ScalarOf<TestType>::type;
  const auto factors = [](std::size_t count, std::uint64_t seed) {
    std::vector<TestType> values;
    for (const float value : random_values<float>(count, seed)) {
      values.push_back(static_cast<TestType>(value));
    }
    return values;
  };
  const auto weight = factors(rows * depth, 1);
  const auto input = factors(columns * depth, 2);
  const auto bias = random_values<Scalar>(rows, 3);
  const Scalar alpha = static_cast<Scalar>(0.5);
  Products<TestType, Scalar> products;
  for (const cublasLtEpilogue_t epilogue :
       {CUBLASLT_EPILOGUE_DEFAULT, CUBLASLT_EPILOGUE_BIAS, CUBLASLT_EPILOGUE_RELU_BIAS}) {
    CAPTURE(epilogue);
    auto product = products.find({.rows = rows,
                                  .columns = columns,
                                  .depth = depth,
                                  .left_operation = CUBLAS_OP_T,
                                  .right_operation = CUBLAS_OP_N,
                                  .epilogue = epilogue});
    if (!product && epilogue != CUBLASLT_EPILOGUE_DEFAULT) {
      std::cout << "cuBLASLt has no epilogue " << epilogue << " for factors of " << sizeof(TestType) << " bytes\n";
      continue;
    }
    REQUIRE(product);
    std::vector<double> expected(rows * columns);
    for (std::size_t c = 0; c < columns; ++c) {
      for (std::size_t r = 0; r < rows; ++r) {
        double sum = 0.0;
        for (std::size_t k = 0; k < depth; ++k) {
          sum += static_cast<double>(static_cast<Scalar>(weight[r * depth + k])) *
                 static_cast<double>(static_cast<Scalar>(input[c * depth + k]));
        }
        sum *= static_cast<double>(alpha);
        sum += epilogue == CUBLASLT_EPILOGUE_DEFAULT ? 0.0 : static_cast<double>(bias[r]);
        expected[c * rows + r] = epilogue == CUBLASLT_EPILOGUE_RELU_BIAS ? std::max(0.0, sum) : sum;
      }
    }
    auto read = bias;
    const auto found = products.run(*product, weight, input, read, rows * columns, alpha);
    // Far below what products of floats rounded to TF32 would miss.
    CHECK(largest_difference(found, expected) < (sizeof(Scalar) == 4 ? 3e-5 : 1e-13));
    CHECK(same_bits(read, bias));
    CHECK(same_bits(products.run(*product, weight, input, read, rows * columns, alpha), found));
  }
}

// As a Linear asks for its weight's gradient: input (depth, rows) and output gradient (depth, columns), both row-major.
TEMPLATE_TEST_CASE("a bias's gradient beside a weight's on the device", "[graph][device]", Bfloat16, float, double) {
  RETORT_REQUIRE_CUDA_DEVICE();
  using Scalar = typename ScalarOf<TestType>::type;
  std::vector<TestType> input;
  std::vector<TestType> gradient;
  for (const float value : random_values<float>(depth * rows, 1)) {
    input.push_back(static_cast<TestType>(value));
  }
  for (const float value : random_values<float>(depth * columns, 2)) {
    gradient.push_back(static_cast<TestType>(value));
  }
  Products<TestType, Scalar> products;
  auto product = products.find({.rows = rows,
                                .columns = columns,
                                .depth = depth,
                                .left_operation = CUBLAS_OP_N,
                                .right_operation = CUBLAS_OP_T,
                                .epilogue = CUBLASLT_EPILOGUE_BGRADB});
  if (!product) {
    std::cout << "cuBLASLt has no epilogue BGRADB for factors of " << sizeof(TestType) << " bytes\n";
    return;
  }
  std::vector<double> sums(columns);
  std::vector<double> expected(rows * columns);
  for (std::size_t k = 0; k < depth; ++k) {
    for (std::size_t c = 0; c < columns; ++c) {
      const auto factor = static_cast<double>(static_cast<Scalar>(gradient[k * columns + c]));
      sums[c] += factor;
      for (std::size_t r = 0; r < rows; ++r) {
        expected[c * rows + r] += factor * static_cast<double>(static_cast<Scalar>(input[k * rows + r]));
      }
    }
  }
  std::vector<Scalar> bias_gradient(columns);
  const auto found = products.run(*product, input, gradient, bias_gradient, rows * columns, Scalar{1});
  CHECK(largest_difference(found, expected) < (sizeof(Scalar) == 4 ? 3e-5 : 1e-13));
  CHECK(largest_difference(bias_gradient, sums) < (sizeof(Scalar) == 4 ? 3e-5 : 1e-13));
  // LtProducts does not rely on either.
  (void)products.run(*product, input, gradient, bias_gradient, rows * columns, static_cast<Scalar>(0.5));
  std::cout << "BGRADB of factors of " << sizeof(TestType) << " bytes is "
            << (largest_difference(bias_gradient, sums) < 1e-3 ? "not " : "") << "scaled by alpha\n";
}

TEST_CASE("a handle of cuBLASLt needs a device", "[graph]") {
  if (retort::test::no_cuda_device().empty()) {
    return;
  }
  const std::string error = retort::test::error_of([] { (void)create_lt_handle(0); });
  CHECK(retort::test::contains(error, "CUDA"));
  CHECK(error.find('\n') == std::string::npos);
}

}  // namespace
