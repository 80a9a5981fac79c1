#!/usr/bin/python3
"""tracker.py PORT: a BitTorrent tracker (BEP 3, BEP 23), which tells everybody of all others.

It asks to be asked again every five seconds, so that those who come at the same moment
learn of each other soon.
"""

import socket
import struct
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs

SECONDS = 5
peers: dict[str, set[tuple[str, int]]] = {}


class Announce(BaseHTTPRequestHandler):
    """GET /announce?info_hash=...&port=..."""

    def do_GET(self) -> None:
        told = parse_qs(self.path.partition("?")[2], encoding="latin-1")
        try:
            mine = self.client_address[0], int(told["port"][0])
            here = peers.setdefault(told["info_hash"][0], set())
        except (KeyError, ValueError):
            self.send_error(400)
            return
        others = b"".join(socket.inet_aton(ip) + struct.pack("!H", port) for ip, port in here)
        if told.get("event") == ["stopped"]:
            here.discard(mine)
        else:
            here.add(mine)
        body = b"d8:intervali%de12:min intervali%de5:peers%d:%be"
        body %= SECONDS, SECONDS, len(others), others
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Keep no log."""


ThreadingHTTPServer(("0.0.0.0", int(sys.argv[1])), Announce).serve_forever()
