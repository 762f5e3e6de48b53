#include <string>

#include "backend/thrust/cuda/presence.hpp"
#include "every_backend/subject_of.hpp"
#include "retort/backend/cuda/cuda.hpp"

namespace retort::test {

Candidate cuda_candidate() {
  if (const std::string reason = no_cuda_device(); !reason.empty()) {
    return {nullptr, reason};
  }
  return make_candidate<backend::Cuda>();
}

}  // namespace retort::test
