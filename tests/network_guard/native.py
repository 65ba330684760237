"""What native code tries to send where there is no network but the loopback, as under `scripts/offline.sh`.

In a network namespace without another device no packet has a way out, and Linux counts those that found none, whichever
process made them and in whatever language it was written. A look-up of a name counts, too, since the server for names
is out of reach.
"""

from __future__ import annotations

import socket
from pathlib import Path


def is_isolated() -> bool:
    """Whether this process sees no network but the loopback, so that `packets_without_way` tells all."""
    if not hasattr(socket, "if_nameindex") or not Path("/proc/self/net/snmp").exists():
        return False
    routes = Path("/proc/self/net/route").read_text().splitlines()[1:]
    return len(routes) == 0 and [name for _, name in socket.if_nameindex()] == ["lo"]


def packets_without_way() -> int:
    """How often something was to go beyond the loopback since the namespace was made."""
    names, values = (
        line.split() for line in Path("/proc/self/net/snmp").read_text().splitlines() if line.startswith("Ip:")
    )
    count = int(values[names.index("OutNoRoutes")])
    six = Path("/proc/self/net/snmp6")
    if six.exists():
        count += sum(int(line.split()[1]) for line in six.read_text().splitlines() if line.startswith("Ip6OutNoRoutes"))
    return count
