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
  rt::ProgressPrinter lecture{"teacher"};
  rt::ProgressPrinter lesson{"student"};

  rt::Network<Teacher> teacher{rt::Seed{0}, cpu};
  rt::Trainer{teacher, rt::CrossEntropy{}, rt::Adam{.learning_rate = 1e-3}}.fit(
      train, test, {.epochs = 4, .schedule = rt::CosineSchedule{}, .observers = {&lecture}});

  rt::Network<Student> student{rt::Seed{1}, cpu};
  rt::DistillationTrainer{teacher, student, rt::HintonLoss{.temperature = 2, .hard_weight = 0.1},
                          rt::Adam{.learning_rate = 3e-3}}
      .fit(train, test, {.epochs = 8, .schedule = rt::CosineSchedule{}, .observers = {&lesson}});

  rt::io::save_safetensors(student, "student.safetensors");
}
