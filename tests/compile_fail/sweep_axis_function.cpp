// SPDX-License-Identifier: MIT
// A sweep over a function that is not one of a setting.
// expect: retort: an axis is a pointer to a field, or a function of this SweepSetting

#include "retort/retort.hpp"

using Loss = retort::SwappedLogits<retort::HintonLoss>;

auto settings() {
  return retort::sweep_grid(
      retort::SweepSetting<Loss>{},
      retort::SweepAxis{[](retort::HintonLoss& loss) -> double& { return loss.temperature; }, {1, 2}});
}
