// SPDX-License-Identifier: MIT
#pragma once
/// @file
/// A device whose kernels are run on the host, by their PTX. nvcc reads this and makes a kernel of each function object
/// that a backend calls; the host's compiler reads it and looks up the kernel by the object's type.

#include <algorithm>
#include <cstddef>
#include <cstring>
#include <source_location>
#include <span>
#include <string>
#include <type_traits>
#include <typeinfo>
#include <utility>
#include <vector>

#include "retort/backend/cuda/graph/column_sums.hpp"
#include "retort/backend/cuda/graph/epilogue.hpp"
#include "retort/backend/cuda/graph/linear_spec.hpp"
#include "retort/backend/cuda/graph/operand.hpp"
#include "retort/backend/cuda/graph/system_traits.hpp"
#include "retort/backend/thrust/host_system.hpp"
#include "retort/backend/thrust/thrust.hpp"
#include "retort/core/aligned_buffer.hpp"
#include "retort/core/matrix_view.hpp"

namespace retort {

namespace test::ptx {

// The device's memory (emulated_device.cpp).
void add_to_device(const void* data, std::size_t bytes, std::size_t cell_size);
void remove_from_device(const void* data, std::size_t bytes);
void mark_written(const void* data, std::size_t bytes);
/// Calls function(index) for all indices below `count`, by the kernel of the object's type.
void launch_each(const std::type_info& type, const void* function, std::size_t count);

#ifdef __CUDACC__
template <typename Function>
__global__ void each(Function function, std::size_t count) {
  const std::size_t index = static_cast<std::size_t>(blockIdx.x) * blockDim.x + threadIdx.x;
  if (index < count) {
    function(index);
  }
}
#endif

/// What nobody wrote may not be read by a kernel.
template <typename T>
class DeviceArray {
 public:
  DeviceArray() = default;
  explicit DeviceArray(std::size_t size) : memory_(size) { add(); }
  DeviceArray(const DeviceArray& other) : memory_(other.memory_) {
    add();
    mark_written(data(), size() * sizeof(T));
  }
  DeviceArray(DeviceArray&& other) noexcept = default;
  DeviceArray& operator=(DeviceArray other) noexcept {
    std::swap(memory_, other.memory_);
    return *this;
  }
  ~DeviceArray() { remove_from_device(data(), size() * sizeof(T)); }

  T* data() { return memory_.data(); }
  const T* data() const { return memory_.data(); }
  std::size_t size() const { return memory_.size(); }

 private:
  void add() { add_to_device(data(), size() * sizeof(T), sizeof(T) < 4 ? sizeof(T) : 4); }

  AlignedBuffer<T> memory_;
};

/// result(row, column) = scale times the sum over k of left(row, k) right(k, column), rounded once.
template <typename Scalar, typename Left, typename Right>
void exact_product(std::size_t depth, double scale, const Left& left, const Right& right, MatrixView<Scalar> result) {
  for (std::size_t row = 0; row < result.rows; ++row) {
    for (std::size_t column = 0; column < result.columns; ++column) {
      double sum = 0;
      for (std::size_t k = 0; k < depth; ++k) {
        sum += left(row, k) * right(k, column);
      }
      result.data[row * result.columns + column] = static_cast<Scalar>(sum * scale);
    }
  }
  mark_written(result.data, result.rows * result.columns * sizeof(Scalar));
}

template <typename Factor>
double number(Factor factor) {
  if constexpr (std::is_same_v<Factor, double>) {
    return factor;
  } else {
    return static_cast<double>(static_cast<float>(factor));
  }
}
template <typename Factor>
auto element_of(MatrixView<const Factor> matrix) {
  return [matrix](std::size_t row, std::size_t column) { return number(matrix.data[row * matrix.columns + column]); };
}
template <typename Factor>
auto element_of_transposed(MatrixView<const Factor> matrix) {
  return [matrix](std::size_t row, std::size_t column) { return number(matrix.data[column * matrix.columns + row]); };
}

}  // namespace test::ptx

namespace system {

/// Sums of products are exact, so that what follows is of the same numbers.
template <typename System>
concept HasExactProducts = requires { typename System::ExactProducts; };

/// The same on the host, without PTX.
struct Twin : HostSystem {
  static constexpr const char* name = "twin";
  struct ExactProducts {};
  struct Options {};

  explicit Twin(const Options& /*options*/) {}

  std::string describe() const { return name; }

  template <typename Function>
  void for_each(std::size_t count, const Function& function) const {
    for (std::size_t index = 0; index < count; ++index) {
      function(index);
    }
  }
};

struct Emulated {
  struct ExactProducts {};
  static constexpr const char* name = "emulated";
  static constexpr bool host_memory = false;
  static constexpr std::size_t report_interval = 64;
  static constexpr std::size_t elements_per_call = 1;
  static constexpr std::size_t inference_batch = 256;

  struct Options {};

  template <typename T>
  using Buffer = test::ptx::DeviceArray<T>;

  explicit Emulated(const Options& /*options*/) {}

  std::string describe() const { return name; }
  bool shares_memory_with(const Emulated& /*other*/) const { return true; }

  template <typename T>
  Buffer<T> allocate(std::size_t count) const {
    return Buffer<T>(count);
  }

