"""Takes captured datagrams apart, field by field: IP header, UDP header, and SNMP in BER."""

from labctl.observe.dissect.messages import messages
from labctl.observe.dissect.model import Field, Message, Part

__all__ = ["Field", "Message", "Part", "messages"]
