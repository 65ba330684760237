#!/usr/bin/env bash
# The Python of one test worker: without a network and with a display of its own, so that workers do not meet.
exec "$(dirname "$0")/offline.sh" "$(dirname "$0")/on_display.sh" .venv/bin/python "$@"
