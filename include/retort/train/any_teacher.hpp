// SPDX-License-Identifier: MIT
#pragma once
/// @file
/// A teacher of a sweep: a network of any model that fits the students, or of a known one, or a table of logits.

#include <concepts>
#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <type_traits>
#include <utility>
#include <variant>

#include "retort/core/instruction_set.hpp"
#include "retort/core/shared_handle.hpp"
#include "retort/core/text.hpp"
#include "retort/data/dataset.hpp"
#include "retort/data/dataset_view.hpp"
#include "retort/data/teacher_logits_table.hpp"
#include "retort/nn/network.hpp"
#include "retort/nn/preprocessing.hpp"
#include "retort/nn/sequential.hpp"
#include "retort/train/evaluate.hpp"
#include "retort/train/preprocessing.hpp"
#include "retort/train/sweep_models.hpp"
#include "retort/train/teacher.hpp"
#include "retort/train/trainer_interface.hpp"

namespace retort::inline RETORT_INSTRUCTION_SET {

/// Stands for the model of a sweep's teachers where each may have its own.
struct AnyModel {};

namespace internal {

/// The students' training is compiled once for all teachers. A teacher refers to its network, which must outlive it,
/// or keeps its table; copies have the same one. A table answers nothing: the sweep copies its logits.
template <SweptStudents Students, typename Backend, typename Scalar>
class AnyTeacher {
 public:
  using NetworkTeacher = TeacherInterface<Backend, Scalar>;

  template <Model M>
  AnyTeacher(const Network<M, Backend, Scalar>& network)
      : source_(NetworkHandle(std::make_shared<Teacher<M, Backend, Scalar>>(&network))) {
    SweptModels<Students>::List::for_each([]<Model StudentModel>(std::type_identity<StudentModel> /*model*/) {
      static_cast<void>(TeacherFits<M, StudentModel>{});
    });
  }
  /// Says in a sentence why such a teacher does not fit.
  template <Model M, typename OtherBackend, typename OtherScalar>
  AnyTeacher(const Network<M, OtherBackend, OtherScalar>& /*network*/) : source_(TableHandle(nullptr)) {
    static_assert(std::is_same_v<OtherBackend, Backend>, "retort: a sweep's teachers have the backend of the sweep");
    static_assert(std::is_same_v<OtherScalar, Scalar>,
                  "retort: a sweep's teachers have numbers of the sweep's type, float or double");
  }
  /// A temporary teacher would be gone before it is asked.
  template <Model M>
  AnyTeacher(const Network<M, Backend, Scalar>&& network) = delete;

  AnyTeacher(data::TeacherLogitsTable table)
      : source_(TableHandle(std::make_shared<data::TeacherLogitsTable>(std::move(table)))) {}

  /// Null unless it is a network.
  const NetworkTeacher* network() const {
    const NetworkHandle* const handle = std::get_if<NetworkHandle>(&source_);
    return handle == nullptr ? nullptr : &**handle;
  }
  /// Null unless it is a table.
  const data::TeacherLogitsTable* table() const {
    const TableHandle* const handle = std::get_if<TableHandle>(&source_);
    return handle == nullptr ? nullptr : &**handle;
  }

  /// Throws ShapeError and OptionError for data that the teacher cannot answer, or was not made for.
  [[gnu::cold]] void require_made_for(const data::Dataset& train, const Epoch& epoch) const {
    if (const data::TeacherLogitsTable* const logits = table()) {
      logits->require_made_for(train, epoch.augmentation, epoch.views, SweptModels<Students>::List::output_size);
      return;
    }
    require_matching(train);
    require_preprocessing(preprocessing(), train, "the teacher");
  }
  std::string fingerprint() const {
    return table() != nullptr ? to_text(table()->fingerprint()) : network()->fingerprint();
  }

  // What a student's training asks of it. Of a table there is nothing more to check.

