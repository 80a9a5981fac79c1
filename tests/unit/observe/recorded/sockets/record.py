"""Records what the agent tells of scene.py: python record.py > answer.json, with an engine."""

from __future__ import annotations

import json
import secrets
import sys
from pathlib import Path

from labctl.engine.client import connect
from labctl.engine.observers import provide_image
from labctl.engine.socket_observer import watch_sockets

SCENE = Path(__file__).with_name("scene.py")


def main() -> None:
    engine = connect()
    image = provide_image(engine, lambda line: print(line, file=sys.stderr))
    host = engine.sdk.containers.run(
        "labctl-host",
        ["python3", "-c", SCENE.read_text()],
        name=f"labctl-record-{secrets.token_hex(4)}",
        detach=True,
        init=True,
        network_mode="none",
        cap_drop=["ALL"],
        user="1000:1000",
        sysctls={"net.ipv6.conf.lo.disable_ipv6": "0"},
    )
    try:
        scene = json.loads(next(host.logs(stream=True)))
        sidecar = watch_sockets(engine, image, "record", "scene", str(host.id))
        try:
            answer = sidecar.ask("sockets")
        finally:
            sidecar.end()
    finally:
        host.remove(force=True)
    for process in answer["processes"]:  # the program itself, thrice, is of no use
        process["command"] = process["command"][:2]
    print(json.dumps({"scene": scene, "answer": answer}, indent=1))


main()
