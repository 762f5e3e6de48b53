// SPDX-License-Identifier: MIT
#include "retort/backend/thrust/backend.hpp"

#include <cstddef>
#include <source_location>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "backend/generic/serial_system.hpp"
#include "catch.hpp"
#include "retort/loss/hinton.hpp"
#include "retort/nn/gelu.hpp"
#include "retort/nn/network.hpp"
#include "retort/optim/adam.hpp"
#include "retort/train/distillation_trainer.hpp"
#include "small_datasets.hpp"

namespace {

using namespace retort;
using Backend = backend::Thrust<retort::system::Serial>;
using Small = Sequential<Linear<12, 9, Bias::no>, LayerNorm<9>, GELU, Dropout<0.25>, Linear<9, 8>, ReLU, Linear<8, 4>>;

/// How much the backend had allocated after each epoch.
class AllocationCounter : public Observer {
 public:
  explicit AllocationCounter(const Backend& backend) : backend_(backend) {}

  void on_epoch_end(const EpochMetrics& /*metrics*/, std::size_t /*epochs*/) override {
    counts.push_back(backend_.system().allocations);
  }

  std::vector<std::size_t> counts;

 private:
  const Backend& backend_;
};

/// A system whose launches can fail, as a device's can: it keeps which operations asked for them.
struct Launching : retort::system::HostSystem {
  [[maybe_unused]] static constexpr const char* name = "launching";
  [[maybe_unused]] static constexpr bool host_memory = false;

  struct Options {};

  explicit Launching(const Options& /*options*/) {}

  template <typename Function>
  void for_each(std::size_t count, const Function& function, const std::source_location& where) const {
    const std::string_view file = where.file_name();
    places.push_back({std::string(file.substr(file.find_last_of("/\\") + 1)), where.line()});
    for (std::size_t index = 0; index < count; ++index) {
      function(index);
    }
  }

  struct Place {
    std::string file;
    std::size_t line;
  };
  mutable std::vector<Place> places;
};

}  // namespace

static_assert(backend::Backend<Backend, float> && backend::Backend<Backend, double>);

TEST_CASE("after the first epoch a training allocates nothing", "[backend]") {
  const data::Dataset images = test::noise_images(43, {4, 3}, 4, 5);
  const Backend backend;
  AllocationCounter counter(backend);
  const FitOptions options{.epochs = 4,
                           .batch_size = 8,
                           .augmentation = {.shift = 1},
                           .clipping = GradientClipping{.max_norm = 0.5},
                           .observers = {&counter}};
  Network<Small, Backend> teacher{Seed{0}, backend};
  Network<Small, Backend> student{Seed{1}, backend};
  DistillationTrainer trainer{std::as_const(teacher), student, HintonLoss{}, Adam{}};
  trainer.fit(images, options);
  REQUIRE(counter.counts.size() == 4);
  CHECK(counter.counts[0] > 0);
  CHECK(counter.counts[1] == counter.counts[0]);
  CHECK(counter.counts[3] == counter.counts[0]);
}

TEST_CASE("copies of a handle share the system, other handles do not", "[backend]") {
  const Backend backend;
  const Backend copy = backend;
  const Backend other;
  CHECK(&copy.system() == &backend.system());
  CHECK(&other.system() != &backend.system());
  CHECK(backend.shares_memory_with(other));
}

TEST_CASE("a launch that fails can name the line of its operation", "[backend]") {
  const backend::Thrust<Launching> backend;
  const auto& places = backend.system().places;
  std::vector<float> values(3000, 1.0f);
  const auto line = std::source_location::current().line();
  backend.for_each(1, [](std::size_t) {});
  REQUIRE(places.size() == 1);
  CHECK(places[0].file == "backend_test.cpp");
  CHECK(places[0].line == line + 1);

  // Also through the helpers that several operations share.
  clip_gradients(backend, GradientClipping{}, values.data(), values.size());
  REQUIRE(places.size() > 3);  // pieces of the sum, the sum of the pieces, the clipping
  for (std::size_t i = 1; i < places.size(); ++i) {
    CHECK(places[i].file == "optimizer.hpp");
  }
  CHECK(places.back().line > places[1].line);
}
