// SPDX-License-Identifier: MIT
#pragma once
/// @file
/// What a training asks of a teacher: its logits, of a batch or of a whole dataset.

#include <cstddef>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <type_traits>

#include "retort/backend/arguments.hpp"
#include "retort/core/aligned_buffer.hpp"
#include "retort/core/error.hpp"
#include "retort/core/fingerprint.hpp"
#include "retort/core/instruction_set.hpp"
#include "retort/core/shared_handle.hpp"
#include "retort/core/text.hpp"
#include "retort/data/dataset.hpp"
#include "retort/data/dataset_view.hpp"
#include "retort/nn/network.hpp"
#include "retort/nn/preprocessing.hpp"
#include "retort/nn/sequential.hpp"
#include "retort/train/evaluate.hpp"

namespace retort::shape_check {  // for every instruction set

/// In the compiler's message: `teacher_with<10>::classes_but_student_with<5>`.
template <std::size_t TeacherClasses>
struct teacher_with {
  template <std::size_t StudentClasses>
  struct classes_but_student_with {
    static_assert(TeacherClasses == StudentClasses,
                  "retort: a teacher and its student must have the same number of classes; "
                  "teacher_with<T>::classes_but_student_with<S> names both");
  };
};

/// In the compiler's message: `teacher_of<784>::inputs_but_student_of<100>`.
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

namespace retort::inline RETORT_INSTRUCTION_SET {

/// For a training without a teacher.
struct NoTeacher {};

namespace detail {

/// True; does not compile where both models' inputs have axes and these differ.
template <Model TeacherModel, Model StudentModel>
consteval bool check_extents() {
  using OfTeacher = typename TeacherModel::template ShapeAt<0>;
  using OfStudent = typename StudentModel::template ShapeAt<0>;
  static_assert(OfTeacher::rank == 1 || OfStudent::rank == 1 || std::is_same_v<OfTeacher, OfStudent>,
                "retort: a teacher and its student read inputs of the same extents");
  return true;
}

}  // namespace detail

/// A frozen teacher: the network is const, and only its inference can be called.
template <Model M, typename Backend, typename Scalar>
struct Teacher {
  using model_type = M;

  const Network<M, Backend, Scalar>* network;

  /// The handle that its parameters belong to.
  const Backend& backend() const { return network->backend(); }
  const Scalar* parameter_data() const { return network->parameter_data(); }
  const std::optional<Preprocessing>& preprocessing() const { return network->preprocessing(); }

  /// logits (batch, classes) of inputs (batch, in), by `on`, which reaches the teacher's memory. With fewer `Layers` what
  /// leaves the last of these, (batch, M::widths[Layers]).
  template <std::size_t Layers = M::layer_count>
  void answer_batch(const Backend& on, const Scalar* inputs, Scalar* logits, std::size_t batch) const {
    network->require_values();
    predict_batch(
        on, FirstLayers<M, Layers>{},
        backend::InferArguments<Scalar>{network->parameter_data(), network->buffer_data(), inputs, logits, batch});
  }

  /// logits (data.size, classes) of every sample, normalised but not augmented; `data` is in the backend's memory. With
  /// fewer `Layers` as answer_batch.
  template <std::size_t Layers = M::layer_count>
  void answer_dataset(const Backend& on, const data::DatasetView& data, Scalar* logits) const {
    network->require_values();
    predict_dataset(on, FirstLayers<M, Layers>{}, network->parameter_data(), network->buffer_data(), data, logits);
  }

  /// Throws ShapeError for data that its model does not take.
  void require_matching(const data::Dataset& data) const { require_matching_data<M>(data); }

