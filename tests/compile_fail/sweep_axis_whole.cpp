// SPDX-License-Identifier: MIT
// A sweep over halves of a teacher.
// expect: retort: this axis.s field is a whole number

#include "retort/retort.hpp"

using Loss = retort::SwappedLogits<retort::HintonLoss>;

auto settings() {
  return retort::sweep_grid(retort::SweepSetting<Loss>{},
                            retort::SweepAxis{[](auto& setting) -> auto& { return setting.teacher; }, {0.5, 1.5}});
}
