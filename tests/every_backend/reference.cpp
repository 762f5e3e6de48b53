// SPDX-License-Identifier: MIT
#include "every_backend/candidate_of.hpp"
#include "plain_backend/plain.hpp"

namespace retort::test {

const Operations& reference_operations() {
  static const OperationsOf<plain::Plain, double> operations{plain::Plain{}};
  return operations;
}

const Trainings& reference_trainings() {
  static const TrainingsOf<plain::Plain, double> trainings{plain::Plain{}};
  return trainings;
}

}  // namespace retort::test