  std::string fingerprint() const {
    const AlignedBuffer<Scalar> parameters = network->copy_parameters();
    const AlignedBuffer<Scalar> buffers = network->copy_buffers();
    return to_text(Fingerprint{}.add(parameters.span()).add(buffers.span()).value());
  }
};

/// A teacher of any model that fits a student's: what trains the student is compiled once for all of them. It refers to
/// the network, which must outlive it; copies refer to the same.
template <Model StudentModel, typename Backend, typename Scalar>
class AnyTeacher {
 public:
  template <Model M>
  AnyTeacher(const Network<M, Backend, Scalar>& network)
      : teacher_(std::make_shared<Holder<M>>(Teacher<M, Backend, Scalar>{&network})) {}
  /// A teacher that would be gone before it is asked.
  template <Model M>
  AnyTeacher(const Network<M, Backend, Scalar>&& network) = delete;

  const Backend& backend() const { return teacher_->backend(); }
  const Scalar* parameter_data() const { return teacher_->parameter_data(); }
  const std::optional<Preprocessing>& preprocessing() const { return teacher_->preprocessing(); }
  void answer_batch(const Backend& on, const Scalar* inputs, Scalar* logits, std::size_t batch) const {
    teacher_->answer_batch(on, inputs, logits, batch);
  }
  void answer_dataset(const Backend& on, const data::DatasetView& data, Scalar* logits) const {
    teacher_->answer_dataset(on, data, logits);
  }
  void require_matching(const data::Dataset& data) const { teacher_->require_matching(data); }
  std::string fingerprint() const { return teacher_->fingerprint(); }

 private:
  struct Interface {
    Interface() = default;
    Interface(const Interface&) = delete;
    Interface& operator=(const Interface&) = delete;
    virtual ~Interface() = default;
    virtual const Backend& backend() const = 0;
    virtual const Scalar* parameter_data() const = 0;
    virtual const std::optional<Preprocessing>& preprocessing() const = 0;
    virtual void answer_batch(const Backend& on, const Scalar* inputs, Scalar* logits, std::size_t batch) const = 0;
    virtual void answer_dataset(const Backend& on, const data::DatasetView& data, Scalar* logits) const = 0;
    virtual void require_matching(const data::Dataset& data) const = 0;
    virtual std::string fingerprint() const = 0;
  };

  template <Model M>
  struct Holder final
      : Interface,
        private shape_check::teacher_with<M::output_size>::template classes_but_student_with<StudentModel::output_size>,
        private shape_check::teacher_of<M::input_size>::template inputs_but_student_of<StudentModel::input_size> {
    static_assert(detail::check_extents<M, StudentModel>());
    explicit Holder(const Teacher<M, Backend, Scalar>& held) : teacher(held) {}
    const Backend& backend() const override { return teacher.backend(); }
    const Scalar* parameter_data() const override { return teacher.parameter_data(); }
    const std::optional<Preprocessing>& preprocessing() const override { return teacher.preprocessing(); }
    void answer_batch(const Backend& on, const Scalar* inputs, Scalar* logits, std::size_t batch) const override {
      teacher.answer_batch(on, inputs, logits, batch);
    }
    void answer_dataset(const Backend& on, const data::DatasetView& data, Scalar* logits) const override {
      teacher.answer_dataset(on, data, logits);
    }
    void require_matching(const data::Dataset& data) const override { teacher.require_matching(data); }
    std::string fingerprint() const override { return teacher.fingerprint(); }
    Teacher<M, Backend, Scalar> teacher;
  };

  SharedHandle<const Interface> teacher_;
};

/// Throws OptionError unless `backend`, whose memory is not the host's, can read the teacher's.
template <typename Backend, typename TeacherSource>
void require_reach(const Backend& backend, const TeacherSource& teacher) {
  if (!backend.shares_memory_with(teacher.backend())) {
    throw OptionError("distillation: the teacher and the student are on different devices, expected one");
  }
}

/// Returns when what was asked of the teacher's handle, such as its own training, is done: each handle's operations
/// take effect in their own order, and who reads the teacher may have another one.
template <typename TeacherSource>
void wait_for(const TeacherSource& teacher) {
  using Scalar = std::remove_cvref_t<decltype(*teacher.parameter_data())>;
  copy_to_host(teacher.backend(), teacher.parameter_data(), std::span<Scalar>{});
}

}  // namespace retort::inline RETORT_INSTRUCTION_SET
