#!/usr/bin/python3
"""A private node whose router maps ports to it, and does not, and does again.

Two members dial its addresses, and so it learns which it is. Needs root (network namespaces);
elsewhere it says so and tests nothing.
"""

import subprocess
import time
import unittest

from natspace import NatCluster  # first: it knows where the other modules are
import netspace
from behind import PRIVATE, PUBLIC, RELAYS, ROUND_S, Behind
from clustertest import wait_until
from test_attach import AttachCluster

MAPPED = (21770, 21771)  # what the router's address has for the node's ports


class MappedCluster(AttachCluster):
    """The private node advertises its router's address with ports of their own."""

    def _rewrite_cluster_file(self):
        super()._rewrite_cluster_file()
        path = self.file("cluster.yaml")
        with open(path, encoding="utf-8") as file:
            text = file.read()
        told = "    nat_blocked: true\n"
        call, pub = MAPPED
        text = text.replace(told, f"{told}    advertise: {{host: {self.router(PRIVATE)}, "
                                  f"router_port: {call}, pub_port: {pub}}}\n")
        with open(path, "w", encoding="utf-8") as file:
            file.write(text)

    def router_rules(self, rules):
        subprocess.run([*self.enter("router-" + PRIVATE), "nft", "-f", "-"], check=True,
                       input=rules, text=True, capture_output=True)

    def map_ports(self):
        port = self.call_port(PRIVATE)
        rules = "\n".join(f"iifname wan0 tcp dport {outside} dnat to {self.host(PRIVATE)}:{inside}"
                          for outside, inside in zip(MAPPED, (port, port + 1)))
        self.router_rules(f"""
            table ip unmapped {{ }}
            delete table ip unmapped
            table ip mapped {{
              chain pre {{ type nat hook prerouting priority -100; {rules}
              }}
            }}
            insert rule ip flt forw ct status dnat accept
        """)

    def unmap_ports(self):
        """Connections that were made through the mapping fall silent with it."""
        self.router_rules("""
            delete table ip mapped
            table ip unmapped {
              chain forw { type filter hook forward priority -10; ct status dnat drop; }
            }
        """)


class MappedPort(Behind):
    @classmethod
    def make_cluster(cls) -> NatCluster:
        return MappedCluster([*PUBLIC, PRIVATE], [PRIVATE], RELAYS)

    # ---- what is seen --------------------------------------------------------------------------

    def dialled(self):
        return self.cluster.ask(PRIVATE, "why", "path", "n3")["views"][0]["dialled"]

    def wait_verdict(self, verdict):
        begun = time.monotonic()
        found = wait_until(lambda: (one := self.dialled())["verdict"] == verdict and one, ROUND_S,
                           f"{PRIVATE} is {verdict}")
        print(f"{verdict} after {time.monotonic() - begun:.1f} s")
        return found

    def tunnels(self):
        rows = self.cluster.ask(PRIVATE, "tunnel", "list", PRIVATE)["tunnels"]
        return [row["role"] for row in rows if row["leads_here"]]

    def check(self, found, worked):
        """Two witnesses at least say the same, of the mapped address; each says what it saw."""
        said = [one for one in found["witnesses"] if one["can_dial"] == worked]
        self.assertGreaterEqual(len(said), 2, found)
        for one in said:
            self.assertIn(one["node"], PUBLIC)
            self.assertIsNotNone(one["when"]["at"])
            mapped = [each for each in one["tries"] if each["call_port"] == MAPPED[0]]
            self.assertEqual([each["worked"] for each in mapped], [worked], found)
            self.assertEqual(bool(mapped[0]["trouble"]), not worked, found)

    # ---- the test ------------------------------------------------------------------------------

    def test_a_mapped_port_is_proven_used_left_and_found_again(self):
        self.check(self.wait_verdict("blocked"), False)
        wait_until(lambda: len(self.tunnels()) == 2, 30, "it has two tunnels")
        self.wait_kinds({"relay"})
        told = wait_until(lambda: (one := self.path())["can_be_dialled"] is False and one, 15,
                          "n3 knows that it cannot be dialled")
        vain = [one for one in told["paths"] if one["kind"] == "public"]
        self.assertTrue(all(not one["in_use"] for one in vain), vain)
        self.assertTrue(any("nobody can dial it" in one["verdict"] for one in vain), vain)
        self.cluster.map_ports()
        self.check(self.wait_verdict("direct"), True)
        self.wait_kinds({"public"})
        wait_until(lambda: len(self.tunnels()) == 1, 60, "one tunnel is kept")
        self.cluster.unmap_ports()
        self.wait_kinds({"relay"})
        self.check(self.wait_verdict("blocked"), False)
        wait_until(lambda: len(self.tunnels()) == 2, 60, "it has two tunnels again")
        self.cluster.map_ports()
        self.wait_verdict("direct")
        self.wait_kinds({"public"})
        text = self.cluster.operate("why", "path", PRIVATE, node="n3")
        self.assertIn("two members have dialled it", text)
        self.assertStillWhole()
        self.assertNobodyDied()


if __name__ == "__main__":
    netspace.entered()
    unittest.main()
