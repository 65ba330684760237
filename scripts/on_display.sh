#!/usr/bin/env bash
# Run a command that opens windows: on the display there is, or under Xvfb where there is none.
set -euo pipefail

if [ "$(uname -s)" != Linux ] || [ -n "${DISPLAY:-}${WAYLAND_DISPLAY:-}" ]; then
    exec "$@"
fi
# Xvfb has no graphics card; a Qt platform set for some other purpose (offscreen) would have no OpenGL.
export QT_QPA_PLATFORM=xcb LIBGL_ALWAYS_SOFTWARE=1 XDG_SESSION_TYPE=x11 BONESCINT_VIRTUAL_DISPLAY=1
exec xvfb-run --auto-servernum --server-args="-screen 0 1600x1000x24" "$@"
