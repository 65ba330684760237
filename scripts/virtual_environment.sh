#!/usr/bin/env bash
# Make the virtual environment .venv with a Python of 3.11 or newer. PYTHON names one to use.
set -euo pipefail

python=""
for candidate in ${PYTHON:-python3.11 python3.12 python3.13 python3}; do
    if "$candidate" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
        python=$candidate
        break
    fi
done
if [ -z "$python" ]; then
    echo "Python 3.11 or newer was not found (tried: ${PYTHON:-python3.11 python3.12 python3.13 python3})." >&2
    echo "Install one, or name it: make PYTHON=/path/to/python3.11 ..." >&2
    exit 1
fi

# Debian and Ubuntu ship ensurepip in a package of its own.
if ! "$python" -c 'import ensurepip, venv' 2>/dev/null; then
    version=$("$python" -c 'import sys; print("%d.%d" % sys.version_info[:2])')
    if ! command -v apt-get >/dev/null; then
        echo "$python has no venv and ensurepip modules; install them with this system's package manager." >&2
        exit 1
    fi
    "$(dirname "$0")/apt_install.sh" "python$version-venv"
fi
"$python" -m venv .venv
