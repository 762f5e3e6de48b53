// SPDX-License-Identifier: MIT
#include "every_backend/subject_of.hpp"
#include "plain_backend/plain.hpp"

namespace retort::test {

const Subject& reference() {
  static const SubjectOf<plain::Plain, double> subject{plain::Plain{}};
  return subject;
}

}  // namespace retort::test
