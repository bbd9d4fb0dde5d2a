"""Real sync sessions: this client against a running roostd, over HTTP on the loopback."""

import json
import os
import pathlib
import re
import unittest
import uuid

import wire
from roost_client import Refused, Replica, call, events
from server import Server

DAY = 86_400_000
YEAR = 365 * DAY
VECTORS = pathlib.Path(__file__).resolve().parent.parent / "RoostSyncTests" / "Vectors"

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


class EnrolmentTests(Session):
    def test_a_code_counts_once_however_it_is_typed(self):
        code = server.code(people["Wang"])
        replica = Replica()
        self.addCleanup(replica.close)
        answer = replica.enrol(server.url, f" {code.lower().replace('-', ' ')} ", "laptop")
        self.assertEqual(answer["officer"], people["Wang"])
        self.assertEqual(answer["roles"], ["registrar"])
        self.assertNotIn(answer["token"], server.log_text())
        other = Replica()
        self.addCleanup(other.close)
        self.refused(401, "code_invalid", lambda: other.enrol(server.url, code, "thief"))

    def test_only_a_token_opens_and_only_for_its_replica(self):
        device = self.device("Wang")
        body = wire.write_json(device.request())
        self.refused(401, "unauthorized", lambda: call(f"{server.url}/v1/sync", "POST", body))
        self.refused(401, "unauthorized", lambda: call(f"{server.url}/v1/sync", "POST", body, "roost_" + "0" * 64))
        stranger = wire.make_request("00000000000000ff", device.now())
        self.refused(403, "forbidden", lambda: device.send(stranger))

    def test_what_the_server_takes_and_keeps_is_told_to_anybody(self):
        limits = json.loads(call(f"{server.url}/v1/limits"))
        self.assertEqual(limits["protocol"], wire.PROTOCOL)
        self.assertEqual((limits["mutations"], limits["body_bytes"]), (5000, 8388608))
        schema = json.loads(call(f"{server.url}/v1/schema"))
        classes = {entry["name"]: entry["class"] for entry in schema["collections"]}
        self.assertEqual(classes["student"], "register")
        self.assertEqual(classes["liaison"], "authoritative")
        self.assertEqual(classes["consent"], "append_only")

    def test_a_revoked_device_is_told(self):
        one, other = self.device("Wen"), self.device("Wen")
        call(f"{server.url}/v1/devices/{other['replica']}/revoke", "POST", b"{}", one["token"])
        self.refused(403, "device_revoked", other.sync)
        one.sync()

    def test_malformed_requests_get_the_codes_of_the_vectors(self):
        device = self.device("Wang")
        cases = json.loads((VECTORS / "malformed.json").read_text(encoding="utf-8"))["cases"]
        sent = 0
        for case in cases:
            given, expected = case["input"], case["expected"]
            if given["kind"] != "request":
                continue
            body = given["text"].encode("utf-8") if "text" in given else bytes.fromhex(given["hexadecimal"])
            code = expected["code"] if expected["code"] == "unsupported_version" else "malformed_request"
            with self.subTest(case["description"]):
                refusal = self.refused(
                    400, code, lambda: call(f"{server.url}/v1/sync", "POST", body, device["token"]))
                self.assertIn(expected["code"], refusal.message)
                sent += 1
        self.assertGreater(sent, 40)
        device.sync()

    def test_too_much_is_refused_before_it_is_read(self):
        device = self.device("Wang")
        huge = device.request()
        huge["epoch"] = "x" * 9_000_000
        try:
            self.refused(413, "body_too_large", lambda: device.send(huge))
        except OSError:
            pass  # The server may close while the body is still being sent.
        many = [
            wire.make_mutation(number, "student", str(uuid.uuid4()), "delete", "0" * 16) for number in range(1, 5002)
        ]
        self.refused(413, "too_many_mutations", lambda: device.send(device.request(many)))
        self.assertEqual(wire.read_answer(device.send(device.request([])))["expected"], 1)


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
        # Whatever a repeat says now: the first time counts.
        changed = json.loads(json.dumps(request))
        changed["mutations"][0]["fields"]["name"] = "Twice"
        self.assertEqual(raw_verdicts(device.send(changed)), raw_verdicts(first))
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
        small = server.device(people["Wen"])
        self.addCleanup(small.close)
        fresh = Replica()
        self.addCleanup(fresh.close)
        fresh.enrol(server.url, server.code(people["Wen"]), "paged")
        _, rounds = fresh.sync(page_bytes=4096)
        self.assertGreater(rounds, 10)
        one.sync()
        for other in (one, small):
            self.assertEqual(fresh.rows("student"), other.rows("student"))
        self.assertEqual(fresh.rows("school"), one.rows("school"))

    def test_a_large_scope_comes_as_a_file_that_holds_what_pages_hold(self):
        paged, fresh = self.device("Wang"), Replica()
        self.addCleanup(fresh.close)
        fresh.enrol(server.url, server.code(people["Wang"]), "by file")
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
        server.stop(kill=True)
        server.start()
        device["url"] = server.url
        self.assertEqual(raw_verdicts(device.send(request)), raw_verdicts(first))
        device.sync()
        self.assertEqual(device.view("student", row)["name"], "Survivor")


