// SPDX-License-Identifier: MIT
#include <atomic>
#include <cstddef>
#include <stdexcept>

#include "catch.hpp"
#include "every_backend/candidate_of.hpp"
#include "retort/backend/thrust/omp.hpp"

TEST_CASE("An exception of one thread of OpenMP's reaches the caller", "[every_backend]") {
  const retort::system::Omp system{retort::system::Omp::Options{.threads = 3}};
  std::atomic<int> calls{0};
  CHECK_THROWS_AS(system.for_each(100,
                                  [&](std::size_t index) {
                                    ++calls;
                                    if (index % 40 == 7) {
                                      throw std::runtime_error("index 7, 47 or 87");
                                    }
                                  }),
                  std::runtime_error);
  CHECK(calls > 0);
}

namespace retort::test {

Candidate thrust_omp_candidate() {
  return candidate_of<backend::Thrust<system::Omp>>(system::Omp::Options{.threads = 2});
}

}  // namespace retort::test
