// A program of another project with a kernel, Thrust and cuBLAS: whichever way Retort reaches it, this compiles and
// links. It is not run: there need not be a GPU.

#include <cublas_v2.h>
#include <thrust/execution_policy.h>
#include <thrust/for_each.h>

#include <concepts>
#include <cstdio>
#include <retort/version.hpp>
#include <string>

struct Double {
  __device__ void operator()(float& value) const { value *= 2; }
};

template <std::floating_point Scalar>
__global__ void fill(Scalar* values) {
  values[threadIdx.x] = 1;
}

int main() {
  float* values = nullptr;
  cublasHandle_t handle = nullptr;
  if (cudaMalloc(&values, 32 * sizeof(float)) != cudaSuccess || cublasCreate(&handle) != CUBLAS_STATUS_SUCCESS) {
    std::printf("Retort %s: no GPU\n", std::string{retort::version}.c_str());
    return 77;
  }
  fill<<<1, 32>>>(values);
  thrust::for_each(thrust::device, values, values + 32, Double{});
  cublasDestroy(handle);
  cudaFree(values);
}
