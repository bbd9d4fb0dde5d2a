"""What each may see and hold, and how that comes and goes."""

import sessions
import values
import wire
from sessions import Session, setUpModule, tearDownModule


class ScopeTests(Session):
    def test_a_liaison_officer_enters_somebody_offline_as_one_group(self):
        liaison = self.device("Li")
        row = liaison.create("student", {"name": "New"}, group=1)
        link = liaison.create(
            "liaison",
            {"student": row, "officer": sessions.people["Li"], "kind": "liaison", "state": "active",
             "occasion": "entry", "arranged_by": sessions.people["Li"]}, group=1)
        liaison.create("schooling", {"student": row, "school_name": "Somewhere", "level": "21"}, group=1)
        self.synced(liaison, ["applied"] * 3)
        self.assertIn(row, liaison.rows("student"))
        self.assertEqual(liaison.view("student", row)["level"], "21")
        self.assertIn(link, liaison.rows("liaison"))
        alone = liaison.create("student", {"name": "Nobody's"})
        liaison.edit("student", alone, {"wechat": "hangs on it"})
        self.synced(liaison, ["out_of_scope", "depends_on"])
        self.assertNotIn(alone, liaison.rows("student"))
        self.assertEqual([mutation["row"] for mutation, _ in liaison.rejected()], [alone, alone])

    def test_a_row_leaves_when_its_assignment_ends_and_edits_made_before_are_late(self):
        registrar, liaison = self.device("Wang"), self.device("Li")
        row = self.student(registrar, mobile="+8613800000002")
        link = self.assign(registrar, row, "Li")
        liaison.sync()
        self.assertEqual(liaison.view("student", row)["mobile"], "+8613800000002")
        liaison.edit("student", row, {"wechat": "made before"})
        registrar.edit("liaison", link, {"state": "ended", "end_reason": "transfer"})
        self.synced(registrar, ["applied"])
        self.assign(registrar, row, "Lu")
        self.synced(liaison, ["late"])
        self.assertNotIn(row, liaison.rows("student"))
        self.assertNotIn(link, liaison.rows("liaison"))
        remains = liaison.database.execute("SELECT count(*) FROM image WHERE body LIKE ?", (f"%{row}%",)).fetchone()
        self.assertEqual(remains, (0,), "nothing about the student is left on the device")
        registrar.sync()
        self.assertEqual(registrar.view("student", row)["wechat"], "made before")
        liaison.edit("student", row, {"wechat": "made after"})
        self.synced(liaison, ["out_of_scope"])
        other = self.device("Lu")
        self.assertEqual(other.view("student", row)["wechat"], "made before")

    def test_a_scope_is_lost_with_the_grant_and_comes_back_with_it(self):
        admin, registrar = self.device("Ao"), self.device("Wang")
        officer = sessions.server.officer("Temp", "liaison")
        sessions.people["Temp"] = officer
        liaison = self.device("Temp")
        row = self.student(registrar)
        self.assign(registrar, row, "Temp")
        liaison.sync()
        self.assertIn(row, liaison.rows("student"))
        self.assertIn(f"liaison:{officer}", liaison.scopes())
        admin.sync()
        grant = next(key for key, value in admin.rows("authority_grant").items() if value["officer"] == officer)
        admin.edit("authority_grant", grant, {"state": "ended"})
        self.synced(admin, ["applied"])
        answer = wire.read_answer(liaison.send(liaison.request()))
        self.assertIn(f"liaison:{officer}", answer["lost"])
        self.assertTrue(answer["owed"], "the server waits for word that the scope is gone")
        liaison.apply(answer)
        confirmed = wire.read_answer(liaison.send(liaison.request()))
        self.assertTrue(confirmed["purged"])
        self.assertNotIn("owed", confirmed)
        liaison.apply(confirmed)
        liaison.sync()
        self.assertEqual(liaison.rows("student"), {})
        self.assertNotIn(f"liaison:{officer}", liaison.scopes())
        self.assertIn("commons", liaison.scopes())
        admin.edit("authority_grant", grant, {"state": "active"})
        self.synced(admin, ["applied"])
        liaison.sync()
        self.assertIn(row, liaison.rows("student"), "a scope gained again begins from nothing")

    def test_a_mentor_sees_exactly_the_assigned_and_of_them_only_what_is_shared(self):
        registrar, mentor = self.device("Wang"), self.device("Ma")
        mine = self.student(registrar, mobile="+8613800000003", tier="key", return_intent="maybe")
        minor = self.student(registrar, birth="2015-01-01")
        self.student(registrar)
        self.assign(registrar, mine, "Ma", kind="mentor")
        self.assign(registrar, minor, "Ma", kind="mentor")
        mentor.sync()
        self.assertEqual(list(mentor.rows("student")), [mine], "minors are not a mentor's")
        view = mentor.view("student", mine)
        self.assertNotIn("mobile", view)
        self.assertEqual(view["birth"], "2003")
        consent = {
            "student": mine, "purpose": "mentor_share", "state": "granted", "at": registrar.now(), "form_ref": "F-1"}
        registrar.create("consent", consent)
        self.synced(registrar, ["applied"])
        mentor.sync()
        self.assertEqual(mentor.view("student", mine)["mobile"], "+8613800000003")
        registrar.create("consent", {**consent, "state": "withdrawn", "at": registrar.now() + 1})
        self.synced(registrar, ["applied"])
        mentor.sync()
        self.assertNotIn("mobile", mentor.view("student", mine), "a narrowed view clears the field")

    def test_a_coordinator_sees_masks_and_cannot_write_through_them(self):
        registrar = self.device("Wang")
        chapter = registrar.create("chapter", {"name": "Shenzhen", "kind": "city"})
        row = registrar.create("student", {"name": "Masked", "birth": "2003-04-05", "mobile": "+8613800000004"})
        registrar.create("membership", {"chapter": chapter, "student": row})
        self.synced(registrar, ["applied"] * 3)
        sessions.people["Co"] = sessions.server.officer("Co", "coordinator", chapter)
        coordinator = self.device("Co")
        view = coordinator.view("student", row)
        self.assertEqual((view["mobile"], view["birth"]), ("138****0004", "2003"))
        self.assertEqual(view["mobile"], values.masked("phone", "+8613800000004"))
        for secret in ("tier", "return_intent", "id_digest"):
            self.assertNotIn(secret, view)
        coordinator.edit("student", row, {"mobile": "138****0004", "skills": ["go"]})
        coordinator.edit("student", row, {"mobile": "+8613900000009"})
        coordinator.edit("student", row, {"tier": "key"})
        verdicts = self.synced(coordinator, ["applied", "quarantined", "forbidden"])
        self.assertEqual(verdicts[1]["about"], "mobile")
        registrar.sync()
        self.assertEqual(registrar.view("student", row)["mobile"], "+8613800000004")
        self.assertEqual(registrar.view("student", row)["skills"], ["go"])

    def test_unknown_fields_are_kept_and_go_only_where_they_may(self):
        registrar, other, liaison = self.device("Wang"), self.device("Wen"), self.device("Li")
        row = self.student(registrar)
        self.assign(registrar, row, "Li")
        later = {"z": 1, "a": [True, None, 1.5, {"深": "x"}]}
        registrar.edit("student", row, {"of_later": later})
        registrar.edit("student", row, {"Not A Name": 1})
        self.synced(registrar, ["applied", "invalid"])
        liaison.sync()
        liaison.edit("student", row, {"wechat": "old device"})
        self.synced(liaison, ["applied"])
        other.sync()
        self.assertEqual(other.view("student", row)["of_later"], later)
        self.assertEqual(list(other.view("student", row)["of_later"]), ["z", "a"], "in the order it was written")
        self.assertNotIn("of_later", liaison.view("student", row))
        other.edit("student", row, {"of_later": None})
        self.synced(other, ["applied"])
        registrar.sync()
        self.assertNotIn("of_later", registrar.view("student", row))
