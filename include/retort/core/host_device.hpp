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

/// The same for a kernel's whole work: inlined however long it is, so that the kernel's arguments are read as such.
#ifdef __CUDACC__
#define RETORT_KERNEL_WORK __host__ __device__ __forceinline__
#else
#define RETORT_KERNEL_WORK
#endif

/// Before a loop in such code: unroll it on a device, where values indexed by a variable cannot be in registers.
#ifdef __CUDA_ARCH__
#define RETORT_UNROLL _Pragma("unroll")
#else
#define RETORT_UNROLL
#endif
