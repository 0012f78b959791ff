#!/usr/bin/env bash
# One prepared check of an accelerator, in 8 minutes: is it right there, how fast is it, how far from the card's limit.
#
#     benchmarks/device.sh [--dry] [--out FOLDER] [--seconds 480] [--only neurons,cable,...]
#
# On a machine with Python 3.12 and JAX with its plugin for the card, and no network: what else is needed comes from .device-wheels/, which
# `make device-wheels` fills elsewhere. PYTHON names the interpreter. What is measured, and how: benchmarks/README.md.
set -euo pipefail
cd "$(dirname "$0")/.."
python=${PYTHON:-python3}

if ! "$python" -c 'import channelome' 2>/dev/null; then
    if [ ! -d .device-wheels ]; then
        echo "channelome is not installed for $python, and there is no .device-wheels/: run 'make device-wheels', and carry that folder" >&2
        exit 1
    fi
    packages=$(mktemp -d)
    trap 'rm -rf "$packages"' EXIT
    "$python" -m pip install --quiet --disable-pip-version-check --no-warn-conflicts --no-index --no-deps --target "$packages" .device-wheels/*.whl
    # the tree's own files stand before those of the wheels, which are here for their metadata
    PYTHONPATH=$(printf '%s:' core/src plugins/*/src | sed "s|\([^:]*\):|$PWD/\1:|g")$packages${PYTHONPATH:+:$PYTHONPATH}
    export PYTHONPATH
fi
export XLA_PYTHON_CLIENT_PREALLOCATE=false # several processes share the card
"$python" benchmarks/device.py "$@"
