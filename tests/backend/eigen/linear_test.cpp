// SPDX-License-Identifier: MIT
#include "retort/backend/eigen/linear.hpp"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <limits>
#include <vector>

#include "brief.hpp"
#include "catch.hpp"
#include "random_values.hpp"
#include "retort/backend/eigen/backend.hpp"
#include "retort/nn/layer.hpp"

namespace {

using namespace retort;
using retort::test::random_values;
using retort::test::same_bits;

// A number, and the sum of the magnitudes that it is made of: what rounding may change is a share of that.
struct Sum {
  double value = 0.0;
  double magnitude = 0.0;

  void add(double term) {
    value += term;
    magnitude += std::abs(term);
  }
};

// Whether all results equal the sums of their naive twin.
template <typename Scalar>
bool all_close(const Scalar* results, const std::vector<Sum>& expected) {
  constexpr double share = sizeof(Scalar) == 4 ? 1e-6 : 2e-15;
  for (std::size_t i = 0; i < expected.size(); ++i) {
    if (!(std::abs(static_cast<double>(results[i]) - expected[i].value) <= share * expected[i].magnitude)) {
      UNSCOPED_INFO("element " << i << " is " << results[i] << ", expected " << expected[i].value);
      return false;
    }
  }
  return true;
}

template <typename L, typename Scalar>
class Case {
 public:
  static constexpr std::size_t in = L::input_size;
  static constexpr std::size_t out = L::output_size;
  static constexpr std::size_t arena = tensor_offset(L::parameters, L::parameters.size());
  static constexpr Scalar garbage = std::numeric_limits<Scalar>::quiet_NaN();

  Case(std::size_t batch, unsigned threads)
      : batch_(batch),
        backend_(threads),
        parameters_(random_values<Scalar>(arena, 1)),
        input_(random_values<Scalar>(batch * in, 2)),
        output_gradient_(random_values<Scalar>(batch * out, 3)) {}

  std::vector<Scalar> forward() const {
    std::vector<Scalar> output(batch_ * out, garbage);
    backend::forward(backend_, L{}, backend::Width<in>{},
                     backend::ForwardArguments<Scalar>{parameters_.data(), nullptr, input_.data(), output.data(),
                                                       batch_, backend::LayerRandom{}});
    return output;
  }

  std::vector<Scalar> infer() const {
    std::vector<Scalar> output(batch_ * out, garbage);
    backend::infer(backend_, L{}, backend::Width<in>{},
                   backend::InferArguments<Scalar>{parameters_.data(), nullptr, input_.data(), output.data(), batch_});
    return output;
  }

  struct Gradients {
    std::vector<Scalar> parameters;
    std::vector<Scalar> input;
  };

  Gradients backward(bool with_input = true) const {
    Gradients result{std::vector<Scalar>(arena, garbage), std::vector<Scalar>(with_input ? batch_ * in : 0, garbage)};
    backend::backward(
        backend_, L{}, backend::Width<in>{},
        backend::BackwardArguments<Scalar>{parameters_.data(), input_.data(), nullptr, output_gradient_.data(),
                                           with_input ? result.input.data() : nullptr, result.parameters.data(), batch_,
                                           backend::LayerRandom{}});
    return result;
  }

  // The naive twins, in double.
  std::vector<Sum> expected_output() const {
    std::vector<Sum> sums(batch_ * out);
    for (std::size_t sample = 0; sample < batch_; ++sample) {
      for (std::size_t o = 0; o < out; ++o) {
        Sum sum;
        for (std::size_t i = 0; i < in; ++i) {
          sum.add(double{input_[sample * in + i]} * double{parameters_[o * in + i]});
        }
        sum.add(L::has_bias ? double{parameters_[bias_at() + (L::has_bias ? o : 0)]} : 0.0);
        sums[sample * out + o] = sum;
      }
    }
    return sums;
  }

  std::vector<Sum> expected_weight_gradient() const {
    std::vector<Sum> sums(out * in);
    for (std::size_t sample = 0; sample < batch_; ++sample) {
      for (std::size_t o = 0; o < out; ++o) {
        const double dy = output_gradient_[sample * out + o];
        for (std::size_t i = 0; i < in; ++i) {
          sums[o * in + i].add(dy * double{input_[sample * in + i]});
        }
      }
    }
    return sums;
  }

