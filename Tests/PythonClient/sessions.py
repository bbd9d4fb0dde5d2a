"""What the tests of real sync sessions share: one running roostd on the loopback, and people with devices."""

import re
import unittest

from server import Server
from transport import Refused

DAY = 86_400_000
YEAR = 365 * DAY

server = None
people = {}


def setUpModule():
    global server
    server = Server()
    server.__enter__()
    for name, role in [("Wang", "registrar"), ("Wen", "registrar"), ("Li", "liaison"), ("Lu", "liaison"),
                       ("Ma", "mentor"), ("Ao", "admin")]:
        people[name] = server.officer(name, role)


def tearDownModule():
    server.__exit__(None, None, None)


def raw_verdicts(answer):
    """The text of the verdicts as it stands in the answer, byte for byte."""
    match = re.search(rb'"verdicts":(\[.*?\])(?=,"lost"|,"scopes"|\}$)', answer)
    return match[1] if match else b""


class Session(unittest.TestCase):
    """Devices that are closed when a test ends."""

    def device(self, name, skew=0):
        device = server.device(people[name], skew)
        self.addCleanup(device.close)
        return device

    def outcomes(self, verdicts):
        return [verdict.get("code", verdict["verdict"]) for verdict in verdicts]

    def synced(self, device, expected):
        """Syncs, and checks what became of the pending mutations."""
        verdicts, _ = device.sync()
        self.assertEqual(self.outcomes(verdicts), expected, verdicts)
        self.assertEqual(device.pending(), [])
        return verdicts

    def refused(self, status, code, action):
        with self.assertRaises(Refused) as raised:
            action()
        self.assertEqual((raised.exception.status, raised.exception.code), (status, code))
        return raised.exception

    def student(self, device, **fields):
        """A student of age, created ten minutes ago and synced by a registrar's device."""
        device.ago = 600_000
        row = device.create("student", {"name": "Han", "birth": "2003-04-05", **fields})
        device.ago = 0
        self.synced(device, ["applied"])
        return row

    def assign(self, registrar, student, officer, kind="liaison"):
        link = registrar.create(
            "liaison", {"student": student, "officer": people[officer], "kind": kind, "state": "active"})
        self.synced(registrar, ["applied"])
        return link
