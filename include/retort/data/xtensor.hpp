#pragma once
/// @file
/// xtensor's containers, views and adaptors, wherever the installed version keeps them: version 0.26 moved its headers
/// into folders. The library uses arrays of fixed rank (xt::xtensor) only: xt::xarray of version 0.24 is ambiguous to
/// clang 19 and newer.

#if __has_include(<xtensor/containers/xtensor.hpp>)
#include <xtensor/containers/xadapt.hpp>
#include <xtensor/containers/xtensor.hpp>
#include <xtensor/views/xview.hpp>
#else
#include <xtensor/xadapt.hpp>
#include <xtensor/xtensor.hpp>
#include <xtensor/xview.hpp>
#endif
