// SPDX-License-Identifier: MIT
#include "retort/nn/sequential.hpp"

#include <array>
#include <cstddef>
#include <string_view>
#include <type_traits>

#include "catch.hpp"
#include "retort/nn/batch_norm.hpp"
#include "retort/nn/dropout.hpp"
#include "retort/nn/gelu.hpp"
#include "retort/nn/gelu_tanh.hpp"
#include "retort/nn/layer_norm.hpp"
#include "retort/nn/leaky_relu.hpp"
#include "retort/nn/linear.hpp"
#include "retort/nn/relu.hpp"
#include "retort/nn/sigmoid.hpp"
#include "retort/nn/silu.hpp"
#include "retort/nn/tanh.hpp"

namespace {

using namespace retort;

using Teacher =
    Sequential<Linear<784, 1200>, Dropout<0.5>, ReLU, Linear<1200, 1200>, Dropout<0.5>, ReLU, Linear<1200, 10>>;
using Student = Sequential<Linear<784, 20>, ReLU, Linear<20, 20>, ReLU, Linear<20, 10>>;
using Mixed = Sequential<Dropout<0.2>, Linear<7, 5, Bias::no>, BatchNorm<5>, GELU, LayerNorm<5>, Linear<5, 3>, Tanh>;

// What follows from a model's type is known before the program runs.
static_assert(Teacher::parameter_count == 2'395'210);
static_assert(Student::parameter_count == 16'330);
static_assert(Teacher::flops == 2 * (784 * 1200 + 1200 * 1200 + 1200 * 10));
static_assert(Student::flops == 2 * (784 * 20 + 20 * 20 + 20 * 10));
static_assert(Teacher::input_size == 784 && Teacher::output_size == 10 && Teacher::layer_count == 7);
static_assert(std::is_empty_v<Teacher>);

static_assert(Mixed::widths == std::array<std::size_t, 8>{7, 7, 5, 5, 5, 5, 3, 3});
static_assert(Mixed::parameter_count == 7 * 5 + 2 * 5 + 2 * 5 + (5 * 3 + 3));
static_assert(Mixed::layer_names ==
              std::array<std::string_view, 7>{"Dropout", "Linear", "BatchNorm", "GELU", "LayerNorm", "Linear", "Tanh"});
static_assert(Mixed::layer_flops == std::array<std::size_t, 7>{0, 70, 0, 0, 0, 30, 0});
static_assert(std::is_same_v<Mixed::LayerAt<2>, BatchNorm<5>>);

static_assert(Student::minimum_batch == 1);
static_assert(Mixed::minimum_batch == 2);
static_assert(Student::first_trained_layer == 0);
static_assert(Mixed::first_trained_layer == 1);
static_assert(Sequential<Dropout<0.2>, ReLU, Linear<3, 2>>::first_trained_layer == 2);

static_assert(Linear<7, 5>::parameters.size() == 2 && Linear<7, 5, Bias::no>::parameters.size() == 1);
static_assert(Layer<Linear<1, 1>> && Layer<ReLU> && Layer<LeakyReLU<>> && Layer<LeakyReLU<0.2>> && Layer<GELU> &&
              Layer<GELUTanh> && Layer<SiLU> && Layer<Tanh> && Layer<Sigmoid> && Layer<Dropout<0.0>> &&
              Layer<LayerNorm<1>> && Layer<BatchNorm<1>>);
static_assert(!Layer<int> && !Layer<Teacher>);
static_assert(Model<Teacher> && !Model<ReLU>);

template <std::size_t N>
void check_layout(const std::array<TensorInfo, N>& tensors, std::size_t arena_size) {
  std::size_t end = 0;
  for (const TensorInfo& tensor : tensors) {
    CAPTURE(tensor.full_name());
    CHECK(tensor.offset % tensor_alignment == 0);
    CHECK(tensor.offset >= end);
    CHECK(tensor.offset < end + tensor_alignment);
    end = tensor.offset + tensor.count();
  }
  CHECK(end <= arena_size);
  CHECK(arena_size < end + tensor_alignment);
}

TEST_CASE("Tensors lie behind one another on aligned offsets", "[nn]") {
  check_layout(Teacher::parameters, Teacher::parameter_arena_size);
  check_layout(Student::parameters, Student::parameter_arena_size);
  check_layout(Mixed::parameters, Mixed::parameter_arena_size);
  check_layout(Mixed::buffers, Mixed::buffer_arena_size);
  CHECK(Teacher::buffers.empty());
  CHECK(Teacher::buffer_arena_size == 0);
}

TEST_CASE("A layer's offset is its first tensor's, or the next one's where it has none", "[nn]") {
  for (std::size_t layer = 0; layer <= Mixed::layer_count; ++layer) {
    std::size_t expected = Mixed::parameter_arena_size;
    for (std::size_t i = Mixed::parameters.size(); i-- > 0;) {
      expected = Mixed::parameters[i].layer >= layer ? Mixed::parameters[i].offset : expected;
    }
    CAPTURE(layer);
    CHECK(Mixed::parameter_offset(layer) == expected);
  }
  CHECK(Mixed::buffer_offset(2) == 0);
  CHECK(Mixed::buffer_offset(3) == Mixed::buffer_arena_size);
}

TEST_CASE("Tensors have the names and shapes of PyTorch's state dict", "[nn]") {
  constexpr std::array<std::string_view, 7> names{"1.weight", "2.weight", "2.bias", "4.weight",
                                                  "4.bias",   "5.weight", "5.bias"};
  REQUIRE(Mixed::parameters.size() == names.size());
  for (std::size_t i = 0; i < names.size(); ++i) {
    CHECK(Mixed::parameters[i].full_name() == names[i]);
  }
  REQUIRE(Mixed::buffers.size() == 3);
  CHECK(Mixed::buffers[0].full_name() == "2.running_mean");
  CHECK(Mixed::buffers[1].full_name() == "2.running_var");
  CHECK(Mixed::buffers[2].full_name() == "2.num_batches_tracked");
  CHECK(Mixed::buffers[2].spec.integral);
  CHECK(Mixed::buffers[2].spec.rank == 0);
  CHECK(Mixed::buffers[2].count() == 1);

  const TensorSpec& weight = Mixed::parameters[5].spec;
  CHECK(weight.rank == 2);
  CHECK(weight.extents[0] == 3);  // (out, in)
  CHECK(weight.extents[1] == 5);
  const TensorSpec& bias = Mixed::parameters[6].spec;
  CHECK(bias.rank == 1);
  CHECK(bias.extents[0] == 3);
  CHECK(bias.fan_in == 5);
}

TEST_CASE("A layer's index may have more than one digit", "[nn]") {
  using Deep = Sequential<Linear<2, 2>, ReLU, ReLU, ReLU, ReLU, ReLU, ReLU, ReLU, ReLU, ReLU, Linear<2, 2>>;
  CHECK(Deep::parameters.back().full_name() == "10.bias");
}

}  // namespace
