// SPDX-License-Identifier: MIT
// Kernels of blocks for other models, for the host to read as PTX.

#include "ptx/kernels.cuh"

RETORT_PTX_BLOCK_KERNELS(RETORT_PTX_KERNEL)
