#!/usr/bin/python3
"""Broken on purpose: takes all that udpInDatagrams has grown by for its own datagrams.

It forgets that its GetRequests are datagrams, too. It asks until the value changes, as the agent
looks at its kernel only every few seconds, and so there are some.
"""

import argparse
import json
import sys

sys.path.insert(0, "/opt/netprog")

import udp_count

options = argparse.Namespace(
    host=sys.argv[1],
    port=161,
    community="public",
    version="1",
    tries=3,
    timeout=2,
    to=9000,
    count=10,
    patience=30,
)
before, _ = udp_count.fresh(options)
udp_count.send(options)
after, _ = udp_count.fresh(options)
report = {"before": before, "after": after, "datagrams": after - before, "requests": 0, "others": 0}
print(json.dumps(report))
