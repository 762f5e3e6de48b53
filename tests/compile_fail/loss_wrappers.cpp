// SPDX-License-Identifier: MIT
// Wrappers around losses that would lose a hint, and around losses that have not what the wrapper changes.
// expect: retort: weigh the loss of logits: WithTerm{0.5 . loss, term}
// expect: retort: add losses of logits: WithTerm{a . b, term}
// expect: retort: standardize the logits of a loss of logits: WithTerm{StandardizedLogits{...}, term}
// expect: retort: swap the logits of a loss of logits: WithTerm{SwappedLogits{...}, term}
// expect: retort: SwappedLogits swaps a teacher's logits: expected a loss that has a teacher
// expect: retort: CurriculumTemperature wants a loss with a temperature of its own: put other wrappers around it
// expect: retort: LossAfter takes losses of logits: WithTerm{LossAfter{...}, term}
// expect: retort: LossAfter wants two losses of labels, of real targets, or of yes/no targets

#include "retort/retort.hpp"

using WithHint = retort::WithTerm<retort::HintonLoss, retort::Hint<1, 1>>;
const auto weighted = 0.5 * WithHint{};
const auto sum = retort::CrossEntropy{} + WithHint{};
const retort::StandardizedLogits<WithHint> standardized{};
const retort::SwappedLogits<WithHint> swapped{};
const retort::SwappedLogits<retort::CrossEntropy> without_teacher{};
const retort::CurriculumTemperature<retort::StandardizedLogits<retort::HintonLoss>> curriculum{};
const retort::LossAfter<WithHint> after_labels{};
const retort::LossAfter<retort::BinaryHintonLoss> after_targets{};