class EventTests(Session):
    def test_a_watcher_is_told_what_others_do_in_its_scopes_until_its_token_ends(self):
        one, other = self.device("Wang"), self.device("Wen")
        stream = events(server.url, one["token"])
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
        call(f"{server.url}/v1/devices/{one['replica']}/revoke", "POST", b"{}", one["token"])
        self.assertEqual(list(stream), [("end", {"reason": "credentials"})])
        self.refused(403, "device_revoked", lambda: next(events(server.url, one["token"])))

    def test_a_newer_stream_ends_the_older_and_nobody_watches_without_a_token(self):
        device = self.device("Wang")
        older = events(server.url, device["token"])
        self.assertEqual(next(older)[0], "open")
        newer = events(server.url, device["token"])
        self.addCleanup(newer.close)
        self.assertEqual(next(newer)[0], "open")
        self.assertEqual(list(older), [("end", {"reason": "replaced"})])
        self.refused(401, "unauthorized", lambda: next(events(server.url, "roost_" + "0" * 64)))


class RecoveryTests(Session):
    """A server put back from an old copy, with its own data: nothing here may disturb the others."""

    def test_a_server_put_back_by_hand_gets_its_edits_back_under_their_stamps(self):
        with Server() as other:
            officer = other.officer("Wang", "registrar")
            first, second = other.device(officer), other.device(officer)
            for device in (first, second):
                self.addCleanup(device.close)
            row = first.create("student", {"name": "Before"})
            self.synced(first, ["applied"])
            second.sync()
            database = pathlib.Path(other.data, "server.sqlite")
            copy = pathlib.Path(other.run("backup", os.path.join(other.folder.name, "copy"))["backup"]).read_bytes()
            first.edit("student", row, {"name": "After"})
            later = first.create("student", {"name": "Later"})
            self.synced(first, ["applied", "applied"])
            stamps = [image["stamp"] for image in first._images("student", later)]
            second.sync()
            second.edit("student", later, {"name": "Latest"})
            self.synced(second, ["applied"])
            third = other.device(officer)
            self.addCleanup(third.close)
            mine = third.create("student", {"name": "Mine"})
            self.synced(third, ["applied"])
            # Stopping writes how far the server has come; killed, it knows what it wrote within the last minute.
            other.stop()
            for suffix in ("-wal", "-shm"):
                pathlib.Path(other.data, "server.sqlite" + suffix).unlink(missing_ok=True)
            database.write_bytes(copy)
            other.start()
            epoch = first["epoch"]
            first["url"] = second["url"] = third["url"] = other.url
            # The second brings an edit of a row that only the first can bring.
            self.synced(second, ["quarantined"])
            self.assertNotEqual(second["epoch"], epoch)
            self.synced(first, ["applied", "applied"])
            # The server does not know the third any more: it enrols again over its data.
            self.refused(401, "unauthorized", third.sync)
            third.enrol(other.url, other.code(officer), "test device")
            self.synced(third, ["applied"])
            for device in (first, second, third):
                device.sync()
                self.assertEqual(device.view("student", row)["name"], "After")
                self.assertEqual(device.view("student", later)["name"], "Latest")
                self.assertEqual(device.view("student", mine)["name"], "Mine")
            self.assertEqual([image["stamp"] for image in first._images("student", later)], stamps)
            report = other.run("recovery")["epochs"][0]
            self.assertEqual(report["reason"], "sequence_lost")
            self.assertEqual(report["awaited"], 0)

    def test_a_second_copy_of_a_device_is_told_before_anything_is_lost(self):
        device = self.device("Wang")
        copy = Replica()
        self.addCleanup(copy.close)
        device.database.backup(copy.database)
        copy.schema = device.schema
        device.create("student", {"name": "One"})
        self.synced(device, ["applied"])
        row = copy.create("student", {"name": "Other"})
        answer = wire.read_answer(copy.send(copy.request()))
        self.assertTrue(answer["copied"])
        self.assertEqual(answer["verdicts"], [])
        copy.apply(answer)
        self.assertEqual([mutation["row"] for mutation in copy.pending()], [row])


