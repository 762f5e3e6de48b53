// SPDX-License-Identifier: MIT
#include "retort/backend/cuda/runtime/products.hpp"

#include <array>
#include <cstddef>
#include <limits>
#include <memory>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "backend/cuda/runtime/cuda_device.hpp"
#include "catch.hpp"
#include "random_values.hpp"
#include "retort/backend/cuda/runtime/buffer.hpp"
#include "retort/backend/cuda/runtime/copy.hpp"

namespace {

using namespace retort::backend::cuda;
using retort::backend::LinearSizes;
using retort::test::error_of;
using retort::test::largest_difference;
using retort::test::random_values;
using retort::test::same_bits;

constexpr std::array linear_sizes{LinearSizes{1, 1, 1},    LinearSizes{3, 5, 7},      LinearSizes{64, 784, 20},
                                  LinearSizes{64, 20, 10}, LinearSizes{33, 1200, 10}, LinearSizes{257, 130, 129}};

/// result[i][j] = alpha sum over k of left(i, k) right(k, j) + beta before[i][j], in double.
template <typename Scalar, typename Left, typename Right>
std::vector<double> host_product(std::size_t rows, std::size_t columns, std::size_t depth, const Left& left,
                                 const Right& right, const std::vector<Scalar>& before, double alpha, double beta) {
  std::vector<double> result(rows * columns);
  for (std::size_t i = 0; i < rows; ++i) {
    for (std::size_t j = 0; j < columns; ++j) {
      double sum = 0.0;
      for (std::size_t k = 0; k < depth; ++k) {
        sum += static_cast<double>(left(i, k)) * static_cast<double>(right(k, j));
      }
      result[i * columns + j] = alpha * sum + (beta == 0.0 ? 0.0 : beta * static_cast<double>(before[i * columns + j]));
    }
  }
  return result;
}

/// Far below what products of rounded (TF32) operands would miss.
template <typename Scalar>
double tolerance(std::size_t depth) {
  return (sizeof(Scalar) == 4 ? 2e-7 : 4e-16) * (static_cast<double>(depth) + 10.0);
}

template <typename Scalar>
struct Device {
  std::shared_ptr<CudaContext> context = CudaContext::create();

