"""What a command that the engine starts in a container writes, to its last byte.

The SDK's own `exec_start` asks for an upgrade of the connection and then reads the bare socket.
What came together with the answer's header is in a buffer of http.client by then, and is lost:
on a busy machine a command seems to have written nothing. (docker-py, issue 3332.) Without an
upgrade the engine sends the same bytes as the body of an ordinary answer, which ends with the
connection; its reader forgets none.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator, Sequence

import requests
from docker.errors import create_api_error_from_http_exception
from docker.types import CancellableStream

from labctl.engine.client import Engine

_HEADER = struct.Struct(">BxxxL")
"""Stream and length of what follows (Docker Engine API, "Attach to a container": stream format)."""
_STDERR = 2


class Written:
    """Starts a command that was made with `exec_create`; yields what it writes as it comes.

    Each item is a pair (stdout, stderr), one of them empty. It ends when nobody has the
    command's output open any more. Raises APIError where the engine does not start it, OSError
    or urllib3's HTTPError where the engine goes away meanwhile.
    """

    def __init__(self, engine: Engine, exec_id: str) -> None:
        api = engine.sdk.api
        self._answer = api.post(
            engine.url(f"exec/{exec_id}/start"),
            json={"Tty": False, "Detach": False},
            stream=True,
            timeout=(api.timeout, None),  # a command may be silent for as long as it likes
        )
        try:
            self._answer.raise_for_status()
        except requests.HTTPError as error:
            create_api_error_from_http_exception(error)

    def __iter__(self) -> Iterator[tuple[bytes, bytes]]:
        with self._answer:
            while header := self._exactly(_HEADER.size):
                stream, length = _HEADER.unpack(header)
                piece = self._exactly(length)
                if length and not piece:
                    raise _cut()
                yield (b"", piece) if stream == _STDERR else (piece, b"")

    def close(self) -> None:
        """End the iteration in another thread. Raises DockerException where SSH cannot."""
        CancellableStream(iter(()), self._answer).close()

    def _exactly(self, count: int) -> bytes:
        """So many bytes; none where the engine has ended the answer before them."""
        read: bytes = self._answer.raw.read(count)
        if read and len(read) < count:
            raise _cut()
        return read


def run(
    engine: Engine, container: str, argv: Sequence[str], user: str | None = None
) -> tuple[int | None, bytes, bytes]:
    """Run a command in a container; return its exit code, and what it wrote (stdout, stderr).

    The code is None where the container went away meanwhile. Raises as `Written` does.
    """
    api = engine.sdk.api
    made = api.exec_create(container, list(argv), user=user or "")
    out, err = bytearray(), bytearray()
    for piece_out, piece_err in Written(engine, made["Id"]):
        out += piece_out
        err += piece_err
    return api.exec_inspect(made["Id"])["ExitCode"], bytes(out), bytes(err)


def _cut() -> ConnectionError:
    return ConnectionError("the connection ended within what a command wrote")
