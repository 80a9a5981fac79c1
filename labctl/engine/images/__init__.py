"""The images that labs run on: how they are made, named by content, stored and moved."""

from labctl.engine.images.build import ensure
from labctl.engine.images.inputs import Image, images
from labctl.engine.images.roads import Road, base_roads
from labctl.engine.images.store import Stored, load, remove, save, stored, superseded

__all__ = [
    "Image",
    "Road",
    "Stored",
    "base_roads",
    "ensure",
    "images",
    "load",
    "remove",
    "save",
    "stored",
    "superseded",
]
