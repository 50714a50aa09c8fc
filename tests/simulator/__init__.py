"""A server that plays a Hyper-V host's WS-Management on the loopback, and on request plays it badly.

It shares no code with the client under test: what it imitates comes from recordings and specifications, named in the
modules.
"""

from tests.simulator.played import Fault, Message, Played
from tests.simulator.server import Simulator
from tests.simulator.snapshots import played_from_snapshot_line

__all__ = ["Fault", "Message", "Played", "Simulator", "played_from_snapshot_line"]
