#!/usr/bin/env bash
# Installs redis-server where it is missing, on Debian and Ubuntu; fails with what to do where that is not possible.
# tests/processes runs a server of its own on a free port: the packaged service is not started.
set -euo pipefail
command -v redis-server >/dev/null && exit 0

run() { if [ "$(id -u)" -eq 0 ]; then "$@"; else sudo -n "$@"; fi; }

if ! command -v apt-get >/dev/null; then
  echo 'redis-server is missing, and this system has no apt-get: install Redis 6 or newer and put it on the PATH' >&2
  exit 1
fi
export DEBIAN_FRONTEND=noninteractive RUNLEVEL=1
run apt-get update -qq
run apt-get install -y -qq --no-install-recommends redis-server
command -v redis-server >/dev/null
