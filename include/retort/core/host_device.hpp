// SPDX-License-Identifier: MIT
#pragma once
/// @file
/// `RETORT_HOST_DEVICE` marks the scalar formulas (losses, activations, optimizers, random numbers) that a device
/// compiler may call inside a kernel. A plain C++ compiler sees nothing.

#include "retort/core/require_cxx20.hpp"

#ifdef __CUDACC__
#define RETORT_HOST_DEVICE __host__ __device__
#else
#define RETORT_HOST_DEVICE
#endif

/// Before a loop in such code: unroll it on a device, where values indexed by a variable cannot be in registers.
#ifdef __CUDA_ARCH__
#define RETORT_UNROLL _Pragma("unroll")
#else
#define RETORT_UNROLL
#endif
