// SPDX-License-Identifier: MIT
#include "every_backend/candidate_of.hpp"
#include "retort/backend/chain.hpp"
#include "retort/backend/generic/run_model.hpp"
#include "retort/backend/thrust/cpp.hpp"
#include "retort/nn/dropout.hpp"
#include "retort/nn/linear.hpp"
#include "retort/nn/relu.hpp"

namespace retort::test {

// A Linear and the chain behind it are one pass over memory: without the overloads the results would be the same.
using FusedLinear = Linear<784, 20>;
using FusedChain = backend::Chain<Dropout<0.5>, ReLU>;
static_assert(backend::FusesInfer<backend::Thrust<system::Cpp>, FusedLinear, FusedChain, backend::Width<784>, float>);
static_assert(backend::FusesForward<backend::Thrust<system::Cpp>, FusedLinear, FusedChain, backend::Width<784>, float>);

Candidate thrust_cpp_candidate() { return candidate_of<backend::Thrust<system::Cpp>>(); }

}  // namespace retort::test
