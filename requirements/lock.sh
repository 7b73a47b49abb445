#!/usr/bin/env bash
# Pin what setup.cfg asks for, once for each stage; one resolution, so that the stages agree.
set -euo pipefail
cd "$(dirname "$0")/.."
uv=${UV:-.venv/bin/uv}
pin() { "$uv" pip compile --quiet --universal --python-version 3.10 --no-emit-index-url --no-emit-find-links \
  --no-annotate --custom-compile-command requirements/lock.sh "$@"; }
pin setup.cfg --extra export --extra tune --extra dev -o requirements/dev.txt
pin setup.cfg --extra tune --extra peers -c requirements/dev.txt -o requirements/peers.txt
pin setup.cfg --extra tune -c requirements/dev.txt -o requirements/tune.txt
pin setup.cfg --extra export -c requirements/dev.txt -o requirements/export.txt
pin setup.cfg -c requirements/dev.txt -o requirements/base.txt
