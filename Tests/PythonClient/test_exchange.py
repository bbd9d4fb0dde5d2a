"""What devices exchange with a running server, and what it tells of what others do."""

import json
import uuid

import sessions
import wire
from roost_client import Replica
from sessions import YEAR, Session, raw_verdicts, setUpModule, tearDownModule
from transport import call, events


class ExchangeTests(Session):
    def test_an_idle_exchange_is_small_and_says_nothing(self):
        device = self.device("Wang")
        request = device.request()
        answer = device.send(request)
        self.assertEqual(wire.read_answer(answer)["scopes"], [])
        self.assertLess(len(wire.write_json(request)) + len(answer), 700)

    def test_edits_made_offline_arrive_everywhere(self):
        one, other = self.device("Wang"), self.device("Wen")
        row = one.create("student", {"name": "冼晓", "birth": "2004-02", "mobile": "+8613800000001"})
        one.edit("student", row, {"wechat": "xx-1"})
        self.assertEqual(one.view("student", row)["wechat"], "xx-1", "shown before it is sent")
        self.synced(one, ["applied", "applied"])
        other.sync()
        self.assertEqual(other.view("student", row), one.view("student", row))
        self.assertEqual(other.view("student", row)["minor"], False, "the server derives")

    def test_different_fields_do_not_meet(self):
        one, other = self.device("Wang"), self.device("Wen")
        row = self.student(one)
        other.sync()
        one.edit("student", row, {"wechat": "one"})
        other.edit("student", row, {"email": "two@example.com"})
        self.synced(one, ["applied"])
        self.synced(other, ["applied"])
        one.sync()
        for device in (one, other):
            self.assertEqual(device.view("student", row)["wechat"], "one")
            self.assertEqual(device.view("student", row)["email"], "two@example.com")

    def test_the_same_field_has_one_winner_and_the_loser_can_be_settled(self):
        for first, second in [(0, 1), (1, 0)]:
            devices = [self.device("Wang"), self.device("Wen")]
            row = self.student(devices[0])
            devices[1].sync()
            devices[0].ago, devices[1].ago = 20_000, 10_000
            devices[0].edit("student", row, {"wechat": "earlier"})
            devices[1].edit("student", row, {"wechat": "later"})
            devices[0].ago = devices[1].ago = 0
            expected = ["applied"] if second == 1 else ["merged"]
            self.synced(devices[first], ["applied"])
            verdict = self.synced(devices[second], expected)[0]
            self.assertEqual(verdict.get("lost", []), [] if second == 1 else ["wechat"])
            for device in devices:
                device.sync()
                self.assertEqual(device.view("student", row)["wechat"], "later")
            conflicts = {
                key: conflict for key, conflict in devices[0].rows("conflict").items()
                if conflict["concerned_row"] == row
            }
            self.assertEqual([conflict["losing_value"] for conflict in conflicts.values()], [["earlier"]])
            key = next(iter(conflicts))
            devices[0].edit("student", row, {"wechat": "earlier"})
            devices[0].edit("conflict", key, {"state": "settled"})
            self.synced(devices[0], ["applied", "applied"])
            devices[1].sync()
            self.assertEqual(devices[1].view("student", row)["wechat"], "earlier")
            self.assertEqual(devices[1].view("conflict", key)["state"], "settled")

    def test_edits_of_other_fields_made_unseen_both_stand_and_are_noted(self):
        one, other = self.device("Wang"), self.device("Wen")
        row = self.student(one)
        other.sync()
        one.edit("student", row, {"wechat": "w"})
        self.synced(one, ["applied"])
        other.edit("student", row, {"note_public": "n"})
        self.synced(other, ["applied"])
        one.sync()

        def notes():
            return [
                (note["earlier_fields"], note["later_fields"])
                for note in one.rows("parallel_edit").values() if note["concerned_row"] == row
            ]

        self.assertEqual(notes(), [(["wechat"], ["note_public"])])
        view = one.view("student", row)
        self.assertEqual((view["wechat"], view["note_public"]), ("w", "n"))
        # Whoever has seen the other's edit makes no note.
        one.edit("student", row, {"wechat": "again"})
        self.synced(one, ["applied"])
        self.assertEqual(len(notes()), 1)

    def test_deletion_and_restoration_are_registers(self):
        one, other = self.device("Wang"), self.device("Wen")
        row = self.student(one)
        other.sync()
        one.delete("student", row)
        other.edit("student", row, {"wechat": "kept"})
        self.synced(one, ["applied"])
        self.assertTrue(self.synced(other, ["applied"])[0]["deleted"])
        self.assertIsNone(other.view("student", row))
        one.restore("student", row)
        self.synced(one, ["applied"])
        self.assertEqual(one.view("student", row)["wechat"], "kept")

    def test_a_repeat_gets_the_same_bytes_and_does_nothing(self):
        device = self.device("Wang")
        row = device.create("student", {"name": "Once"})
        device.edit("student", row, {"mobile": "not a phone"})
        device.create("student", {"name": "Once"}, row=row)
        request = device.request()
        first = device.send(request)
        self.assertEqual(self.outcomes(wire.read_answer(first)["verdicts"]), ["applied", "invalid", "duplicate"])
        for _ in range(3):
            self.assertEqual(raw_verdicts(device.send(request)), raw_verdicts(first))
        # What says anything else under the same number comes from a copy of the replica, and nothing of it is decided.
        changed = json.loads(json.dumps(request))
        changed["mutations"][0]["fields"]["name"] = "Twice"
        answer = wire.read_answer(device.send(changed))
        self.assertEqual((answer["verdicts"], answer["copied"]), ([], True))
        device.sync()
        self.assertEqual(device.view("student", row)["name"], "Once")
        device.edit("student", row, {"name": "Later"})
        self.synced(device, ["applied"])
        self.assertEqual(raw_verdicts(device.send(request)), raw_verdicts(first))
        device.sync()
        self.assertEqual(device.view("student", row)["name"], "Later")

    def test_a_gap_gets_the_expected_number(self):
        device = self.device("Wang")
        for name in ("One", "Two", "Three"):
            device.create("student", {"name": name})
        first, second, third = device.pending()
        answer = wire.read_answer(device.send(device.request([third])))
        self.assertEqual((answer["verdicts"], answer["expected"]), ([], 1))
        answer = wire.read_answer(device.send(device.request([first, third])))
        self.assertEqual((self.outcomes(answer["verdicts"]), answer["expected"]), (["applied"], 2))
        self.synced(device, ["applied", "applied", "applied"])

    def test_a_new_incarnation_begins_again_and_the_old_is_refused(self):
        device = self.device("Wang")
        device.create("student", {"name": "Old"})
        self.synced(device, ["applied"])
        fresh = wire.make_mutation(1, "student", str(uuid.uuid4()), "create", wire.time_text(device.now()),
                                   fields={"name": "New"})
        copy = {**device.request([fresh]), "incarnation": 2, "answered": 0}
        self.assertEqual(self.outcomes(wire.read_answer(device.send(copy))["verdicts"]), ["applied"])
        old = wire.make_mutation(2, "student", str(uuid.uuid4()), "create", wire.time_text(device.now()),
                                 fields={"name": "Ghost"})
        self.refused(409, "conflict", lambda: device.send(device.request([old])))

    def test_a_wrong_clock_neither_wins_nor_blocks(self):
        ahead, right = self.device("Wang", skew=2 * YEAR), self.device("Wen")
        row = self.student(right)
        ahead.sync()
        ahead.ago, right.ago = 60_000, 30_000
        ahead.edit("student", row, {"wechat": "from the future"})
        right.edit("student", row, {"wechat": "a little later"})
        self.synced(ahead, ["applied"])
        self.assertAlmostEqual(ahead["offset"], 2 * YEAR, delta=2000)
        self.synced(right, ["applied"])
        ahead.sync()
        self.assertEqual(ahead.view("student", row)["wechat"], "a little later")
        # And a device behind beats what it has seen.
        behind = self.device("Wen", skew=-2 * YEAR)
        behind.ago = 120_000
        behind.edit("student", row, {"wechat": "seen and changed"})
        self.synced(behind, ["applied"])
        self.assertEqual(behind.view("student", row)["wechat"], "seen and changed")

    def test_small_pages_bring_the_same_rows(self):
        device, one = self.device("Wang"), self.device("Wen")
        for number in range(60):
            device.create("student", {"name": f"Pupil {number}", "note_public": "x" * 200})
        self.synced(device, ["applied"] * 60)
        small = sessions.server.device(sessions.people["Wen"])
        self.addCleanup(small.close)
        fresh = Replica()
        self.addCleanup(fresh.close)
        fresh.enrol(sessions.server.url, sessions.server.code(sessions.people["Wen"]), "paged")
        _, rounds = fresh.sync(page_bytes=4096)
        self.assertGreater(rounds, 10)
        one.sync()
        for other in (one, small):
            self.assertEqual(fresh.rows("student"), other.rows("student"))
        self.assertEqual(fresh.rows("school"), one.rows("school"))

    def test_a_large_scope_comes_as_a_file_that_holds_what_pages_hold(self):
        paged, fresh = self.device("Wang"), Replica()
        self.addCleanup(fresh.close)
        fresh.enrol(sessions.server.url, sessions.server.code(sessions.people["Wang"]), "by file")
        fresh.snapshots = True
        taken = []
        take = fresh.take
        fresh.take = lambda page: (taken.append(page["scope"]), take(page))
        fresh.sync()
        self.assertIn("commons", taken)
        for collection in ("school", "officer", "student"):
            self.assertEqual(fresh.rows(collection), paged.rows(collection))
        self.assertGreater(len(fresh.rows("school")), 2000)
        self.assertEqual(fresh.sync()[1], 1)

    def test_verdicts_and_rows_survive_a_kill(self):
        device = self.device("Wang")
        row = device.create("student", {"name": "Survivor"})
        request = device.request()
        first = device.send(request)
        sessions.server.stop(kill=True)
        sessions.server.start()
        device["url"] = sessions.server.url
        self.assertEqual(raw_verdicts(device.send(request)), raw_verdicts(first))
        device.sync()
        self.assertEqual(device.view("student", row)["name"], "Survivor")


