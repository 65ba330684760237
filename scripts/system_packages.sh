#!/usr/bin/env bash
# See that the system libraries of Qt and OpenGL are there, Python's venv, and Xvfb where there is no display.
# Debian and Ubuntu: what is missing is installed when root, otherwise the apt command is printed and this fails.
# Elsewhere what is missing is only named: the names of packages differ.
set -euo pipefail

[ "$(uname -s)" = Linux ] || exit 0
cd "$(dirname "$0")/.."

# What the loader must find, and the package that has it. Packages that carry a t64 in their name on newer releases
# still answer to these names, so libraries are looked up by the name that the loader uses.
libraries="
libGL.so.1             libgl1
libEGL.so.1            libegl1
libglib-2.0.so.0       libglib2.0-0
libdbus-1.so.3         libdbus-1-3
libfontconfig.so.1     libfontconfig1
libfreetype.so.6       libfreetype6
libX11-xcb.so.1        libx11-xcb1
libxkbcommon-x11.so.0  libxkbcommon-x11-0
libxcb-cursor.so.0     libxcb-cursor0
libxcb-icccm.so.4      libxcb-icccm4
libxcb-image.so.0      libxcb-image0
libxcb-keysyms.so.1    libxcb-keysyms1
libxcb-randr.so.0      libxcb-randr0
libxcb-render-util.so.0 libxcb-render-util0
libxcb-shape.so.0      libxcb-shape0
libxcb-sync.so.1       libxcb-sync1
libxcb-xfixes.so.0     libxcb-xfixes0
libxcb-xkb.so.1        libxcb-xkb1
"

found=$(PATH="$PATH:/usr/sbin:/sbin" ldconfig -p)
missing=()
packages=()
while read -r library package; do
    [ -n "$library" ] || continue
    if [[ "$found" != *"	$library "* ]]; then
        missing+=("$library")
        packages+=("$package")
    fi
done <<<"$libraries"

if [ -z "${DISPLAY:-}${WAYLAND_DISPLAY:-}" ]; then
    for program in xvfb-run:xvfb xauth:xauth; do
        command -v "${program%%:*}" >/dev/null || { missing+=("${program%%:*}"); packages+=("${program##*:}"); }
    done
fi

# Debian and Ubuntu ship venv's ensurepip in a package of its own.
if [ ! -x .venv/bin/pip ]; then
    python=$(scripts/find_python.sh)
    if ! "$python" -c 'import ensurepip' 2>/dev/null; then
        missing+=("$python's ensurepip")
        packages+=("$("$python" -c 'import sys; print("python%d.%d-venv" % sys.version_info[:2])')")
    fi
fi

[ ${#missing[@]} -gt 0 ] || exit 0

if ! command -v apt-get >/dev/null; then
    echo "Missing: ${missing[*]}. Install them with this system's package manager." >&2
    exit 0
fi
if [ "$(id -u)" -ne 0 ]; then
    echo "Missing: ${missing[*]}. Install them, then run make again:" >&2
    echo "    sudo apt-get update && sudo apt-get install --no-install-recommends ${packages[*]}" >&2
    exit 1
fi
echo "Installing system packages: ${packages[*]}"
export DEBIAN_FRONTEND=noninteractive
apt-get update -qq
apt-get install -y -qq --no-install-recommends "${packages[@]}"
