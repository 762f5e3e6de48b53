#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# folder_order.sh INCLUDE
#
# The order of the library's folders: a header includes headers of its own folder and of those before it, and no headers
# include each other in a circle. A folder stands for those below it that are not named themselves; a header that is
# named stands alone.
set -euo pipefail
folders=(core version.hpp simd data nn loss optim io backend backend/generic predict predict.hpp
  backend/cuda/runtime
  backend/thrust
  backend/eigen/{core,product_library,product,eigen,simd_chain}.hpp
  backend/eigen/panel/apply_optimizer.hpp backend/eigen/optimizer.hpp
  backend/eigen/panel
  backend/eigen
  backend/cuda/{vector_access,cuda_on}.hpp
  backend/cuda/block
  backend/cuda/block/device
  backend/cuda/graph
  backend/cuda/graph/device
  backend/cuda
  train quantization io/c_code io/export_c.hpp extern.hpp retort.hpp)

cd "$1/retort"
{ find . -name '*.hpp' -printf '%P\n'; grep -rH --include='*.hpp' '^#include "retort/' . | sed -E 's#^\./##'; } |
  awk -v folders="${folders[*]}" '
    BEGIN { count = split(folders, folder, " ") }
    # The place in the order of the longest folder that holds the header.
    function place(header,   i, best, length_of_best) {
      for (i = 1; i <= count; ++i) {
        if ((header == folder[i] || index(header, folder[i] "/") == 1) && length(folder[i]) > length_of_best) {
          best = i; length_of_best = length(folder[i])
        }
      }
      return best
    }
    function fail(text) { print text; failed = 1 }
    !/:#include/ { headers[$0]; if (!place($0)) fail($0 ": in none of the folders " folders); next }
    {
      split($0, part, /:#include "retort\/|"/)
      from = part[1]; to = part[2]; ++arrows
      if (place(to) > place(from)) fail(from ": includes " to ", of a folder that comes after its own")
      included[from] = included[from] " " to
    }
    # Headers whose includes are all gone go too, then those that none of the rest includes. A circle stays.
    END {
      do {
        removed = 0
        for (header in headers) {
          held = 0; n = split(included[header], names, " ")
          for (i = 1; i <= n; ++i) if (names[i] in headers) held = 1
          if (!held) { delete headers[header]; ++removed; ++total }
        }
      } while (removed)
      do {
        removed = 0; split("", used)
        for (header in headers) { n = split(included[header], names, " "); for (i = 1; i <= n; ++i) used[names[i]] }
        for (header in headers) if (!(header in used)) { delete headers[header]; ++removed }
      } while (removed)
      for (header in headers) fail(header ": includes itself by way of others")
      if (!failed) print total " headers, " arrows " arrows: none goes up, and there is no circle"
      exit failed || total == 0
    }'
