#include "retort/backend/eigen/panel/inference.hpp"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <limits>
#include <vector>

#include "catch.hpp"
#include "random_values.hpp"
#include "retort/backend/eigen/backend.hpp"
#include "retort/nn/dropout.hpp"
#include "retort/nn/gelu.hpp"
#include "retort/nn/network.hpp"
#include "retort/nn/relu.hpp"
#include "retort/nn/tanh.hpp"
#include "small_datasets.hpp"

namespace {

using namespace retort;

using Narrow = Sequential<Linear<35, 20>, ReLU, Linear<20, 20>, ReLU, Linear<20, 10>>;
using Odd = Sequential<Tanh, Linear<35, 33>, Dropout<0.5>, Linear<33, 1, Bias::no>, GELU, Linear<1, 7>, Dropout<0.1>>;
using Wide = Sequential<Dropout<0.2>, Linear<35, 300>, Dropout<0.5>, ReLU, Linear<300, 40>, Tanh, Linear<40, 17>, Tanh>;

template <typename Scalar>
double distance(const std::vector<Scalar>& a, const std::vector<Scalar>& b) {
  double largest = 0.0;
  for (std::size_t i = 0; i < a.size(); ++i) {
    largest = std::max(largest, std::abs(static_cast<double>(a[i]) - static_cast<double>(b[i])));
  }
  return largest;
}

template <Model M, typename Scalar>
void check_inference() {
  const Network<M, backend::Eigen, Scalar> network{Seed{4}, backend::Eigen{2}};
  const double tolerance = 200 * double{std::numeric_limits<Scalar>::epsilon()};
  for (const std::size_t batch : {std::size_t{0}, std::size_t{1}, std::size_t{2}, std::size_t{17}, std::size_t{64},
                                  std::size_t{65}, std::size_t{200}}) {
    CAPTURE(batch);
    const auto inputs = test::random_values<Scalar>(batch * M::input_size, 8);
    std::vector<Scalar> found(batch * M::output_size + 1, Scalar{99});
    std::vector<Scalar> expected(found);
    backend::panel::infer<M>(network.backend(), network.parameter_data(), inputs.data(), found.data(), batch);
    backend::detail::predict_batch_in_blocks<M>(network.backend(), network.parameter_data(), network.buffer_data(),
                                                inputs.data(), expected.data(), batch);
    CHECK(distance(found, expected) < tolerance);
    CHECK(found.back() == Scalar{99});
  }
  for (const bool bytes : {true, false}) {
    CAPTURE(bytes);
    const data::Dataset data =
        bytes ? test::noise_images(150, {5, 7}, M::output_size, 1) : test::clouds(150, 35, M::output_size, 2);
    std::vector<Scalar> found(150 * M::output_size);
    std::vector<Scalar> expected(found);
    backend::panel::infer<M>(network.backend(), network.parameter_data(), data.view(), found.data());
    backend::detail::predict_dataset_in_blocks<M>(network.backend(), network.parameter_data(), network.buffer_data(),
                                                  data.view(), expected.data());
    CHECK(distance(found, expected) < tolerance);
  }
}

TEMPLATE_TEST_CASE("Inference on panels is the inference of Eigen's operations", "[panel]", float, double) {
  check_inference<Narrow, TestType>();
  check_inference<Odd, TestType>();
  check_inference<Wide, TestType>();
}

}  // namespace
