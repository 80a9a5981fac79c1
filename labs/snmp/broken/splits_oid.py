#!/usr/bin/python3
"""Broken on purpose: writes the first two numbers of the OBJECT IDENTIFIER as two bytes, 01 03.

BER puts them into one, 40 * 1 + 3 = 43, which is 2b; so this asks for 0.1.3.6..., which no
agent has.
"""

import socket
import sys

sys.path.insert(0, "/opt/netprog")

import ber
import snmp

NAME = bytes([1, 3, 6, 1, 2, 1, 7, 1, 0])


def request(number: int) -> bytes:
    name = ber.encode(ber.OBJECT_IDENTIFIER, NAME)
    bindings = ber.encode(ber.SEQUENCE, ber.encode(ber.SEQUENCE, name, ber.encode(ber.NULL)))
    numbers = ber.integer(number) + ber.integer(0) + ber.integer(0)
    pdu = ber.encode(snmp.GET_REQUEST, numbers, bindings)
    return ber.encode(ber.SEQUENCE, ber.integer(0), ber.encode(ber.OCTET_STRING, b"public"), pdu)


sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
sock.settimeout(10)
sock.sendto(request(1), (socket.gethostbyname(sys.argv[1]), 161))
try:
    print(snmp.response(sock.recv(65535), 1))
except snmp.Refused as refused:
    print(refused)
