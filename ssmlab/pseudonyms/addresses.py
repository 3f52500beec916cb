"""IP ranges to others of the same size; what lies in one lies in its image."""

import ipaddress
from collections.abc import Iterable
from itertools import chain
from random import Random
from typing import Any, Final

from ssmlab.conditions.values import Network

# For documentation [RFC 5737, RFC 3849], for benchmarks [RFC 2544], private, and for what is wider than these.
_POOLS: Final = {
    4: ("192.0.2.0/24", "198.51.100.0/24", "203.0.113.0/24", "198.18.0.0/15", "10.0.0.0/8", "0.0.0.0/0"),
    6: ("2001:db8::/32", "::/0"),
}
_KINDS: Final[dict[int, Any]] = {4: ipaddress.IPv4Network, 6: ipaddress.IPv6Network}


def place(rng: Random, networks: Iterable[Network]) -> dict[Network, str]:
    """Range → image, as text with its mask. The range of all addresses stays.

    An outermost range gets a free one of its size; what lies inside moves with it, its inner bits exchanged. One that
    is written with host bits stays so.
    """
    placed: dict[Any, tuple[Any, int]] = {}  # outermost range → its image, the bits that are exchanged inside
    found = dict[Network, str]()
    for own in sorted(networks, key=lambda own: (-own.host_bits, own.version, own.address)):
        net = _KINDS[own.version]((own.address, _KINDS[own.version](0).max_prefixlen - own.host_bits), strict=False)
        outer = next((one for one in placed if one.version == net.version and net.subnet_of(one)), net)
        if outer is net:
            placed[net] = _choose(net, [image for image, _ in placed.values()]), rng.getrandbits(128)
        image, exchanged = placed[outer]
        inner = int(net.network_address) ^ (exchanged & int(net.netmask))
        address = int(image.network_address) | (inner & int(outer.hostmask))
        host = min(own.address & int(net.hostmask), 1)
        found[own] = f"{type(net.network_address)(address | host)}/{net.prefixlen}"
        if not net.prefixlen:
            del placed[net]  # holds everything, and so orders nothing
    return found


def _choose(net: Any, used: list[Any]) -> Any:
    """The first range of the size of another that overlaps none of those in use."""
    pools = (pool for text in _POOLS[net.version] if (pool := type(net)(text)).prefixlen <= net.prefixlen)
    free = chain.from_iterable(pool.subnets(new_prefix=net.prefixlen) for pool in pools)
    same = [other for other in used if other.version == net.version]
    return next(candidate for candidate in free if not any(candidate.overlaps(other) for other in same))
