// SPDX-License-Identifier: MIT
// A sweep over a copy of a field: the function's return type is missing.
// expect: retort: an axis.s function returns a reference to the field

#include "retort/retort.hpp"

using Loss = retort::SwappedLogits<retort::HintonLoss>;

auto settings() {
  return retort::sweep_grid(retort::SweepSetting<Loss>{},
                            retort::SweepAxis{[](auto& setting) { return setting.loss.loss.temperature; }, {1, 2}});
}
