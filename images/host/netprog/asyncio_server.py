#!/usr/bin/python3
"""A concurrent server with asyncio: the event loop that the standard library brings.

The loop makes all calls on the sockets, those of event_server.py, and calls the methods of
`Echo` when something has happened on a connection.
"""

import asyncio
import signal
import socket
from collections.abc import Mapping
from functools import partial
from typing import Any, cast

from command import run
from options import Options, read_options
from saying import endpoint, reason, say
from serving import bind_to, cannot_listen


class Echo(asyncio.Protocol):
    """One connection."""

    def __init__(self, loop: asyncio.AbstractEventLoop, timeout: float) -> None:
        self.loop = loop
        self.timeout = timeout

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.Transport, transport)
        self.active = self.loop.time()
        self.timer = self.loop.call_later(self.timeout, self.look)

    def data_received(self, data: bytes) -> None:
        self.active = self.loop.time()
        self.transport.write(data)

    def pause_writing(self) -> None:
        """The client does not take what comes back: read no more from it meanwhile."""
        self.transport.pause_reading()

    def resume_writing(self) -> None:
        self.active = self.loop.time()
        self.transport.resume_reading()

    def look(self) -> None:
        """Drop the client if it has been silent for too long."""
        left = self.active + self.timeout - self.loop.time()
        if left > 0:
            self.timer = self.loop.call_later(left, self.look)
            return
        self.say_lost("no answer in time")
        self.transport.abort()

    def connection_lost(self, exc: Exception | None) -> None:
        self.timer.cancel()
        if isinstance(exc, OSError):
            self.say_lost(reason(exc))

    def say_lost(self, why: str) -> None:
        say(f"{endpoint(self.transport.get_extra_info('peername'))} lost: {why}")


async def serve(options: Options) -> None:
    """Serve until SIGTERM."""
    loop = asyncio.get_running_loop()
    ended = asyncio.Event()
    loop.add_signal_handler(signal.SIGTERM, ended.set)
    loop.set_exception_handler(tell)
    bound = socket.socket(fileno=bind_to(options).detach())  # socket, bind
    try:
        new = partial(Echo, loop, options.timeout)
        await loop.create_server(new, sock=bound, backlog=options.backlog)  # listen
    except OSError as error:
        raise cannot_listen(options, error) from error
    say(f"listening on {endpoint(bound.getsockname())}")
    await ended.wait()


def tell(_loop: asyncio.AbstractEventLoop, context: Mapping[str, Any]) -> None:
    """Say what the loop could not do. Without a descriptor it pauses for a second by itself."""
    error = context.get("exception")
    if isinstance(error, OSError):
        say(f"{context['message']}: {error.strerror}: new clients have to wait")
    else:
        say(f"{context['message']}: {error}")


def main() -> None:
    asyncio.run(serve(read_options(__doc__)))


if __name__ == "__main__":
    run(main, ended=0)
