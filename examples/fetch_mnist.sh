#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Downloads MNIST (LeCun, Cortes, Burges: 60,000 training and 10,000 test digits) as its four gzipped IDX files.
#
#   examples/fetch_mnist.sh [FOLDER]        FOLDER is data/mnist unless given; it is created
#
# Every file is checked before it is moved into place: by the SHA-256 of what it unpacks to, which stays the same when a
# mirror packs the files anew. Files that are there and right are kept. Mirrors are tried in turn. Exit status: 0 when
# all four files are in place, 1 otherwise, with nothing left behind.
#
#   RETORT_MNIST_MIRRORS    the mirrors to try instead, separated by spaces (http, https or file URLs)
set -euo pipefail

folder=${1:-data/mnist}
read -r -a mirrors <<< "${RETORT_MNIST_MIRRORS:-https://storage.googleapis.com/cvdf-datasets/mnist/ \
https://ossci-datasets.s3.amazonaws.com/mnist/ https://raw.githubusercontent.com/fgnt/mnist/master/}" || true

# The SHA-256 of each unpacked file, its size in bytes, and the most that it may have packed by gzip: what the original
# files have. A mirror that packed them worse is not used.
files=(
  "train-images-idx3-ubyte ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db 47040016 9912422"
  "train-labels-idx1-ubyte 65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5 60008 28881"
  "t10k-images-idx3-ubyte 0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7 7840016 1648877"
  "t10k-labels-idx1-ubyte ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2 10008 4542"
)

fail() {
  echo "fetch_mnist: $*" >&2
  exit 1
}

# stream URL: to standard output; 5 seconds to connect, and no patience with a line that stands still.
if command -v curl > /dev/null; then
  stream() {
    curl --fail --silent --location --connect-timeout 5 --speed-time 20 --speed-limit 1024 -- "$1"
  }
elif command -v wget > /dev/null; then
  stream() {
    wget --quiet --tries=1 --dns-timeout=5 --connect-timeout=5 --read-timeout=20 --output-document=- -- "$1"
  }
else
  fail "needs curl or wget, and finds neither"
fi
for tool in gzip sha256sum; do
  command -v "$tool" > /dev/null || fail "needs $tool, and does not find it"
done

# download URL FILE SIZE: takes at most SIZE bytes, and one more that tells that there are more. Then the stream is cut,
# whatever the server says of its length or goes on to send. Fails (1) where the transfer does, and (2) where it was cut.
download() {
  local status=0
  stream "$1" | head --bytes=$(($3 + 1)) > "$2" || status=1
  (($(stat --format=%s -- "$2") <= $3)) || return 2
  return "$status"
}

# right FILE SHA256 SIZE: unpacks at most one byte beyond SIZE, so that a hostile file costs no more than a good one. The
# sum also tells the size: only a file known to be small is then tested for its own checksum and for what trails it.
right() {
  [[ -f $1 ]] &&
    [[ $({ gzip --decompress --stdout -- "$1" 2> /dev/null || true; } | head --bytes=$(($3 + 1)) | sha256sum) == "$2 "* ]] &&
    gzip --test -- "$1" 2> /dev/null
}

made=()
above=$folder
while [[ ! -e $above ]]; do
  made+=("$above")
  above=$(dirname -- "$above")
done
mkdir -p -- "$folder" 2> /dev/null || fail "$folder: the folder cannot be made"
partial=$(mktemp -d -- "$folder/.fetch.XXXXXX" 2> /dev/null) || fail "$folder: the folder cannot be written"
trap 'rm -rf -- "$partial"; rmdir -- "${made[@]}" 2> /dev/null || true' EXIT
trap 'exit 1' HUP INT TERM

# All four files come before any is moved: a folder holds the whole set or what it held before.
fetched=()
for entry in "${files[@]}"; do
  read -r name sha256 size packed <<< "$entry"
  if right "$folder/$name.gz" "$sha256" "$size"; then
    echo "fetch_mnist: $folder/$name.gz: already there, SHA-256 right"
    continue
  fi
  for mirror in "${mirrors[@]}"; do
    url=${mirror%/}/$name.gz
    status=0
    download "$url" "$partial/$name.gz" "$packed" || status=$?
    if ((status == 2)); then
      echo "fetch_mnist: $url: more than $packed bytes, not used" >&2
    elif ((status != 0)); then
      echo "fetch_mnist: $url: no answer, or no such file" >&2
    elif ! right "$partial/$name.gz" "$sha256" "$size"; then
      echo "fetch_mnist: $url: wrong SHA-256, not used" >&2
    else
      echo "fetch_mnist: $url: fetched, SHA-256 right"
      fetched+=("$name.gz")
      continue 2
    fi
    rm -f -- "$partial/$name.gz"
  done
  fail "$name.gz: none of ${#mirrors[@]} mirrors has it; fetch the four files by other means into $folder"
done
for name in "${fetched[@]+"${fetched[@]}"}"; do
  mv -f -- "$partial/$name" "$folder/$name" || fail "$folder/$name: cannot be written"
done
echo "fetch_mnist: $folder: MNIST is complete"