  DeviceBuffer<Scalar> put(const std::vector<Scalar>& values) const {
    DeviceBuffer<Scalar> buffer(context, values.size());
    copy_from_host(*context, std::span<const Scalar>{values}, buffer.data());
    return buffer;
  }
  std::vector<Scalar> get(const DeviceBuffer<Scalar>& buffer) const {
    std::vector<Scalar> values(buffer.size());
    copy_to_host(*context, buffer.data(), std::span<Scalar>{values});
    return values;
  }
};

TEMPLATE_TEST_CASE("The products of a linear layer are those of a plain loop", "[backend][device]", float, double) {
  RETORT_REQUIRE_CUDA_DEVICE();
  using Scalar = TestType;
  const Device<Scalar> device;
  for (const LinearSizes& sizes : linear_sizes) {
    const auto [batch, in, out] = sizes;
    CAPTURE(batch, in, out);
    const auto x = random_values<Scalar>(batch * in, 1);
    const auto w = random_values<Scalar>(out * in, 2);
    const auto dy = random_values<Scalar>(batch * out, 3);
    const auto device_x = device.put(x);
    const auto device_w = device.put(w);
    const auto device_dy = device.put(dy);
    const auto x_at = [&, in = in](std::size_t i, std::size_t j) { return x[i * in + j]; };
    const auto w_at = [&, in = in](std::size_t i, std::size_t j) { return w[i * in + j]; };
    const auto dy_at = [&, out = out](std::size_t i, std::size_t j) { return dy[i * out + j]; };
    for (const auto& [alpha, beta] : {std::pair{1.0, 0.0}, std::pair{1.0, 1.0}, std::pair{-0.5, 2.0}}) {
      CAPTURE(alpha, beta);
      const auto a = static_cast<Scalar>(alpha);
      const auto b = static_cast<Scalar>(beta);
      {
        const auto before = random_values<Scalar>(batch * out, 4);
        auto y = device.put(before);
        forward_product(*device.context, sizes, device_x.data(), device_w.data(), y.data(), a, b);
        const auto expected = host_product(
            batch, out, in, x_at, [&](std::size_t k, std::size_t j) { return w_at(j, k); }, before, alpha, beta);
        CHECK(largest_difference(device.get(y), expected) < tolerance<Scalar>(in));
      }
      {
        const auto before = random_values<Scalar>(out * in, 5);
        auto dw = device.put(before);
        weight_gradient_product(*device.context, sizes, device_dy.data(), device_x.data(), dw.data(), a, b);
        const auto expected = host_product(
            out, in, batch, [&](std::size_t i, std::size_t k) { return dy_at(k, i); }, x_at, before, alpha, beta);
        CHECK(largest_difference(device.get(dw), expected) < tolerance<Scalar>(batch));
      }
      {
        const auto before = random_values<Scalar>(batch * in, 6);
        auto dx = device.put(before);
        input_gradient_product(*device.context, sizes, device_dy.data(), device_w.data(), dx.data(), a, b);
        const auto expected = host_product(batch, in, out, dy_at, w_at, before, alpha, beta);
        CHECK(largest_difference(device.get(dx), expected) < tolerance<Scalar>(out));
      }
      {
        const auto before = random_values<Scalar>(out, 7);
        auto db = device.put(before);
        column_sums(*device.context, batch, out, device_dy.data(), db.data(), a, b);
        const auto expected =
            host_product(1, out, batch, [](std::size_t, std::size_t) { return 1.0; }, dy_at, before, alpha, beta);
        CHECK(largest_difference(device.get(db), expected) < tolerance<Scalar>(batch));
      }
    }
  }
}

TEMPLATE_TEST_CASE("A product repeats bit for bit, in every context", "[backend][device]", float, double) {
  RETORT_REQUIRE_CUDA_DEVICE();
  using Scalar = TestType;
  for (const LinearSizes& sizes : linear_sizes) {
    const auto run = [&](const Device<Scalar>& device) {
      const auto x = device.put(random_values<Scalar>(sizes.batch * sizes.in, 1));
      const auto dy = device.put(random_values<Scalar>(sizes.batch * sizes.out, 2));
      DeviceBuffer<Scalar> dw(device.context, sizes.out * sizes.in);
      DeviceBuffer<Scalar> db(device.context, sizes.out);
      weight_gradient_product(*device.context, sizes, dy.data(), x.data(), dw.data());
      column_sums(*device.context, sizes.batch, sizes.out, dy.data(), db.data());
      auto result = device.get(dw);
      const auto sums = device.get(db);
      result.insert(result.end(), sums.begin(), sums.end());
      return result;
    };
    const Device<Scalar> first;
    const Device<Scalar> second;
    const auto expected = run(first);
    CHECK(same_bits(run(first), expected));
    CHECK(same_bits(run(second), expected));
  }
}

TEST_CASE("With beta 0 what stood in the result before is not read", "[backend][device]") {
  RETORT_REQUIRE_CUDA_DEVICE();
  const Device<float> device;
  const LinearSizes sizes{2, 3, 4};
  const auto x = device.put(std::vector<float>(6, 1.0f));
  const auto w = device.put(std::vector<float>(12, 2.0f));
  auto y = device.put(std::vector<float>(8, std::numeric_limits<float>::quiet_NaN()));
  forward_product(*device.context, sizes, x.data(), w.data(), y.data());
  CHECK(device.get(y) == std::vector<float>(8, 6.0f));
  auto sums = device.put(std::vector<float>(3, std::numeric_limits<float>::quiet_NaN()));
  column_sums(*device.context, 2, 3, x.data(), sums.data());
  CHECK(device.get(sums) == std::vector<float>(3, 2.0f));
}

TEST_CASE("Sizes that cuBLAS cannot count are refused by name", "[backend]") {
  constexpr std::size_t most = 2'147'483'647;
  CHECK(detail::blas_size(1, "batch") == 1);
  CHECK(detail::blas_size(most, "batch") == 2'147'483'647);
  CHECK(error_of<retort::ShapeError>([] { detail::blas_size(0, "batch"); }) ==
        "cuBLAS: batch is 0, expected 1 to 2147483647");
  CHECK(error_of<retort::ShapeError>([] { const detail::BlasSizes sizes({1, most + 1, 1}); }) ==
        "cuBLAS: in is 2147483648, expected 1 to 2147483647");
  CHECK(error_of<retort::ShapeError>([] { const detail::BlasSizes sizes({1, 1, std::size_t{1} << 32}); }) ==
        "cuBLAS: out is 4294967296, expected 1 to 2147483647");
}

}  // namespace
