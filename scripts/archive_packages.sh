#!/usr/bin/env bash
# Install real archives for `make test-archive`: Orthanc with DICOMweb, dcmtk's tools, and stunnel for TLS before them,
# and a keyring. Their system services are neither started nor set up to start with the computer.
# Debian and Ubuntu: what is missing is installed when root, otherwise the apt command is printed and this fails.
set -euo pipefail

missing=()
for program in Orthanc:orthanc storescu:dcmtk stunnel4:stunnel4 openssl:openssl gnome-keyring-daemon:gnome-keyring \
    dbus-run-session:dbus; do
    PATH="$PATH:/usr/sbin" command -v "${program%%:*}" >/dev/null || missing+=("${program##*:}")
done
[ -e /usr/share/orthanc/plugins/libOrthancDicomWeb.so ] || missing+=(orthanc-dicomweb)
[ ${#missing[@]} -gt 0 ] || exit 0

install=(apt-get install -y -qq --no-install-recommends "${missing[@]}")
if ! command -v apt-get >/dev/null || [ "$(id -u)" -ne 0 ]; then
    echo "Missing: ${missing[*]}. Install them without starting their services, then run make again:" >&2
    echo "    sudo env RUNLEVEL=1 ${install[*]} && sudo systemctl disable --now orthanc" >&2
    exit 1
fi
echo "Installing packages of archives for the tests: ${missing[*]}"
# Debian's packages ask this script before they start a service.
policy=/usr/sbin/policy-rc.d
if [ ! -e "$policy" ]; then
    printf '#!/bin/sh\nexit 101\n' >"$policy"
    chmod +x "$policy"
    trap 'rm -f "$policy"' EXIT
fi
export DEBIAN_FRONTEND=noninteractive
apt-get update -qq
"${install[@]}"
if command -v systemctl >/dev/null; then
    systemctl disable --quiet orthanc stunnel.target 2>/dev/null || true
fi
