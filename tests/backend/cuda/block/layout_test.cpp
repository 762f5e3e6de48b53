// SPDX-License-Identifier: MIT
// Where a block's memory has a model's parameters.

#include <cstddef>
#include <set>

#include "catch.hpp"
#include "retort/backend/cuda/block/layout.hpp"
#include "retort/nn/linear.hpp"
#include "retort/nn/relu.hpp"
#include "retort/nn/sequential.hpp"

namespace {

using namespace retort;
using backend::block::InputKind;
using backend::block::Layout;
using backend::block::ProductUnits;

using Mnist = Sequential<Linear<784, 20>, ReLU, Linear<20, 20>, ReLU, Linear<20, 10>>;
using Odd = Sequential<Linear<131, 13>, ReLU, Linear<13, 3>>;
using Scalar = Layout<Mnist, float, InputKind::bytes, ProductUnits::scalar>;
using Tensor = Layout<Mnist, float, InputKind::bytes, ProductUnits::tensor>;
using OddTensor = Layout<Odd, float, InputKind::bytes, ProductUnits::tensor>;

// The student's inputs are fetched ahead, each warp has a slice of its own, and Adam's moments are there.
static_assert(Tensor::samples == 64 && Tensor::input_buffers == 2 && Tensor::forward_slices<0> == 7);
static_assert(Tensor::moments_in_memory<2>);
static_assert(Tensor::weight_stride == 792 && OddTensor::weight_stride == 136 && Scalar::weight_stride == 784);

template <typename L>
void check_places() {
  std::set<std::size_t> elements;
  for (std::size_t place = 0; place < L::Model::parameter_arena_size; ++place) {
    if (L::is_parameter(place)) {
      const std::size_t element = L::element_of(place);
      REQUIRE(L::place_of(element) == place);
      REQUIRE(element < L::row_sums);
      elements.insert(element);
    }
  }
  CHECK(elements.size() >= L::Model::parameter_count);
  for (std::size_t element = 0; element < L::size; ++element) {
    REQUIRE(L::is_parameter(L::place_of(element)) == elements.contains(element));
  }
}

TEST_CASE("Each parameter has an element of a block's memory", "[block]") {
  check_places<Scalar>();
  check_places<Tensor>();
  check_places<OddTensor>();
}

}  // namespace
