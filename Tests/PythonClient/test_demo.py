"""The demo county as each role receives it."""

import unittest

from roost_client import Replica
from server import Server


class DemoTests(unittest.TestCase):
    """What each role receives of the demo county, against what the registrar's whole view says it should."""

    @classmethod
    def setUpClass(cls):
        cls.server = Server(demo=True)
        cls.addClassCleanup(cls.server.__exit__, None, None, None)
        cls.server.__enter__()
        cls.devices = {}
        for entry in cls.server.codes:
            device = Replica()
            cls.addClassCleanup(device.close)
            device.enrol(cls.server.url, entry["code"], entry["role"])
            device.sync()
            cls.devices[entry["role"]] = device
        whole = cls.devices["registrar"]
        cls.students = whole.rows("student")
        cls.links = whole.rows("liaison").values()
        cls.grants = whole.rows("authority_grant").values()
        cls.memberships = whole.rows("membership").values()

    def linked(self, device, kind):
        return {
            link["student"] for link in self.links
            if (link["officer"], link["kind"], link["state"]) == (device["officer"], kind, "active")
        }

    def adults(self, students):
        return {student for student in students if self.students[student]["minor"] is False}

    def test_everybody_of_the_county_is_the_registrars(self):
        self.assertGreater(len(self.students), 1500)

    def test_a_mentor_has_exactly_the_assigned(self):
        mentor = self.devices["mentor"]
        assigned = self.adults(self.linked(mentor, "mentor"))
        self.assertTrue(assigned)
        self.assertEqual(set(mentor.rows("student")), assigned)

    def test_a_liaison_officer_has_exactly_the_caseload(self):
        liaison = self.devices["liaison"]
        caseload = self.linked(liaison, "liaison")
        self.assertTrue(caseload)
        self.assertEqual(set(liaison.rows("student")), caseload)
        for student in caseload:
            seen, known = liaison.view("student", student), self.students[student]
            self.assertEqual(seen, {field: known[field] for field in seen})

    def test_a_coordinator_has_the_chapter_and_nothing_that_is_not_a_peers_business(self):
        coordinator = self.devices["coordinator"]
        chapters = {grant["target"] for grant in self.grants if grant["officer"] == coordinator["officer"]}
        members = self.adults({
            membership["student"] for membership in self.memberships
            if membership["chapter"] in chapters and membership["state"] == "active"
        })
        self.assertTrue(members)
        seen = coordinator.rows("student")
        self.assertEqual(set(seen), members)
        for view in seen.values():
            self.assertEqual({"tier", "return_intent", "tags", "id_digest"} & set(view), set())
            self.assertEqual(len(view.get("birth", "2000")), 4)
        self.assertEqual(coordinator.rows("guardian"), {})
        notes = {touch["visibility"] for touch in coordinator.rows("touch").values()}
        self.assertLessEqual(notes, {"team"})

    def test_approver_administrator_and_collector_have_no_student(self):
        for role in ("approver", "admin", "collector"):
            for collection in ("student", "guardian", "schooling", "consent", "membership", "liaison", "touch"):
                self.assertEqual(self.devices[role].rows(collection), {}, role)


if __name__ == "__main__":
    unittest.main()
