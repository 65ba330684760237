"""What the benchmark of an afternoon reads from a trace."""

from __future__ import annotations

from afternoon import destinations

TRACE = """\
101 connect(3, {sa_family=AF_UNIX, sun_path="/tmp/.X11-unix/X99"}, 20) = 0
101 connect(4, {sa_family=AF_INET, sin_port=htons(8786), sin_addr=inet_addr("127.0.0.1")}, 16) = -1 EINPROGRESS
101 connect(4, {sa_family=AF_INET, sin_port=htons(53), sin_addr=inet_addr("127.0.0.53")}, 16) = 0
102 connect(5, {sa_family=AF_INET6, sin6_port=htons(443), sin6_flowinfo=htonl(0), inet_pton(AF_INET6, "2001:db8::1", \
&sin6_addr), sin6_scope_id=0}, 28 <unfinished ...>
102 <... connect resumed>)            = -1 ENETUNREACH (Network is unreachable)
102 connect(5, {sa_family=AF_INET6, sin6_port=htons(9), inet_pton(AF_INET6, "::ffff:127.0.0.1", \
&sin6_addr), sin6_scope_id=0}, 28) = 0
103 sendto(6, "x", 1, 0, {sa_family=AF_INET, sin_port=htons(123), sin_addr=inet_addr("192.0.2.7")}, 16) = 1
103 sendto(6, "\\6\\1", 40, MSG_NOSIGNAL, NULL, 0) = 40
103 sendto(7, [{nlmsg_len=20}], 20, 0, {sa_family=AF_NETLINK, nl_pid=0, nl_groups=00000000}, 12) = 20
"""


def test_what_is_not_the_loopback_leaves_and_so_does_a_look_up() -> None:
    assert list(destinations(TRACE.splitlines())) == [
        ("loopback", False),
        ("127.0.0.53 port 53", True),
        ("2001:db8::1 port 443", True),
        ("loopback", False),
        ("192.0.2.7 port 123", True),
    ]
