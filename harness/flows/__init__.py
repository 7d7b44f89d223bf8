"""Flows: what users do (log in, use, refresh, write, log out), driven as the target's own front end would.

A flow acts and records; it judges nothing. Logged in means: the probe answers as that user. A flow that cannot do
its part raises `Inconclusive` with one cause, the same for everything that depends on it. Each module is a layer that
can a little more than the one before: calling, proving, signing in, refreshing, all flows.
"""

from harness.flows.calling import body_of, filled
from harness.flows.flows import Flows, new_marker
from harness.flows.signing_in import LOGIN_BROKEN, MISSING, OWN, THROTTLED

__all__ = ["LOGIN_BROKEN", "MISSING", "OWN", "THROTTLED", "Flows", "body_of", "filled", "new_marker"]
