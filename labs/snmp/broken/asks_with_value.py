#!/usr/bin/python3
"""Broken on purpose: asks with INTEGER 0 in the value's place, where NULL belongs.

snmpd answers it all the same; only who looks at the wire sees it.
"""

import socket
import sys

sys.path.insert(0, "/opt/netprog")

import ber
import snmp

NAME = "1.3.6.1.2.1.7.1.0"


def request(number: int) -> bytes:
    binding = ber.encode(ber.SEQUENCE, ber.object_identifier(NAME), ber.integer(0))
    bindings = ber.encode(ber.SEQUENCE, binding)
    numbers = ber.integer(number) + ber.integer(0) + ber.integer(0)
    pdu = ber.encode(snmp.GET_REQUEST, numbers, bindings)
    return ber.encode(ber.SEQUENCE, ber.integer(0), ber.encode(ber.OCTET_STRING, b"public"), pdu)


sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
sock.settimeout(10)
sock.sendto(request(1), (socket.gethostbyname(sys.argv[1]), 161))
value = snmp.response(sock.recv(65535), 1)
print(ber.number(value) if value else "no value")
