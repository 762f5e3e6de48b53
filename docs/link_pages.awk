# SPDX-License-Identifier: MIT
# awk -v root=REPOSITORY -f link_pages.awk FILE.md
# Names each page, and links to the names, for Doxygen: left to itself, it links pages by their paths and loses what
# follows a space in them.

function page(path) {
  if (path == "README.md") {
    return "index"
  }
  gsub(/[^A-Za-z0-9]/, "_", path)
  return path
}

BEGIN {
  path = substr(ARGV[1], length(root) + 2)
  folder = path
  sub(/[^\/]*$/, "", folder)
}

NR == 1 && /^# / && path != "README.md" {
  print $0 " {#" page(path) "}"
  next
}

{
  line = ""
  while (match($0, /\]\([^():# ]*\.md\)/)) {
    target = folder substr($0, RSTART + 2, RLENGTH - 3)
    while (sub(/(^|[^\/]+\/)\.\.\//, "", target)) {
    }
    if (path == "docs/guide/README.md" && target ~ /^docs\/guide\//) { # below it, in its order
      before = substr($0, 1, RSTART - 1)
      $0 = substr($0, RSTART + RLENGTH)
      match(before, /\[[^\[]*$/)
      line = line substr(before, 1, RSTART - 1) "@subpage " page(target) " \"" substr(before, RSTART + 1) "\""
      continue
    }
    if (target ~ /^([A-Z]+\.md$|docs\/|examples\/)/) { # the pages that Doxygen reads
      line = line substr($0, 1, RSTART + 1) "@ref " page(target) ")"
    } else {
      line = line substr($0, 1, RSTART + RLENGTH - 1)
    }
    $0 = substr($0, RSTART + RLENGTH)
  }
  print line $0
}
