#pragma once
/// @file
/// `RETORT_HOST_DEVICE` marks the scalar formulas (losses, activations, optimizers, random numbers) that a device
/// compiler may call inside a kernel. Under a plain C++ compiler it is nothing.

#ifdef __CUDACC__
#define RETORT_HOST_DEVICE __host__ __device__
#else
#define RETORT_HOST_DEVICE
#endif
