// SPDX-License-Identifier: MIT
#pragma once
/// @file
/// What a training asks of a teacher: its logits, for a batch or for a whole dataset.

#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <type_traits>

#include "retort/backend/arguments.hpp"
#include "retort/core/aligned_buffer.hpp"
#include "retort/core/error.hpp"
#include "retort/core/fingerprint.hpp"
#include "retort/core/instruction_set.hpp"
#include "retort/core/text.hpp"
#include "retort/data/dataset.hpp"
#include "retort/data/dataset_view.hpp"
#include "retort/nn/network.hpp"
#include "retort/nn/preprocessing.hpp"
#include "retort/nn/sequential.hpp"
#include "retort/train/evaluate.hpp"

namespace retort::shape_check {  // for every instruction set

/// The compiler's message shows `teacher_with<10>::classes_but_student_with<5>`.
template <std::size_t TeacherClasses>
struct teacher_with {
  template <std::size_t StudentClasses>
  struct classes_but_student_with {
    static_assert(TeacherClasses == StudentClasses,
                  "retort: a teacher and its student must have the same number of classes; "
                  "teacher_with<T>::classes_but_student_with<S> names both");
  };
};

/// The compiler's message shows `teacher_of<784>::inputs_but_student_of<100>`.
template <std::size_t TeacherInputs>
struct teacher_of {
  template <std::size_t StudentInputs>
  struct inputs_but_student_of {
    static_assert(TeacherInputs == StudentInputs,
                  "retort: a teacher and its student must have the same number of inputs; "
                  "teacher_of<T>::inputs_but_student_of<S> names both");
  };
};

}  // namespace retort::shape_check

namespace retort::inline RETORT_INSTRUCTION_SET::internal {

/// For a training without a teacher.
struct NoTeacher {};

/// Does not compile unless a teacher of the first model fits a student of the second.
template <Model TeacherModel, Model StudentModel>
struct TeacherFits : private shape_check::teacher_with<TeacherModel::output_size>::template classes_but_student_with<
                         StudentModel::output_size>,
                     private shape_check::teacher_of<TeacherModel::input_size>::template inputs_but_student_of<
                         StudentModel::input_size> {
  using OfTeacher = typename TeacherModel::template ShapeAt<0>;
  using OfStudent = typename StudentModel::template ShapeAt<0>;
  static_assert(OfTeacher::rank == 1 || OfStudent::rank == 1 || std::is_same_v<OfTeacher, OfStudent>,
                "retort: a teacher and its student read inputs of the same extents");
};

/// What a training asks of a teacher of any model.
template <typename Backend, typename Scalar>
class TeacherInterface {
 public:
  virtual ~TeacherInterface() = default;

  /// The handle to which its parameters belong.
  virtual const Backend& backend() const = 0;
  virtual const Scalar* parameter_data() const = 0;
  virtual const std::optional<Preprocessing>& preprocessing() const = 0;
  /// logits (batch, classes) of inputs (batch, in), computed by `on`, which reaches the teacher's memory.
  virtual void answer_batch(const Backend& on, const Scalar* inputs, Scalar* logits, std::size_t batch) const = 0;
  /// logits (data.size, classes) of every sample, normalised but not augmented; `data` is in the backend's memory.
  virtual void answer_dataset(const Backend& on, const data::DatasetView& data, Scalar* logits) const = 0;
  /// Throws ShapeError for data that its model cannot take.
  virtual void require_matching(const data::Dataset& data) const = 0;
  virtual std::string fingerprint() const = 0;

 protected:
  TeacherInterface() = default;
  TeacherInterface(const TeacherInterface&) = default;
  TeacherInterface& operator=(const TeacherInterface&) = default;
};

/// A frozen teacher: the network is const, and only its inference can be called.
template <Model M, typename Backend, typename Scalar>
class Teacher final : public TeacherInterface<Backend, Scalar> {
 public:
  using model_type = M;

  Teacher(const Network<M, Backend, Scalar>* network) : network_(network) {}

  const Backend& backend() const override { return network_->backend(); }
  const Scalar* parameter_data() const override { return network_->parameter_data(); }
  const std::optional<Preprocessing>& preprocessing() const override { return network_->preprocessing(); }

  void answer_batch(const Backend& on, const Scalar* inputs, Scalar* logits, std::size_t batch) const override {
    answer_batch<M::layer_count>(on, inputs, logits, batch);
  }
  void answer_dataset(const Backend& on, const data::DatasetView& data, Scalar* logits) const override {
    answer_dataset<M::layer_count>(on, data, logits);
  }

  /// The same for its first `Layers` layers: outputs (batch, M::widths[Layers]).
  template <std::size_t Layers>
  void answer_batch(const Backend& on, const Scalar* inputs, Scalar* outputs, std::size_t batch) const {
    network_->require_values();
    predict_batch(
        on, FirstLayers<M, Layers>{},
        backend::InferArguments<Scalar>{network_->parameter_data(), network_->buffer_data(), inputs, outputs, batch});
  }
  template <std::size_t Layers>
  void answer_dataset(const Backend& on, const data::DatasetView& data, Scalar* outputs) const {
    network_->require_values();
    predict_dataset(on, FirstLayers<M, Layers>{}, network_->parameter_data(), network_->buffer_data(), data, outputs);
  }

  void require_matching(const data::Dataset& data) const override { require_matching_data<M>(data); }

  std::string fingerprint() const override {
    const AlignedBuffer<Scalar> parameters = network_->copy_parameters();
    const AlignedBuffer<Scalar> buffers = network_->copy_buffers();
    return to_text(Fingerprint{}.add(parameters.span()).add(buffers.span()).value());
  }

 private:
  const Network<M, Backend, Scalar>* network_;
};

/// What a training keeps of a teacher that a trainer is given: of a network all that asks it, else what it is given.
template <typename Given>
struct TeacherSourceOf {
  using type = Given;
};
template <Model M, typename Backend, typename Scalar>
struct TeacherSourceOf<const Network<M, Backend, Scalar>*> {
  using type = Teacher<M, Backend, Scalar>;
};

/// Throws OptionError unless `backend`, whose memory is not the host's, can read the teacher's memory.
template <typename Backend, typename TeacherSource>
void require_reach(const Backend& backend, const TeacherSource& teacher) {
  if (!backend.shares_memory_with(teacher.backend())) {
    throw OptionError("distillation: the teacher and the student are on different devices, expected one");
  }
}

/// Waits for the earlier work of the teacher's handle, such as its own training: each handle's operations take effect
/// in their own order, and a reader of the teacher may have another handle.
template <typename TeacherSource>
void wait_for(const TeacherSource& teacher) {
  using Scalar = std::remove_cvref_t<decltype(*teacher.parameter_data())>;
  copy_to_host(teacher.backend(), teacher.parameter_data(), std::span<Scalar>{});
}

}  // namespace retort::inline RETORT_INSTRUCTION_SET::internal
