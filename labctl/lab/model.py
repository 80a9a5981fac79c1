"""The x-lab part of a lab file: what Compose has no word for.

These models are the one source of the format: validation, the JSON Schema and the
reference in docs/lab-format.md are all made from them.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import (
    AfterValidator,
    BeforeValidator,
    Field,
    StringConstraints,
    WithJsonSchema,
)

from labctl.lab.basic import HOST_NAME, Duration, HostName, Strict, parse_duration
from labctl.lab.link import Link
from labctl.lab.sequence_form import FORM

__all__ = ["HOST_NAME", "parse_duration"]


def parse_command(value: object) -> str | list[str]:
    """Return a command: a text for `sh -c`, or a list of texts to execute as it is.

    Raises ValueError for anything else and for an empty one.
    """
    if isinstance(value, str) and value.strip():
        return value
    if isinstance(value, list) and value and value[0] and all(isinstance(w, str) for w in value):
        return value
    raise ValueError('not a command (write a text, or a list of texts: ["tcp_client", "server"])')


def check_port(value: str) -> str:
    """Return `host:port` or `host:port/udp` as it is.

    Raises ValueError unless the port is 1 to 65535.
    """
    port = int(value.partition(":")[2].partition("/")[0])
    if not 1 <= port <= 65_535:
        raise ValueError(f"port {port} is not 1 to 65535")
    return value


HOST_PATH = r"^[a-z0-9][a-z0-9_-]*:/.+$"
SYSTEM_ID = r"^[A-Z][0-9]{1,2}$"
HOST_PORT = r"^[a-z0-9][a-z0-9_-]*:\d{1,5}(/(tcp|udp))?$"

SystemId = Annotated[str, StringConstraints(pattern=SYSTEM_ID)]
HostPath = Annotated[str, StringConstraints(pattern=HOST_PATH)]
HostPort = Annotated[str, StringConstraints(pattern=HOST_PORT), AfterValidator(check_port)]
Command = Annotated[
    str | list[str],
    BeforeValidator(parse_command, json_schema_input_type=str | list[str]),
    Field(description="a list is executed as it is; a text is given to `sh -c` on the host"),
]

Sequence = Annotated[dict[str, Any], WithJsonSchema(FORM)]
"""A pattern as plain data; `labctl.lab.sequences` checks what is in it."""


class OutputCondition(Strict):
    """A background step has printed a text."""

    step: str = Field(description="the name of an earlier step")
    contains: str = Field(min_length=1, description="the text, in its output or error output")


class CommandCondition(Strict):
    """A command ends with 0; it is tried again until it does."""

    host: HostName = Field(description="where it runs")
    run: Command


class Condition(Strict):
    """What must hold before a step starts; of several, all must."""

    listening: HostPort | None = Field(
        None,
        description="`server:8080` or `server:53/udp`: a socket of that host is bound to the "
        "port (TCP: in state LISTEN)",
    )
    file: HostPath | None = Field(None, description="`server:/srv/files/a`: the file is there")
    output: OutputCondition | None = None
    ended: str | None = Field(None, description="the name of a background step that has ended")
    succeeds: CommandCondition | None = None


class Expect(Strict):
    """How a step must end for the scenario to go on."""

    exit: int = Field(0, ge=0, le=255, description="the command's exit code")
    stdout: str | None = Field(None, description="a text that its standard output contains")


class Step(Strict):
    """One command on one host."""

    name: str | None = Field(None, description="how later steps and reports call it")
    host: HostName = Field(description="the host that runs it")
    run: Command
    when: Condition = Field(default_factory=Condition, description="it starts when this holds")
    background: bool = Field(
        False,
        description="go on while it runs; what still runs at the scenario's end is ended "
        "(SIGTERM, then SIGKILL)",
    )
    expect: Expect | None = Field(
        None,
        description="exit code and output; without it a foreground step must end with 0 and a "
        "background step may end as it likes",
    )
    timeout: Duration = Field(
        60.0,
        description="the longest time to wait for `when`, and again for the end: `500ms`, `30s`, "
        "`2m`, or a number of seconds",
    )


class Scenario(Strict):
    """Who runs what, in which order."""

    title: str | None = Field(None, description="one line for `labctl show`")
    steps: list[Step] = Field(min_length=1)
    sequence: Sequence | None = Field(
        None,
        description="the calls and segments that it must lead to, instead of `x-lab.sequence`; "
        "empty: none are wanted",
    )


class XLab(Strict):
    """The x-lab part."""

    version: Literal[1] = Field(1, description="the version of this format")
    title: str = Field(min_length=1, description="one line: what the lab shows")
    figure: str | None = Field(None, description="the textbook figure it makes real, as `6-30`")
    systems: list[SystemId] = Field(
        default_factory=list,
        description="the rows of docs/systems.md that it makes real, as `[A4, A5]`",
    )
    course: int | None = Field(
        None, ge=0, le=9999, description="its place in a course; `labctl list` sorts by it"
    )
    about: str | None = Field(None, description="a paragraph for `labctl show`")
    open_networks: dict[str, str] = Field(
        default_factory=dict,
        description="networks that may reach the world outside the lab, each with the reason; "
        "every other network is cut off from it",
    )
    links: dict[HostName, dict[str, Link]] = Field(
        default_factory=dict,
        description="by host and network: how fast, how slow, how lossy the host's way into it is",
    )
    experiment: Literal["distribution"] | None = Field(
        None,
        description="what `labctl run LAB --peers N --file F` measures on it "
        "(docs/distribution.md)",
    )
    scenarios: dict[HostName, Scenario] = Field(
        default_factory=dict, description="by name; `labctl run` plays one"
    )
    sequence: Sequence | None = Field(
        None,
        description="the calls and segments that each scenario must lead to which has no "
        "`sequence` of its own",
    )

    def sequence_of(self, scenario: str) -> dict[str, Any] | None:
        """Return the pattern of a scenario: its own, if only an empty one, else the lab's."""
        own = self.scenarios[scenario]
        return own.sequence if "sequence" in own.model_fields_set else self.sequence
