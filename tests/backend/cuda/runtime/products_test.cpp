// SPDX-License-Identifier: MIT
#include "retort/backend/cuda/runtime/products.hpp"

#include <array>
#include <cstddef>
#include <limits>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "backend/cuda/runtime/cuda_device.hpp"
#include "catch.hpp"
#include "random_values.hpp"
#include "retort/backend/cuda/runtime/buffer.hpp"
#include "retort/backend/cuda/runtime/copy.hpp"
#include "retort/core/matrix_view.hpp"

namespace {

using namespace retort::backend::cuda;
using retort::MatrixView;
using retort::test::error_of;
using retort::test::largest_difference;
using retort::test::random_values;
using retort::test::same_bits;

struct Sizes {
  std::size_t batch;
  std::size_t in;
  std::size_t out;
};

constexpr std::array linear_sizes{Sizes{1, 1, 1},    Sizes{3, 5, 7},      Sizes{64, 784, 20},
                                  Sizes{64, 20, 10}, Sizes{33, 1200, 10}, Sizes{257, 130, 129}};

/// result[i][j] = sum over k of left(i, k) right(k, j), in double.
template <typename Left, typename Right>
std::vector<double> host_product(std::size_t rows, std::size_t columns, std::size_t depth, const Left& left,
                                 const Right& right) {
  std::vector<double> result(rows * columns);
  for (std::size_t i = 0; i < rows; ++i) {
    for (std::size_t j = 0; j < columns; ++j) {
      double sum = 0.0;
      for (std::size_t k = 0; k < depth; ++k) {
        sum += static_cast<double>(left(i, k)) * static_cast<double>(right(k, j));
      }
      result[i * columns + j] = sum;
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

/// Without gaps between the rows.
template <typename Scalar>
MatrixView<const Scalar> matrix(const DeviceBuffer<Scalar>& buffer, std::size_t rows, std::size_t columns) {
  return {buffer.data(), rows, columns};
}
template <typename Scalar>
MatrixView<Scalar> matrix(DeviceBuffer<Scalar>& buffer, std::size_t rows, std::size_t columns) {
  return {buffer.data(), rows, columns};
}

TEMPLATE_TEST_CASE("The products of a linear layer are those of a plain loop", "[backend][device]", float, double) {
  RETORT_REQUIRE_CUDA_DEVICE();
  using Scalar = TestType;
  const Device<Scalar> device;
  for (const Sizes& sizes : linear_sizes) {
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
    // What stands in a result before is not read.
    const auto nothing = [&](std::size_t count) {
      return device.put(std::vector<Scalar>(count, std::numeric_limits<Scalar>::quiet_NaN()));
    };
    auto y = nothing(batch * out);
    forward_product(*device.context, matrix(device_x, batch, in), matrix(device_w, out, in), matrix(y, batch, out));
    CHECK(largest_difference(device.get(y), host_product(batch, out, in, x_at, [&](std::size_t k, std::size_t j) {
                               return w_at(j, k);
                             })) < tolerance<Scalar>(in));
    auto dw = nothing(out * in);
    weight_gradient_product(*device.context, matrix(device_x, batch, in), matrix(device_dy, batch, out),
                            matrix(dw, out, in));
    CHECK(largest_difference(device.get(dw),
                             host_product(
                                 out, in, batch, [&](std::size_t i, std::size_t k) { return dy_at(k, i); }, x_at)) <
          tolerance<Scalar>(batch));
    auto dx = nothing(batch * in);
    input_gradient_product(*device.context, matrix(device_w, out, in), matrix(device_dy, batch, out),
                           matrix(dx, batch, in));
    CHECK(largest_difference(device.get(dx), host_product(batch, in, out, dy_at, w_at)) < tolerance<Scalar>(out));
    auto db = nothing(out);
    column_sums(*device.context, matrix(device_dy, batch, out), db.data());
    CHECK(largest_difference(device.get(db), host_product(
                                                 1, out, batch, [](std::size_t, std::size_t) { return 1.0; }, dy_at)) <
          tolerance<Scalar>(batch));
  }
}

TEST_CASE("Rows of a matrix may have gaps between them", "[backend][device]") {
  RETORT_REQUIRE_CUDA_DEVICE();
  const Device<float> device;
  const auto x = device.put({1, 2, 9, 3, 4, 9});
  const auto w = device.put({1, 1, 9, 9, 0, 1, 9, 9});
  auto y = device.put(std::vector<float>(6, -1));
  forward_product(*device.context, MatrixView<const float>(x.data(), 2, 2, 3),
                  MatrixView<const float>(w.data(), 2, 2, 4), MatrixView<float>(y.data(), 2, 2, 3));
  CHECK(device.get(y) == std::vector<float>{3, 2, -1, 7, 4, -1});
  auto sums = device.put({0, 0});
  column_sums(*device.context, MatrixView<const float>(x.data(), 2, 2, 3), sums.data());
  CHECK(device.get(sums) == std::vector<float>{4, 6});
}

TEMPLATE_TEST_CASE("A product repeats bit for bit, in every context", "[backend][device]", float, double) {
  RETORT_REQUIRE_CUDA_DEVICE();
  using Scalar = TestType;
  for (const Sizes& sizes : linear_sizes) {
    const auto run = [&](const Device<Scalar>& device) {
      const auto x = device.put(random_values<Scalar>(sizes.batch * sizes.in, 1));
      const auto dy = device.put(random_values<Scalar>(sizes.batch * sizes.out, 2));
      DeviceBuffer<Scalar> dw(device.context, sizes.out * sizes.in);
      DeviceBuffer<Scalar> db(device.context, sizes.out);
      weight_gradient_product(*device.context, matrix(x, sizes.batch, sizes.in), matrix(dy, sizes.batch, sizes.out),
                              matrix(dw, sizes.out, sizes.in));
      column_sums(*device.context, matrix(dy, sizes.batch, sizes.out), db.data());
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

TEST_CASE("Sizes that cuBLAS cannot count are refused by name", "[backend]") {
  constexpr std::size_t most = 2'147'483'647;
  CHECK(detail::blas_size(1, "batch") == 1);
  CHECK(detail::blas_size(most, "batch") == 2'147'483'647);
  CHECK(error_of<retort::ShapeError>([] { detail::blas_size(0, "batch"); }) ==
        "cuBLAS: batch is 0, expected 1 to 2147483647");
  CHECK(error_of<retort::ShapeError>([] { detail::blas_size(most + 1, "in"); }) ==
        "cuBLAS: in is 2147483648, expected 1 to 2147483647");
  CHECK(error_of<retort::ShapeError>([] { detail::blas_size(std::size_t{1} << 32, "out"); }) ==
        "cuBLAS: out is 4294967296, expected 1 to 2147483647");
}

}  // namespace
