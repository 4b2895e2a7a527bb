"""Inventories of data centers: exports of many tools read as one model, with nothing lost and nothing guessed."""

from crossfade.planning.inventory.reading import read_inventory
from crossfade.planning.inventory.records import Inventory

__all__ = ["Inventory", "read_inventory"]
