// SPDX-License-Identifier: MIT
// Class weights around a loss with a hint, which would lose the hint.
// expect: retort: weigh the loss of logits: WithTerm{ClassWeighted{...}, term}

#include "retort/retort.hpp"

using Weighted = retort::ClassWeighted<retort::WithTerm<retort::HintonLoss, retort::Hint<1, 1>>, 3>;
const Weighted loss{{}, {1.0, 1.0, 1.0}};