class RefusalTests(Session):
    def test_each_refusal_keeps_the_value_on_the_device(self):
        registrar, liaison = self.device("Wang"), self.device("Li")
        row = self.student(registrar)
        harvest = registrar.create("stage_event", {"student": row, "kind": "enrolled"})
        self.synced(registrar, ["applied"])
        self.assertEqual(registrar.problems("student", {"mobile": "123"}), {"mobile": "malformed"})
        registrar.edit("student", row, {"mobile": "123"})
        registrar.edit("student", row, {"gender": "7"})
        registrar.edit("student", row, {"name": None})
        registrar.edit("student", row, {"stage": "seeking"})
        registrar.edit("stage_event", harvest, {"kind": "seeking"})
        registrar.create("student", {"name": "Again"}, row=row)
        registrar.edit("student", row, {"wechat": "fine"})
        verdicts = self.synced(
            registrar, ["invalid", "invalid", "invalid", "invalid", "append_only", "duplicate", "applied"])
        self.assertEqual(
            [(verdict["about"], verdict["problem"]) for verdict in verdicts[:4]],
            [("mobile", "malformed"), ("gender", "unknown_code"), ("name", "required"), ("stage", "derived")])
        self.assertEqual(registrar.view("student", row)["wechat"], "fine")
        self.assertEqual(registrar.view("student", row)["name"], "Han")
        self.assertEqual(len(registrar.rejected()), 6)
        self.assertEqual(registrar.rejected()[0][0]["fields"], {"mobile": "123"})
        self.assertNotIn(row, liaison.rows("student"))

    def test_hidden_and_missing_rows_look_the_same(self):
        registrar, liaison = self.device("Wang"), self.device("Li")
        hidden, missing = self.student(registrar), str(uuid.uuid4())
        event = registrar.create("stage_event", {"student": hidden, "kind": "enrolled"})
        self.synced(registrar, ["applied"])
        for row, about in [(hidden, event), (missing, missing)]:
            liaison.edit("student", row, {"wechat": "guess"})
            liaison.delete("student", row)
            liaison.edit("stage_event", about, {"kind": "seeking"})
            liaison.create("stage_event", {"student": row, "kind": "seeking"})
        verdicts = self.synced(liaison, ["out_of_scope"] * 8)
        bare = [{name: value for name, value in verdict.items() if name != "number"} for verdict in verdicts]
        self.assertEqual(bare[:4], bare[4:])

    def test_an_authoritative_row_takes_only_edits_of_its_current_version(self):
        one, other = self.device("Wang"), self.device("Wen")
        chapter = one.create("chapter", {"name": "Guangzhou", "kind": "city"})
        self.synced(one, ["applied"])
        other.sync()
        one.edit("chapter", chapter, {"city": "广州"})
        one.edit("chapter", chapter, {"note": "twice offline"})
        other.edit("chapter", chapter, {"city": "深圳"})
        self.synced(one, ["applied", "applied"])
        self.synced(other, ["stale"])
        self.assertEqual(other.view("chapter", chapter)["city"], "广州", "the truth came with the verdict")
        other.edit("chapter", chapter, {"city": "深圳"})
        self.synced(other, ["applied"])

    def test_a_group_applies_as_a_whole_or_not_at_all(self):
        registrar = self.device("Wang")
        row = self.student(registrar)
        registrar.edit("student", row, {"wechat": "half"}, group=1)
        registrar.edit("student", row, {"mobile": "bad"}, group=1)
        registrar.edit("student", row, {"email": "whole@example.com"}, group=2)
        registrar.edit("student", row, {"note_public": "whole"}, group=2)
        self.synced(registrar, ["depends_on", "invalid", "applied", "applied"])
        view = registrar.view("student", row)
        self.assertNotIn("wechat", view)
        self.assertEqual((view["email"], view["note_public"]), ("whole@example.com", "whole"))

    def test_a_base_nobody_issued_is_refused_and_gains_nothing(self):
        forger, honest = self.device("Wang"), self.device("Wen")
        row = self.student(honest)
        forger.sync()
        forged = wire.make_mutation(
            1, "student", row, "edit", wire.time_text(forger.now()), base="ffffffffffff0000-00000000000000ff",
            fields={"wechat": "forged"})
        own = wire.make_mutation(
            2, "student", row, "edit", wire.time_text(forger.now()),
            base=f"ffffffffffff0000-{forger['replica']}", fields={"wechat": "own"})
        answer = wire.read_answer(forger.send(forger.request([forged, own])))
        self.assertEqual(answer["verdicts"][0]["code"], "invalid_base")
        honest.sync()
        honest.edit("student", row, {"wechat": "honest"})
        self.synced(honest, ["applied"])
        self.assertEqual(honest.view("student", row)["wechat"], "honest")


class ScopeTests(Session):
    def test_a_liaison_officer_enters_somebody_offline_as_one_group(self):
        liaison = self.device("Li")
        row = liaison.create("student", {"name": "New"}, group=1)
        link = liaison.create(
            "liaison",
            {"student": row, "officer": people["Li"], "kind": "liaison", "state": "active", "occasion": "entry",
             "arranged_by": people["Li"]}, group=1)
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
        officer = server.officer("Temp", "liaison")
        people["Temp"] = officer
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
        liaison.apply(answer)
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
        people["Co"] = server.officer("Co", "coordinator", chapter)
        coordinator = self.device("Co")
        view = coordinator.view("student", row)
        self.assertEqual((view["mobile"], view["birth"]), ("138****0004", "2003"))
        self.assertEqual(view["mobile"], wire.masked("phone", "+8613800000004"))
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
