"""What x-lab says of links: how fast, how slow, how lossy a host's way into a network is."""

from __future__ import annotations

import re
from typing import Annotated

from pydantic import BeforeValidator, Field, model_validator

from labctl.lab.basic import Duration, Strict

BITS_PER_UNIT = {"bit": 1, "kbit": 1_000, "mbit": 1_000_000, "gbit": 1_000_000_000}
"""The units of tc(8): a kbit is 1,000 bit."""
LEAST_RATE, MOST_RATE = 8_000, 100_000_000_000


def parse_rate(value: object) -> int:
    """Return the bits a second that `500kbit`, `40mbit` or `1gbit` stand for.

    Raises ValueError for anything else, and outside 8 kbit/s to 100 Gbit/s.
    """
    match = re.fullmatch(r"(\d+(?:\.\d+)?)([kmg]?bit)", str(value).strip().lower())
    rate = round(float(match[1]) * BITS_PER_UNIT[match[2]]) if match else 0
    if not LEAST_RATE <= rate <= MOST_RATE:
        raise ValueError(
            f"not a rate: {value!r} (write it as 500kbit, 40mbit or 1gbit, 8kbit at least)"
        )
    return rate


def parse_share(value: object) -> float:
    """Return the share, 0 to 1, that `1%` or `0.5%` stands for.

    Raises ValueError for anything else, for 0 % and for 100 %.
    """
    match = re.fullmatch(r"(\d+(?:\.\d+)?) ?%", str(value).strip())
    share = float(match[1]) / 100 if match else 0.0
    if not 0 < share < 1:
        raise ValueError(f"not a share of packets: {value!r} (write it as 1%, above 0% below 100%)")
    return share


Rate = Annotated[int, BeforeValidator(parse_rate, json_schema_input_type=str)]
Share = Annotated[float, BeforeValidator(parse_share, json_schema_input_type=str)]


class Link(Strict):
    """A host's way into a network: what holds for the packets that it sends there."""

    rate: Rate | None = Field(None, description="bits a second: `500kbit`, `40mbit`, `1gbit`")
    delay: Duration | None = Field(
        None, description="how much later each packet arrives: `20ms`; needs a kernel with netem"
    )
    loss: Share | None = Field(None, description="the share of packets that get lost: `1%`")

    @model_validator(mode="after")
    def _says_something(self) -> Link:
        if self.rate is None and self.delay is None and self.loss is None:
            raise ValueError("a link that is as any other (give it a rate, a delay or a loss)")
        return self


def in_words(link: Link) -> str:
    """Return a link as one line: `40 Mbit/s, 20 ms, 1 % lost`."""
    words = []
    if link.rate is not None:
        words.append(rate_words(link.rate))
    if link.delay is not None:
        words.append(f"{link.delay * 1000:g} ms")
    if link.loss is not None:
        words.append(f"{link.loss * 100:g} % lost")
    return ", ".join(words)


def rate_words(rate: float) -> str:
    """Return bits a second with the unit that suits them: `40 Mbit/s`."""
    for factor, unit in ((1e9, "Gbit/s"), (1e6, "Mbit/s"), (1e3, "kbit/s")):
        if rate >= factor:
            return f"{rate / factor:g} {unit}"
    return f"{rate:g} bit/s"
