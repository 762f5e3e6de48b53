#pragma once
/// @file
/// Arrays saved for NumPy (NPY format: numpy.lib.format), written by xtensor. data/npy.hpp reads them.

#if __has_include(<xtensor/io/xnpy.hpp>)
#include <xtensor/io/xnpy.hpp>
#else
#include <xtensor/xnpy.hpp>
#endif

#include <filesystem>

#include "retort/core/atomic_file.hpp"
#include "retort/data/dataset.hpp"
#include "retort/data/matrix.hpp"
#include "retort/data/xtensor.hpp"

namespace retort::data {

/// Writes an xtensor expression of numbers as an NPY file, whole or not at all. Throws FileError.
template <typename Array>
void save_npy(const std::filesystem::path& path, const xt::xexpression<Array>& array) {
  AtomicFile file(path);
  file.write(xt::dump_npy(array));
  file.commit();
}

/// The same for a matrix, (rows, columns).
template <typename T>
void save_npy(const std::filesystem::path& path, const Matrix<T>& matrix) {
  save_npy(path, as_xtensor(matrix));
}

/// The same for labels, (samples).
inline void save_npy(const std::filesystem::path& path, const Labels& labels) { save_npy(path, as_xtensor(labels)); }

}  // namespace retort::data
