// SPDX-License-Identifier: MIT
#include <cstdio>
#include <filesystem>
#include <retort/retort.hpp>

namespace rt = retort;

using Teacher = rt::Sequential<rt::Linear<784, 1200>, rt::Dropout<0.5>, rt::ReLU,   // 28 x 28 pixels
                               rt::Linear<1200, 1200>, rt::Dropout<0.5>, rt::ReLU,  // hidden layers of 1,200 units
                               rt::Linear<1200, 10>>;
using Student = rt::Sequential<rt::Linear<784, 20>, rt::ReLU,  // the same pixels
                               rt::Linear<20, 20>, rt::ReLU,   // hidden layers of 20 units
                               rt::Linear<20, 10>>;
static_assert(Student::parameter_count == 16'330);

int main() {
  rt::require_writable("student.safetensors");  // before the work
  if (std::filesystem::exists("student.safetensors")) {
    std::puts("student.safetensors is there, and will be replaced");
  }
  const auto [train, test] = rt::data::load_mnist("data/mnist");
  const auto few = rt::data::random_split(train, 0.05, rt::Seed{0}).first;  // 3,000 images, all the students have
  const rt::backend::Eigen cpu{2};  // threads; the results do not depend on them
  const rt::LinearWarmup schedule{.steps = 800, .then = rt::CosineSchedule{}};
  const rt::Adam adam{.learning_rate = 5e-3};
  rt::ProgressPrinter progress{"teacher"};

  rt::Network<Teacher> teacher{rt::Seed{0}, cpu};
  rt::Trainer{teacher, rt::CrossEntropy{}, rt::Adam{.learning_rate = 1e-3}}.fit(
      train, test, {.epochs = 4, .schedule = schedule, .observers = {&progress}});

  // Two students, equal but for what they learn from: the labels alone, or the teacher's answers too.
  rt::Network<Student> alone{rt::Seed{1}, cpu};
  rt::Trainer{alone, rt::CrossEntropy{}, adam}.fit(few, {.epochs = 60, .schedule = schedule});

  rt::Network<Student> distilled{rt::Seed{1}, cpu};
  rt::DistillationTrainer{teacher, distilled, rt::HintonLoss{.temperature = 4, .hard_weight = 0.3}, adam}.fit(
      few, {.epochs = 60, .schedule = schedule});

  std::printf("errors on %zu test images: student alone %zu, distilled %zu\n", test.size(),
              rt::evaluate(alone, test).errors, rt::evaluate(distilled, test).errors);
  rt::io::save_safetensors(distilled, "student.safetensors");
  rt::flush(stdout);  // throws where what was printed did not arrive
}