class EventTests(Session):
    def test_a_watcher_is_told_what_others_do_in_its_scopes_until_its_token_ends(self):
        one, other = self.device("Wang"), self.device("Wen")
        stream = events(sessions.server.url, one["token"])
        self.addCleanup(stream.close)
        name, data = next(stream)
        self.assertEqual((name, list(data)), ("open", ["heartbeat_seconds"]))
        row = self.student(other)
        name, data = next(stream)
        self.assertEqual((name, data["scopes"]), ("moved", ["county"]))
        one.sync()
        self.assertEqual(one.view("student", row)["name"], "Han")
        # Its own edits are no news; the next thing told is the end.
        self.student(one)
        call(f"{sessions.server.url}/v1/devices/{one['replica']}/revoke", "POST", b"{}", one["token"])
        self.assertEqual(list(stream), [("end", {"reason": "credentials"})])
        self.refused(403, "device_revoked", lambda: next(events(sessions.server.url, one["token"])))

    def test_a_newer_stream_ends_the_older_and_nobody_watches_without_a_token(self):
        device = self.device("Wang")
        older = events(sessions.server.url, device["token"])
        self.assertEqual(next(older)[0], "open")
        newer = events(sessions.server.url, device["token"])
        self.addCleanup(newer.close)
        self.assertEqual(next(newer)[0], "open")
        self.assertEqual(list(older), [("end", {"reason": "replaced"})])
        self.refused(401, "unauthorized", lambda: next(events(sessions.server.url, "roost_" + "0" * 64)))
