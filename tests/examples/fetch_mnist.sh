#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# fetch_mnist.sh REPOSITORY
# The download script with mirrors on this disk: a damaged mirror is passed over, a good one taken, nothing is left behind on failure.
# Skipped (77) where MNIST_DIR names no gzipped MNIST to serve, or without curl.
set -euo pipefail
script=$1/examples/fetch_mnist.sh
if [[ ! -f ${MNIST_DIR:-}/train-images-idx3-ubyte.gz ]] || ! command -v curl >/dev/null; then
  echo "skipped: MNIST_DIR names no gzipped MNIST, or there is no curl"
  exit 77
fi
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
mkdir "$folder/bad" "$folder/good"
cp "$MNIST_DIR"/*.gz "$folder/good"
for file in "$folder"/good/*.gz; do
  head -c 1000 "$file" >"$folder/bad/${file##*/}"
done

if RETORT_MNIST_MIRRORS="file://$folder/bad/" "$script" "$folder/none" >"$folder/log" 2>&1; then
  echo "a damaged mirror was accepted"
  exit 1
fi
if [[ -d $folder/none && -n $(ls -A "$folder/none") ]]; then
  echo "left behind after a failure: $(ls -A "$folder/none")"
  exit 1
fi
# A server that never stops, and says nothing of a length: no more is taken than a file can have, by curl or by wget.
cat >"$folder/endless.py" <<'END'
import http.server, sys

class Endless(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.end_headers()
        sent = 0
        try:
            while True:
                sent += self.wfile.write(bytes(1 << 16))
        except OSError:
            with open(sys.argv[1], "a") as log:
                log.write(f"{sent}\n")

    def log_message(self, *arguments):
        pass

server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Endless)
with open(sys.argv[2], "w") as port:
    port.write(f"{server.server_port}\n")
server.serve_forever()
END
if command -v python3 >/dev/null; then
  python3 "$folder/endless.py" "$folder/sent" "$folder/port" &
  server=$!
  trap 'kill "$server" 2>/dev/null || true; rm -rf "$folder"' EXIT
  for ((try = 0; try < 100; ++try)); do
    [[ -s $folder/port ]] && break
    sleep 0.1
  done
  mkdir "$folder/tools"
  for tool in bash cat timeout head stat gzip sha256sum mktemp mkdir mv rm rmdir dirname env wget; do
    command -v "$tool" >/dev/null && ln -s "$(command -v "$tool")" "$folder/tools/$tool"
  done
  for path in "$PATH" "$folder/tools"; do
    if [[ $path != "$PATH" ]] && ! command -v wget >/dev/null; then
      continue
    fi
    if PATH=$path RETORT_MNIST_MIRRORS="http://127.0.0.1:$(cat "$folder/port")/" timeout 60 "$script" "$folder/none" >"$folder/log" 2>&1; then
      echo "an endless file was accepted"
      exit 1
    fi
    grep -q "more than 9912422 bytes, not used" "$folder/log" || {
      echo "the endless file was not cut: $(cat "$folder/log")"
      exit 1
    }
    [[ ! -d $folder/none || -z $(ls -A "$folder/none") ]]
    # What lay in the sockets' buffers was sent and never taken.
    for ((try = 0; try < 100; ++try)); do
      [[ -s $folder/sent ]] && break
      sleep 0.1
    done
    (($(cat "$folder/sent") < 40000000)) || {
      echo "an endless file went on to $(cat "$folder/sent") bytes"
      exit 1
    }
    rm "$folder/sent"
  done
  kill "$server"
fi

RETORT_MNIST_MIRRORS="file://$folder/bad/ file://$folder/good/" "$script" "$folder/data"
[[ $(ls "$folder/data" | wc -l) == 4 ]]
for file in "$folder"/good/*.gz; do
  cmp "$file" "$folder/data/${file##*/}"
done
