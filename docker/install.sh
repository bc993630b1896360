#!/bin/sh
# Installs the console from the tree around this script into a folder of its own, with the versions that were tested.
#
#   docker/install.sh FOLDER [PYTHON]
#
# The Dockerfile calls it, and so does a test, on a machine without Docker. The tree is only read.
set -eu

tree=$(cd "$(dirname "$0")/.." && pwd)
folder=$1
python=${2:-python3}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

export PIP_CONSTRAINT="$tree/constraints.txt" PIP_NO_INPUT=1 PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_PROGRESS_BAR=off
export PIP_ROOT_USER_ACTION=ignore PYTHONDONTWRITEBYTECODE=1

"$python" -m venv "$folder"
"$folder/bin/pip" install --quiet --no-cache-dir -r "$tree/requirements.txt"
"$folder/bin/pip" wheel --quiet --no-cache-dir --no-deps --wheel-dir "$work" "$tree"
"$folder/bin/pip" install --quiet --no-cache-dir --no-deps "$work"/*.whl
"$folder/bin/pip" check
cp "$tree/docker/check_health.py" "$folder/bin/check_health.py"
"$folder/bin/event-console" --help >/dev/null
