#!/usr/bin/env bash
# The Python of one test worker: without a network and with a display of its own, so that workers do not meet.
# One thread each: three workers share two cores, since tests also wait, and small networks gain nothing by more.
export OMP_NUM_THREADS=1
# Byte code is kept, also where the environment forbids it: tests start hundreds of processes.
unset PYTHONDONTWRITEBYTECODE
exec "$(dirname "$0")/offline.sh" "$(dirname "$0")/on_display.sh" .venv/bin/python "$@"
