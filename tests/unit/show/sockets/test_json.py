"""A snapshot as JSON: names that stay."""

from __future__ import annotations

import json

from labctl.show.sockets.asjson import as_json
from tests.unit.observe.sockets.recorded import taken

from . import made


def test_names() -> None:
    told = as_json(made.AFTER_FORK)
    assert list(told) == ["host", "time", "processes", "sockets", "notes"]
    assert list(told["processes"][0]) == [
        *("pid", "parent", "name", "command", "user", "state", "descriptors")
    ]
    assert told["processes"][1]["descriptors"][3] == {
        "fd": 3,
        "kind": "socket",
        "target": "",
        "inode": 34,
        "access": "",
        "nonblocking": False,
        "close_on_exec": False,
        "watches": (),
        "socket": "cookie:1",
    }
    assert list(told["sockets"][0]) == [
        *("key", "inode", "cookie", "family", "type", "protocol", "state", "local", "remote"),
        *("receive_queue", "send_queue", "accept_queue", "backlog"),
        *("receive_buffer", "send_buffer", "dropped", "timer", "tcp", "options", "peer"),
        *("held_by", "awaits_accept"),
    ]


def test_empty_fields_are_null_and_holders_are_told() -> None:
    (one,) = as_json(made.AFTER_SOCKET)["sockets"]
    assert one["local"] == one["remote"] == {"address": None, "port": None}
    assert one["held_by"] == [{"pid": 7, "fd": 3}]
    shared = as_json(made.AFTER_FORK)["sockets"][0]["held_by"]
    assert shared == [{"pid": 7, "fd": 3}, {"pid": 8, "fd": 3}]


def test_what_was_recorded_is_json() -> None:
    told = json.loads(json.dumps(as_json(taken())))
    keys = {one["key"] for one in told["sockets"]}
    used = {
        entry["socket"]
        for process in told["processes"]
        for entry in process["descriptors"]
        if entry["kind"] == "socket"
    }
    assert used <= keys
    assert None not in used
