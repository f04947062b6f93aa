"""With this folder on PYTHONPATH, Python starts with its network cut off, except this machine.

Look-ups of names and connections fail at once with OSError, as they do without a network. Loopback
addresses and Unix sockets keep working, so kernels, pytest-xdist and local servers do, too. Python
imports only the first `sitecustomize` it finds: this one hides any other.
"""

import ipaddress
import socket

_LOCAL_NAMES = {None, "", "localhost", socket.gethostname()}


def _refuse(host):
    if isinstance(host, bytes):
        host = host.decode()
    if host in _LOCAL_NAMES:
        return
    try:
        address = ipaddress.ip_address(host.partition("%")[0])
    except ValueError:
        address = None
    if address is None or not (address.is_loopback or address.is_unspecified):
        raise OSError(f"the network is blocked: {host}")


def _guard_connection(name):
    original = getattr(socket.socket, name)

    def guarded(self, address):
        if self.family in (socket.AF_INET, socket.AF_INET6):
            _refuse(address[0])
        return original(self, address)

    setattr(socket.socket, name, guarded)


def _guard_lookup(name):
    original = getattr(socket, name)

    def guarded(host, *args, **kwargs):
        _refuse(host)
        return original(host, *args, **kwargs)

    setattr(socket, name, guarded)


for _name in ("connect", "connect_ex"):
    _guard_connection(_name)
for _name in ("getaddrinfo", "gethostbyname", "gethostbyname_ex", "gethostbyaddr"):
    _guard_lookup(_name)
