#!/usr/bin/python3
"""Broken on purpose: takes a buffer's size, and then reads and writes byte by byte."""

import os
import sys


def main() -> None:
    source = os.open(sys.argv[1], os.O_RDONLY)
    target = os.open(sys.argv[2], os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o644)
    while data := os.read(source, 1):
        os.write(target, data)
    os.close(target)
    os.close(source)


main()
