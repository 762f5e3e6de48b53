// SPDX-License-Identifier: MIT
// A sweep over a field of a loss within the loss, by a pointer.
// expect: retort: this axis is a field of neither the loss, the optimizer nor this SweepSetting

#include "retort/retort.hpp"

using Loss = retort::SwappedLogits<retort::HintonLoss>;

auto settings() {
  return retort::sweep_grid(retort::SweepSetting<Loss>{}, retort::SweepAxis{&retort::HintonLoss::temperature, {1, 2}});
}