  const Scalar* parameter_data() const { return table() != nullptr ? nullptr : network()->parameter_data(); }
  const std::optional<Preprocessing>& preprocessing() const {
    static const std::optional<Preprocessing> none{};
    return table() != nullptr ? none : network()->preprocessing();
  }
  void require_matching(const data::Dataset& data) const {
    if (network() != nullptr) {
      network()->require_matching(data);
    }
  }

  /// See TeacherInterface. Precondition of both: it is a network.
  void answer_batch(const Backend& on, const Scalar* inputs, Scalar* logits, std::size_t batch) const {
    network()->answer_batch(on, inputs, logits, batch);
  }
  void answer_dataset(const Backend& on, const data::DatasetView& data, Scalar* logits) const {
    network()->answer_dataset(on, data, logits);
  }

 private:
  using NetworkHandle = SharedHandle<const NetworkTeacher>;
  using TableHandle = SharedHandle<const data::TeacherLogitsTable>;

  std::variant<NetworkHandle, TableHandle> source_;
};

/// A teacher whose model a sweep knows, for losses that compare its hidden layers.
template <Model M, SweptStudents Students, typename Backend, typename Scalar>
class TeacherOfModel : public AnyTeacher<Students, Backend, Scalar> {
  using Base = AnyTeacher<Students, Backend, Scalar>;

 public:
  using model_type = M;

  TeacherOfModel(const Network<M, Backend, Scalar>& network) : Base(network) {}
  TeacherOfModel(const Network<M, Backend, Scalar>&& network) = delete;
  template <Model Other, typename OtherBackend, typename OtherScalar>
  TeacherOfModel(const Network<Other, OtherBackend, OtherScalar>& network) : Base(network) {
    static_assert(std::is_same_v<Other, M>,
                  "retort: a sweep's teachers are networks of the model that is its last template parameter");
  }
  template <std::same_as<data::TeacherLogitsTable> Table>
  TeacherOfModel(const Table& table) : Base(table) {
    static_assert(
        !std::is_same_v<Table, data::TeacherLogitsTable>,
        "retort: a sweep whose last template parameter is the teachers' model takes networks, not tables of logits");
  }

  /// With it a teacher is asked as any network is (require_reach, wait_for).
  const Backend& backend() const { return teacher().backend(); }

  using Base::answer_batch;
  using Base::answer_dataset;
  /// See Teacher.
  template <std::size_t Layers>
  void answer_batch(const Backend& on, const Scalar* inputs, Scalar* outputs, std::size_t batch) const {
    teacher().template answer_batch<Layers>(on, inputs, outputs, batch);
  }
  template <std::size_t Layers>
  void answer_dataset(const Backend& on, const data::DatasetView& data, Scalar* outputs) const {
    teacher().template answer_dataset<Layers>(on, data, outputs);
  }

 private:
  const Teacher<M, Backend, Scalar>& teacher() const {
    return static_cast<const Teacher<M, Backend, Scalar>&>(*this->network());
  }
};

/// What a sweep keeps of a teacher.
template <typename TeacherModel, SweptStudents Students, typename Backend, typename Scalar>
struct SweptTeacherOf {
  using type = TeacherOfModel<TeacherModel, Students, Backend, Scalar>;
};
template <SweptStudents Students, typename Backend, typename Scalar>
struct SweptTeacherOf<AnyModel, Students, Backend, Scalar> {
  using type = AnyTeacher<Students, Backend, Scalar>;
};

/// As for a network; a table has no memory of a backend's.
template <SweptStudents Students, typename Backend, typename Scalar>
void require_reach(const Backend& backend, const AnyTeacher<Students, Backend, Scalar>& teacher) {
  if (teacher.network() != nullptr) {
    require_reach(backend, *teacher.network());
  }
}
template <SweptStudents Students, typename Backend, typename Scalar>
void wait_for(const AnyTeacher<Students, Backend, Scalar>& teacher) {
  if (teacher.network() != nullptr) {
    wait_for(*teacher.network());
  }
}

}  // namespace internal

}  // namespace retort::inline RETORT_INSTRUCTION_SET
