// SPDX-License-Identifier: MIT
#include "candidates.hpp"

#include <variant>

namespace loss_table {

namespace {

/// make(temperature) for temperatures that suit a teacher of augmented images.
template <typename Make>
auto by_temperature(const Make& make) {
  std::vector<std::variant<SomeLoss, DistLoss>> settings;
  for (const double temperature : {1.0, 2.0, 4.0}) {
    settings.emplace_back(make(temperature));
  }
  return settings;
}

}  // namespace

std::vector<Candidate> all_candidates(std::size_t epochs) {
  using namespace retort;
  const auto hinton = by_temperature([](double t) { return HintonLoss{.temperature = t, .hard_weight = 0.1}; });
  return {
      {"alone", {CrossEntropy{}}},
      {"label smoothing", {CrossEntropy{.label_smoothing = 0.05}, CrossEntropy{.label_smoothing = 0.1}}},
      {"HintonLoss", hinton},
      {"soft targets only", by_temperature([](double t) { return HintonLoss{.temperature = t, .hard_weight = 0}; })},
      {"LogitMatching", {LogitMatching{}, LogitMatching{.hard_weight = 0.5}}},
      {"Dkd", {Dkd{}, Dkd{.temperature = 2, .beta = 4}, Dkd{.temperature = 2, .beta = 1}}},
      {"Nkd", {Nkd{}, Nkd{.temperature = 2}, Nkd{.gamma = 4}}},
      {"TTM", {Ttm{}, Ttm{.exponent = 0.3, .beta = 10}, Ttm{.exponent = 0.5, .beta = 10}}},
      {"WTTM",
       {Ttm{.weighted = true}, Ttm{.exponent = 0.3, .beta = 10, .weighted = true},
        Ttm{.exponent = 0.5, .beta = 10, .weighted = true}}},
      {"Rld", {Rld{}, Rld{.temperature = 2, .beta = 4}, Rld{.temperature = 2, .beta = 1}}},
      {"standardised",
       by_temperature([](double t) { return StandardizedLogits{HintonLoss{.temperature = t, .hard_weight = 0.1}}; })},
      {"swapped",
       by_temperature([](double t) { return SwappedLogits{HintonLoss{.temperature = t, .hard_weight = 0.1}}; })},
      {"curriculum",
       {CurriculumTemperature{HintonLoss{.hard_weight = 0.1}, 1.0, 4.0, epochs},
        CurriculumTemperature{HintonLoss{.hard_weight = 0.1}, 4.0, 1.0, epochs}}},
      {"DIST", by_temperature([](double t) { return WithTerm{CrossEntropy{}, Dist{.temperature = t}}; })},
      {"teacher assistant", hinton, Source::assistant},
      {"born again", hinton, Source::alone},
  };
}

}  // namespace loss_table
