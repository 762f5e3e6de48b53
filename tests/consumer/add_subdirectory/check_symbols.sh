#!/bin/sh
# SPDX-License-Identifier: MIT
# check_symbols.sh NM OBJECTS...: main.cpp's object leaves all of the models to digits.cpp's. It refers to their functions,
# and has none of what they are made of.
set -eu
nm=$1
shift
for object; do
  case $object in
    *main.cpp.o*) main=$("$nm" -C "$object") ;;
    *digits.cpp.o*) digits=$("$nm" -C "$object") ;;
  esac
done
for name in '::TrainingOf<.*>::make(' '::Network<.*>::initialize(' '::evaluate<' '::save_safetensors<' '::load_safetensors<'; do
  echo "$main" | grep -q " U .*$name" || { echo "main.cpp's object does not refer to $name of another"; exit 1; }
  echo "$digits" | grep -q " W .*$name" || { echo "digits.cpp's object does not define $name"; exit 1; }
done
for name in '::EpochTrainer<' '::panel::' '::Fit::' '::predict_layer<' '::NamedTensors<'; do
  if echo "$main" | grep -q " [WTVtuU] .*$name"; then
    echo "main.cpp's object has $name: the declarations of digits.hpp did not stop it"
    exit 1
  fi
  echo "$digits" | grep -q " [WTVtu] .*$name" || { echo "digits.cpp's object has no $name"; exit 1; }
done
