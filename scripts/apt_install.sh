#!/usr/bin/env bash
# Install Debian packages when root; otherwise print the command that does, and fail.
set -euo pipefail

if [ "$(id -u)" -ne 0 ]; then
    echo "Some system packages are missing. Install them, then run make again:" >&2
    echo "    sudo apt-get update && sudo apt-get install --no-install-recommends $*" >&2
    exit 1
fi
echo "Installing system packages: $*"
export DEBIAN_FRONTEND=noninteractive
apt-get update -qq
apt-get install -y -qq --no-install-recommends "$@"