  template <typename Function>
  void for_each(std::size_t count, const Function& function, const std::source_location& /*where*/) const {
#ifdef __CUDACC__
    test::ptx::each<<<1, 1>>>(function, count);
#else
    test::ptx::launch_each(typeid(Function), &function, count);
#endif
  }
};

template <typename T>
void copy_to_host(const Emulated& /*system*/, const T* from, std::span<T> to) {
  std::memcpy(to.data(), from, to.size_bytes());
}

template <typename T>
void copy_from_host(const Emulated& /*system*/, std::span<const T> from, T* to) {
  if (!from.empty()) {
    std::memcpy(to, from.data(), from.size_bytes());
    test::ptx::mark_written(to, from.size_bytes());
  }
}

template <typename T>
void fill_zero(const Emulated& /*system*/, T* values, std::size_t count) {
  if (count > 0) {
    std::memset(values, 0, count * sizeof(T));
    test::ptx::mark_written(values, count * sizeof(T));
  }
}

}  // namespace system

namespace backend {

// The products of a Linear, which on a GPU are cuBLAS's; see generic/product.hpp.

template <system::HasExactProducts System, typename Scalar>
void forward_product(const Thrust<System>& /*backend*/, MatrixView<const Scalar> input, MatrixView<const Scalar> weight,
                     MatrixView<Scalar> output) {
  test::ptx::exact_product(input.columns, 1.0, test::ptx::element_of(input), test::ptx::element_of_transposed(weight),
                           output);
}

template <system::HasExactProducts System, typename Scalar>
void weight_gradient_product(const Thrust<System>& /*backend*/, MatrixView<const Scalar> input,
                             MatrixView<const Scalar> output_gradient, MatrixView<Scalar> weight_gradient) {
  test::ptx::exact_product(input.rows, 1.0, test::ptx::element_of_transposed(output_gradient),
                           test::ptx::element_of(input), weight_gradient);
}

template <system::HasExactProducts System, typename Scalar>
void input_gradient_product(const Thrust<System>& /*backend*/, MatrixView<const Scalar> weight,
                            MatrixView<const Scalar> output_gradient, MatrixView<Scalar> input_gradient) {
  test::ptx::exact_product(weight.rows, 1.0, test::ptx::element_of(output_gradient), test::ptx::element_of(weight),
                           input_gradient);
}

template <system::HasExactProducts System, typename Scalar>
void column_sums(const Thrust<System>& /*backend*/, MatrixView<const Scalar> values, Scalar* sums) {
  const auto one = [](std::size_t, std::size_t) { return 1.0; };
  test::ptx::exact_product(values.rows, 1.0, one, test::ptx::element_of(values),
                           MatrixView<Scalar>(sums, 1, values.columns));
}

namespace graph {

/// The interface of HostProducts; what cuBLASLt has no epilogue for is the same kernels.
template <typename System, typename Scalar, Precision precision>
class ExactProducts {
 public:
  using Factor = Operand<Scalar, precision>;

  ExactProducts(const Thrust<System>& backend, std::span<const LinearSpec> linears, std::size_t capacity)
      : linears_(linears.begin(), linears.end()) {
    std::size_t sums = 0;
    for (const LinearSpec& linear : linears_) {
      sums = std::max(sums, column_sum_scratch_size(capacity, linear.out));
    }
    column_sums_ = backend.template allocate<Scalar>(sums);
  }

  void prepare(const Thrust<System>& /*backend*/, std::size_t /*batch*/) {}

  void forward(const Thrust<System>& backend, std::size_t index, MatrixView<const Factor> input,
               const LinearTensors<const Factor, const Scalar>& linear, Scalar scale, MatrixView<Scalar> output) {
    test::ptx::exact_product(input.columns, static_cast<double>(scale), test::ptx::element_of(input),
                             test::ptx::element_of_transposed(linear.weight), output);
    const LinearSpec& spec = linears_[index];
    apply_epilogue(backend, spec.adds_bias ? linear.bias : nullptr, spec.applies_relu, output);
  }

  void gradients(const Thrust<System>& backend, std::size_t /*index*/, MatrixView<const Factor> input,
                 MatrixView<const Factor> output_gradient, Scalar scale,
                 const LinearTensors<Scalar, Scalar>& gradients) {
    test::ptx::exact_product(input.rows, static_cast<double>(scale), test::ptx::element_of_transposed(output_gradient),
                             test::ptx::element_of(input), gradients.weight);
    if (gradients.bias != nullptr) {
      sum_columns(backend, output_gradient, column_sums_.data(), gradients.bias);
    }
  }

  void input_gradient(const Thrust<System>& /*backend*/, std::size_t /*index*/, MatrixView<const Factor> weight,
                      MatrixView<const Factor> output_gradient, MatrixView<Scalar> input_gradient) {
    test::ptx::exact_product(weight.rows, 1.0, test::ptx::element_of(output_gradient), test::ptx::element_of(weight),
                             input_gradient);
  }

 private:
  std::vector<LinearSpec> linears_;
  typename Thrust<System>::template Buffer<Scalar> column_sums_{};
};

template <typename System, typename Scalar, Precision precision>
struct ExactTraits {
  using Products = ExactProducts<System, Scalar, precision>;
  template <typename Key>
  using Runner = ImmediateRunner<System, Key>;
};
template <typename Scalar, Precision precision>
struct SystemTraits<system::Emulated, Scalar, precision> : ExactTraits<system::Emulated, Scalar, precision> {};
template <typename Scalar, Precision precision>
struct SystemTraits<system::Twin, Scalar, precision> : ExactTraits<system::Twin, Scalar, precision> {};

}  // namespace graph

}  // namespace backend

}  // namespace retort
