// SPDX-License-Identifier: MIT
#include <retort/retort.hpp>

namespace rt = retort;

using Teacher = rt::Sequential<rt::Linear<784, 1200>, rt::Dropout<0.5>, rt::ReLU,   //
                               rt::Linear<1200, 1200>, rt::Dropout<0.5>, rt::ReLU,  //
                               rt::Linear<1200, 10>>;
using Student = rt::Sequential<rt::Linear<784, 20>, rt::ReLU,  //
                               rt::Linear<20, 20>, rt::ReLU,   //
                               rt::Linear<20, 10>>;
static_assert(Student::parameter_count == 16'330);

int main() {
  const auto [train, test] = rt::data::load_mnist("data/mnist");
  const rt::backend::Eigen cpu{2};  // threads; the results do not depend on them
  const rt::LinearWarmup schedule{.steps = 800, .then = rt::CosineSchedule{}};
  rt::ProgressPrinter lecture{"teacher"};
  rt::ProgressPrinter lesson{"student"};

  rt::Network<Teacher> teacher{rt::Seed{0}, cpu};
  rt::Trainer{teacher, rt::CrossEntropy{}, rt::Adam{.learning_rate = 1e-3}}.fit(
      train, test, {.epochs = 4, .schedule = schedule, .observers = {&lecture}});

  rt::Network<Student> student{rt::Seed{1}, cpu};
  rt::DistillationTrainer{teacher, student, rt::HintonLoss{.temperature = 2, .hard_weight = 0.3},
                          rt::Adam{.learning_rate = 5e-3}}
      .fit(train, test, {.epochs = 12, .schedule = schedule, .observers = {&lesson}});

  rt::io::save_safetensors(student, "student.safetensors");
  rt::flush(stdout);  // throws where what was printed did not arrive
}