  std::vector<Sum> expected_bias_gradient() const {
    std::vector<Sum> sums(L::has_bias ? out : 0);
    for (std::size_t i = 0; i < batch_ * sums.size(); ++i) {
      sums[i % out].add(output_gradient_[i]);
    }
    return sums;
  }

  std::vector<Sum> expected_input_gradient() const {
    std::vector<Sum> sums(batch_ * in);
    for (std::size_t sample = 0; sample < batch_; ++sample) {
      for (std::size_t o = 0; o < out; ++o) {
        const double dy = output_gradient_[sample * out + o];
        for (std::size_t i = 0; i < in; ++i) {
          sums[sample * in + i].add(dy * double{parameters_[o * in + i]});
        }
      }
    }
    return sums;
  }

  static constexpr std::size_t bias_at() { return L::has_bias ? tensor_offset(L::parameters, 1) : 0; }

 private:
  std::size_t batch_;
  backend::Eigen backend_;
  std::vector<Scalar> parameters_;
  std::vector<Scalar> input_;
  std::vector<Scalar> output_gradient_;
};

template <typename L, typename Scalar>
void check_against_naive(std::size_t batch) {
  CAPTURE(L::input_size, L::output_size, L::has_bias, batch, sizeof(Scalar));
  const Case<L, Scalar> layer(batch, 1);
  const auto expected = layer.expected_output();
  const auto output = layer.forward();
  CHECK(all_close(output.data(), expected));
  CHECK(all_close(layer.infer().data(), expected));

  const auto gradients = layer.backward();
  CHECK(all_close(gradients.parameters.data(), layer.expected_weight_gradient()));
  CHECK(all_close(gradients.parameters.data() + layer.bias_at(), layer.expected_bias_gradient()));
  CHECK(all_close(gradients.input.data(), layer.expected_input_gradient()));
  CHECK(same_bits(layer.backward(false).parameters, gradients.parameters));

  // Between and behind the tensors nothing is written.
  for (std::size_t at = L::parameters[0].count(); at < (L::has_bias ? layer.bias_at() : layer.arena); ++at) {
    REQUIRE(std::isnan(gradients.parameters[at]));
  }
  for (std::size_t at = layer.bias_at() + L::output_size; L::has_bias && at < layer.arena; ++at) {
    REQUIRE(std::isnan(gradients.parameters[at]));
  }

  for (const unsigned threads : {2u, 3u, 5u}) {
    CAPTURE(threads);
    const Case<L, Scalar> shared(batch, threads);
    CHECK(same_bits(shared.forward(), output));
    const auto others = shared.backward();
    CHECK(same_bits(others.parameters, gradients.parameters));
    CHECK(same_bits(others.input, gradients.input));
  }
}

TEST_CASE("Linear equals its naive twin, with any number of threads", "[backend]") {
  for (const std::size_t batch : {1u, 2u, 17u}) {
    check_against_naive<Linear<1, 1>, float>(batch);
    check_against_naive<Linear<5, 3>, float>(batch);
    check_against_naive<Linear<33, 20, Bias::no>, float>(batch);
    check_against_naive<Linear<784, 20>, float>(batch);
    check_against_naive<Linear<37, 19>, double>(batch);
  }
}

TEST_CASE("A wide Linear, cut into strips, equals its naive twin, with any number of threads", "[backend]") {
  using Wide = Linear<784, 1200>;
  STATIC_REQUIRE(backend::detail::strip_width(1200, 784 * 1200) < 1200 / 5);
  STATIC_REQUIRE(backend::detail::strip_width(20, 784 * 20) == 20);
  for (const std::size_t batch : test::thinned<std::size_t>({1, 64, 17})) {
    check_against_naive<Wide, float>(batch);
  }
}

TEST_CASE("Strips whose last one is short equal their naive twin", "[backend]") {
  // 500 = 10 strips of 48 columns and one of 20.
  STATIC_REQUIRE(backend::detail::strip_width(500, 300 * 500) == 48);
  check_against_naive<Linear<300, 500>, double>(3);
  check_against_naive<Linear<500, 300, Bias::no>, double>(3);
}

}  // namespace
