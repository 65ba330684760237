#!/usr/bin/env bash
# Run a command where there is no network but the loopback, so that nothing can leave this computer, whatever it is
# written in. Linux counts what tries to; tests/network_guard reads that. Runs the command as it is where that cannot be
# had: elsewhere than on Linux, where the system forbids it, or with a display behind a network.
set -euo pipefail

as_it_is() {
    echo "scripts/offline.sh: $1; the network guard watches Python only." >&2
    exec "${@:2}"
}

[ "$(uname -s)" = Linux ] || as_it_is "no Linux" "$@"
case "${DISPLAY:-:}" in
    :* | unix:*) ;;
    *) as_it_is "the display is $DISPLAY" "$@" ;;
esac
if [ "$(id -u)" = 0 ]; then
    alone=(unshare --net --mount)
    back=()
else
    alone=(unshare --user --map-root-user --net --mount)
    # The user is again who they were, not root, once the loopback is up.
    back=(unshare --user "--map-user=$(id -u)" "--map-group=$(id -g)")
fi
"${alone[@]}" true 2>/dev/null && command -v ip >/dev/null || as_it_is "no network namespaces here" "$@"

# Servers for names on this computer are out of reach, too, so that a look-up counts.
exec "${alone[@]}" bash -c '
    set -eu
    ip link set lo up
    names=$(mktemp -d)
    echo "nameserver 192.0.2.53" >"$names/resolv.conf"
    echo "hosts: files dns" >"$names/nsswitch.conf"
    grep -v "^hosts:" /etc/nsswitch.conf >>"$names/nsswitch.conf" 2>/dev/null || true
    for file in resolv.conf nsswitch.conf; do
        if [ -e "/etc/$file" ]; then mount --bind "$names/$file" "/etc/$file"; fi
    done
    rm -r "$names"
    exec "$@"
' offline.sh "${back[@]}" "$@"
