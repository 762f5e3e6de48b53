// SPDX-License-Identifier: MIT
#pragma once
/// @file
/// Programs of several files: one file compiles a model and its trainings, the others only declare them.
///
/// A header names the types and says that they are compiled elsewhere:
///
///     using Student = retort::Sequential<...>;
///     RETORT_EXTERN_NETWORK(Student);
///     RETORT_EXTERN_TRAINER(Student, retort::CrossEntropy, retort::Adam);
///     RETORT_EXTERN_DISTILLATION(Teacher, Student, retort::HintonLoss, retort::Adam);
///
/// One source of the program includes that header and has the same lines with INSTANTIATE in place of EXTERN. Every
/// other file then uses the networks and trainers as ever, and compiles in little more time than the headers take. All
/// files must be compiled for the same instruction set (core/instruction_set.hpp): the linker does not find the
/// functions of another one. Nor does it find a function whose INSTANTIATE line is missing.
///
/// The lines stand outside of all namespaces, and end with a semicolon. A model stands for its network on the default
/// backend in floats; for another one write the network's type, `Network<Student, backend::EigenBf16>`. In the lines of
/// two and more arguments a type with a comma needs an alias. What these lines do not name (`predict_layer`, sweeps,
/// other formats of files) is compiled where it is used.

#include <filesystem>
#include <span>
#include <type_traits>
#include <vector>

#include "retort/core/instruction_set.hpp"
#include "retort/data/dataset.hpp"
#include "retort/data/teacher_logits_table.hpp"
#include "retort/io/safetensors.hpp"
#include "retort/nn/network.hpp"
#include "retort/nn/sequential.hpp"
#include "retort/train/distillation_trainer.hpp"
#include "retort/train/evaluate.hpp"
#include "retort/train/metrics.hpp"
#include "retort/train/trainer.hpp"

namespace retort::inline RETORT_INSTRUCTION_SET::internal {

template <Model M, typename Backend, typename Scalar>
Network<M, Backend, Scalar> network_of(std::type_identity<Network<M, Backend, Scalar>>);
template <Model M>
Network<M> network_of(std::type_identity<M>);

/// A network's type, by itself or by its model.
template <typename T>
using NetworkOf = decltype(network_of(std::type_identity<T>{}));

/// What a trainer is given as a teacher: a table, or a network, which is named as for NetworkOf.
template <typename T>
struct TeacherOf {
  using type = const NetworkOf<T>*;
};
template <>
struct TeacherOf<data::TeacherLogitsTable> {
  using type = data::TeacherLogitsTable;
};

}  // namespace retort::inline RETORT_INSTRUCTION_SET::internal

/// A network's start values, answers, evaluation, and files in safetensors. The argument is its model or its type.
#define RETORT_EXTERN_NETWORK(...) RETORT_NETWORK_FUNCTIONS(extern template, __VA_ARGS__)
#define RETORT_INSTANTIATE_NETWORK(...) RETORT_NETWORK_FUNCTIONS(template, __VA_ARGS__)

/// `Trainer{network, Loss{}, Optimizer{}}`: how it trains the network.
#define RETORT_EXTERN_TRAINER(network, loss, optimizer) \
  extern RETORT_TRAINING(network, loss, optimizer, retort::internal::NoTeacher)
#define RETORT_INSTANTIATE_TRAINER(network, loss, optimizer) \
  RETORT_TRAINING(network, loss, optimizer, retort::internal::NoTeacher)

/// `DistillationTrainer{teacher, student, Loss{}, Optimizer{}}`, where the teacher may be data::TeacherLogitsTable.
#define RETORT_EXTERN_DISTILLATION(teacher, student, loss, optimizer) \
  extern RETORT_TRAINING(student, loss, optimizer, retort::internal::TeacherOf<teacher>::type)
#define RETORT_INSTANTIATE_DISTILLATION(teacher, student, loss, optimizer) \
  RETORT_TRAINING(student, loss, optimizer, retort::internal::TeacherOf<teacher>::type)

#define RETORT_TRAINING(network, loss, optimizer, teacher) \
  template struct retort::internal::TrainingOf<retort::internal::NetworkOf<network>, loss, optimizer, teacher>

// The alias is made first, since a function's arguments are looked up in its own namespace, where a name of the
// program's may mean something else.
#define RETORT_NETWORK_FUNCTIONS(declared, ...) \
  RETORT_FUNCTIONS_OF(declared, RETORT_NETWORK_ALIAS(__COUNTER__), __VA_ARGS__)
#define RETORT_NETWORK_ALIAS(number) RETORT_NETWORK_ALIAS_OF(number)
#define RETORT_NETWORK_ALIAS_OF(number) retort_network_##number
#define RETORT_FUNCTIONS_OF(declared, N, ...)                                                       \
  using N = retort::internal::NetworkOf<__VA_ARGS__>;                                               \
  declared void N::initialize(retort::Seed, retort::Initialization);                                \
  declared void N::predict(std::span<const N::scalar_type>, std::span<N::scalar_type>) const;       \
  declared std::vector<N::scalar_type> retort::predict_all(const N&, const retort::data::Dataset&); \
  declared retort::Evaluation retort::evaluate(const N&, const retort::data::Dataset&);             \
  declared void retort::io::save_safetensors(const N&, const std::filesystem::path&,                \
                                             const retort::io::SafetensorsOptions&);                \
  declared retort::io::Metadata retort::io::load_safetensors(N&, const std::filesystem::path&,      \
                                                             const retort::io::SafetensorsOptions&)
