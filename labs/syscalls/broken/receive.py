#!/usr/bin/python3
"""Broken on purpose: a receiver whose socket does not block, and that never waits for it."""

import socket
import sys
import time


def main() -> None:
    receiver = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    receiver.setblocking(False)
    receiver.bind(("0.0.0.0", int(sys.argv[sys.argv.index("--port") + 1])))
    tries = 0
    while True:
        try:
            data, sender = receiver.recvfrom(65507)
        except BlockingIOError:
            tries += 1
            if tries == 1000:
                print("nothing yet", flush=True)
            elif tries > 20_000:
                time.sleep(0.01)  # it asks again all the same; else a slow peer makes millions
            continue
        receiver.sendto(data.removeprefix(b"echo "), sender)
        return


main()
