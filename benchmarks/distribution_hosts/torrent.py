#!/usr/bin/python3
"""torrent.py TORRENT FOLDER TIME [tuned] [seed]: a peer of libtorrent (PyPI), from TIME on.

Without `tuned` libtorrent has its defaults, but for the ways to find peers on the Internet.
"""

import json
import sys
import time

import libtorrent as lt

QUIET = {
    "listen_interfaces": "0.0.0.0:6881",
    "enable_dht": False,
    "enable_lsd": False,
    "enable_upnp": False,
    "enable_natpmp": False,
}
TUNED = {
    # TCP only: uTP would give way to what it sees as congestion.
    "enable_outgoing_utp": False,
    "enable_incoming_utp": False,
    # Few flows at once on one uplink, and little in the kernel's buffers.
    "choking_algorithm": lt.choking_algorithm_t.fixed_slots_choker,
    "unchoke_slots_limit": 4,
    "send_not_sent_low_watermark": 32 * 1024,
    "send_buffer_watermark": 128 * 1024,
    "send_buffer_low_watermark": 32 * 1024,
    # Nobody waits long to be served or to be heard.
    "unchoke_interval": 2,
    "optimistic_unchoke_interval": 4,
    "request_queue_time": 1,
    "connection_speed": 200,
    "torrent_connect_boost": 60,
    "piece_extent_affinity": False,
}

tuned, seed = "tuned" in sys.argv, "seed" in sys.argv
session = lt.session({**QUIET, **(TUNED if tuned else {})})
wanted = lt.load_torrent_file(sys.argv[1])
wanted.save_path = sys.argv[2]
if seed:
    wanted.flags |= lt.torrent_flags.seed_mode
    if tuned:
        wanted.flags |= lt.torrent_flags.super_seeding
else:
    time.sleep(max(float(sys.argv[3]) - time.time(), 0))
handle = session.add_torrent(wanted)
while not handle.status().is_seeding:
    time.sleep(0.02)
if not seed:
    print(json.dumps({"ended": time.time()}), flush=True)
while True:
    time.sleep(60)
