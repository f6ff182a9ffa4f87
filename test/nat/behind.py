"""Three public nodes, two of them with a relay, and one behind a router: how it is reached."""

import time

from nattest import NatTest  # first: it knows where the other modules are
from clustertest import wait_until

PUBLIC = ["n1", "n2", "n3"]
PRIVATE = "n4"
RELAYS = ["n1", "n2"]
ROUND_S = 90  # until a change is seen: node/mesh/reach.h asks every half a minute


class Behind(NatTest):
    nodes = 4

    def path(self):
        """As n3 reaches the private node. Without a question: a connection in use is not left."""
        return self.cluster.ask("n3", "why", "path", PRIVATE)["views"][0]

    def kinds(self):
        return {one["kind"] for one in self.path()["paths"]
                if one["in_use"] and one["for"] == "beats"}

    def wait_kinds(self, kinds, seconds=60):
        begun = time.monotonic()
        wait_until(lambda: self.kinds() == kinds, seconds, f"n3 reaches it by {kinds}")
        print(f"reached by {kinds} after {time.monotonic() - begun:.1f} s")
        wait_until(lambda: self.cluster.ask("n3", "link", "ping", PRIVATE, "-c", "1")["answered"],
                   30, "calls follow")
