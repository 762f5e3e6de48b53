#pragma once
/// @file
/// Catch2 version 2 or 3, whichever is installed. Floating-point checks use WithinAbs and WithinRel, which both have.

#if __has_include(<catch2/catch_all.hpp>)
#include <catch2/catch_all.hpp>
#else
#include <catch2/catch.hpp>
#endif

using Catch::Matchers::WithinAbs;
using Catch::Matchers::WithinRel;
