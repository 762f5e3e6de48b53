#include "retort/backend/thrust/backend.hpp"

#include <cstddef>
#include <utility>
#include <vector>

#include "backend/thrust/serial_system.hpp"
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

}  // namespace

static_assert(backend::Backend<Backend, float> && backend::Backend<Backend, double>);

TEST_CASE("after the first epoch a training allocates nothing", "[backend]") {
  const data::Dataset images = test::noise_images(43, {4, 3}, 4, 5);
  const Backend backend;
  AllocationCounter counter(backend);
  const FitOptions options{.epochs = 4,
                           .batch_size = 8,
                           .shift = {.pixels = 1},
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
