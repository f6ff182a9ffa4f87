"""A class of tests with private nodes, their relays and whoever else is there, made once."""

import unittest

import natspace  # first: it knows where the other modules are
import netspace
from clustertest import ClusterTest


class NatTest(ClusterTest):
    """make_cluster() gives a natspace.NatCluster."""

    @classmethod
    def setUpClass(cls):
        if not netspace.entered():
            raise unittest.SkipTest("needs network namespaces")
        cls.cluster: natspace.NatCluster = cls.enterClassContext(cls.make_cluster())
        try:
            for relay in cls.cluster.relays:
                cls.cluster.allow(relay)
                cls.cluster.start_relay(relay)
            cls.start_beside()
            cls.cluster.start_all()
            cls.cluster.wait_whole(seconds=60)
            cls.furnish()
        except BaseException:
            cls.show_logs()
            raise

    @classmethod
    def start_beside(cls):
        """What runs before the nodes do, beside the relays."""

    @classmethod
    def furnish(cls):
        """What the tests need of a whole cluster."""
