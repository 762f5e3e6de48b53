// SPDX-License-Identifier: MIT
// The kernels of GraphSteps and of the operations around it, for the host to read as PTX.

#include "ptx/emulated_system.hpp"
#include "ptx/graph_cases.hpp"

template retort::test::TrainedSteps retort::test::ptx::train_graph_case<retort::system::Emulated>(GraphCase,
                                                                                                  const StepSettings&);
