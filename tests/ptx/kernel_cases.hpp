// SPDX-License-Identifier: MIT
#pragma once
/// @file
/// The kernels of blocks that nvcc compiles for these tests, one for each kind of code in them. Read by nvcc and by the
/// host's compiler.

#include <cstddef>

#include "retort/backend/cuda/block/cluster.hpp"
#include "retort/backend/cuda/block/job.hpp"
#include "retort/backend/cuda/block/layout.hpp"
#include "retort/core/host_device.hpp"
#include "retort/loss/cross_entropy.hpp"
#include "retort/loss/hinton.hpp"
#include "retort/nn/dropout.hpp"
#include "retort/nn/gelu.hpp"
#include "retort/nn/leaky_relu.hpp"
#include "retort/nn/linear.hpp"
#include "retort/nn/relu.hpp"
#include "retort/nn/sequential.hpp"
#include "retort/nn/sigmoid.hpp"
#include "retort/nn/tanh.hpp"
#include "retort/optim/adam.hpp"
#include "retort/optim/adamw.hpp"
#include "retort/optim/sgd.hpp"

namespace retort::test::ptx {

namespace block = retort::backend::block;

template <typename M, typename L, typename O, typename S, typename LayoutType, block::Batches kind>
struct KernelCase {
  using Model = M;
  using Loss = L;
  using Optimizer = O;
  using Scalar = S;
  using Layout = LayoutType;
  using Rule = decltype(O{}.template rule<S>(1, 0.0));
  using Job = block::TrainingJob<S, O::moment_count, L, Rule>;
  static constexpr block::Batches batches = kind;
};

constexpr auto bytes = block::InputKind::bytes;
constexpr auto reals = block::InputKind::reals;
constexpr auto tensor = block::ProductUnits::tensor;
constexpr auto scalar = block::ProductUnits::scalar;

template <typename M, typename L, typename O, block::InputKind kind, block::ProductUnits units, typename S = float,
          block::Batches batches = block::Batches::single_chunks>
using OfBlock = KernelCase<M, L, O, S, block::Layout<M, S, kind, units>, batches>;
template <typename M, typename L, typename O, block::InputKind kind>
using OfCluster = KernelCase<M, L, O, float, block::ClusterLayout<M, float, kind>, block::Batches::single_chunks>;

using Mnist = Sequential<Linear<784, 20>, ReLU, Linear<20, 20>, ReLU, Linear<20, 10>>;
using Student = Sequential<Linear<40, 20>, ReLU, Linear<20, 20>, ReLU, Linear<20, 10>>;
// Widths that are no multiples of anything, a layer of width 1, none behind a layer, no bias, dropout.
using Odd = Sequential<Linear<35, 13, Bias::no>, Dropout<0.5>, GELU, Linear<13, 1>, LeakyReLU<0.1>, Linear<1, 7>,
                       Sigmoid, Dropout<0.1>, Linear<7, 33>, Linear<33, 3>, Tanh>;
using Long = Sequential<Linear<300, 12>, Tanh, Linear<12, 4>>;
// More tiles of outputs than a warp multiplies at once.
using Wide = Sequential<Linear<150, 45>, Tanh, Linear<45, 70>, ReLU, Linear<70, 5>>;
// Moments in global memory.
using Deep = Sequential<Linear<30, 20>, Tanh, Linear<20, 250>, Linear<250, 4>>;
using Large = Sequential<Linear<30, 300>, Tanh, Linear<300, 4>>;
// Of clusters of eight blocks.
using Narrow = Sequential<Linear<160, 20>, Tanh, Linear<20, 10>>;
static_assert(block::fits_block<Mnist, float> && block::fits_block<Narrow, float> && block::fits_block<Student, float>);

using MnistBlock = OfBlock<Mnist, HintonLoss, Adam, bytes, tensor>;
using MnistAny = OfBlock<Mnist, HintonLoss, Adam, bytes, tensor, float, block::Batches::any>;
using MnistReals = OfBlock<Mnist, CrossEntropy, Adam, reals, scalar>;
using MnistSweep = MnistBlock;
using MnistCluster = OfCluster<Mnist, HintonLoss, Adam, bytes>;
using NarrowCluster = OfCluster<Narrow, CrossEntropy, Adam, bytes>;
using NarrowClusterReals = OfCluster<Narrow, CrossEntropy, Adam, reals>;
using StudentCluster = OfCluster<Student, CrossEntropy, Adam, bytes>;
using OddTensor = OfBlock<Odd, CrossEntropy, Adam, bytes, tensor>;
using OddScalar = OfBlock<Odd, CrossEntropy, Sgd, bytes, scalar, float, block::Batches::any>;
using OddReals = OfBlock<Odd, CrossEntropy, AdamW, reals, scalar>;
using WideTensor = OfBlock<Wide, CrossEntropy, Adam, bytes, tensor>;
using DeepTensor = OfBlock<Deep, CrossEntropy, Adam, bytes, tensor>;
using LargeTensor = OfBlock<Large, CrossEntropy, Adam, bytes, tensor>;
using LongTensor = OfBlock<Long, CrossEntropy, Adam, bytes, tensor, float, block::Batches::any>;
using StudentDouble = OfBlock<Student, HintonLoss, Adam, bytes, scalar, double>;

}  // namespace retort::test::ptx

// Those of student.cu, which also has MnistSweep, and those of blocks.cu.
#define RETORT_PTX_STUDENT_KERNELS(kernel) kernel(MnistBlock) kernel(MnistAny) kernel(MnistReals) kernel(MnistCluster)
#define RETORT_PTX_BLOCK_KERNELS(kernel)                                                                      \
  kernel(NarrowCluster) kernel(NarrowClusterReals) kernel(StudentCluster) kernel(OddTensor) kernel(OddScalar) \
      kernel(OddReals) kernel(WideTensor) kernel(DeepTensor) kernel(LargeTensor) kernel(LongTensor)           \
          kernel(StudentDouble)
