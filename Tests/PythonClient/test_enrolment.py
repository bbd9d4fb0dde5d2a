"""Bringing devices in, and what is refused before anything is read."""

import json
import pathlib
import uuid

import sessions
import wire
from roost_client import Replica
from sessions import Session, setUpModule, tearDownModule
from transport import call

VECTORS = pathlib.Path(__file__).resolve().parent.parent / "RoostSyncTests" / "Vectors"


class EnrolmentTests(Session):
    def test_a_code_counts_once_however_it_is_typed(self):
        code = sessions.server.code(sessions.people["Wang"])
        replica = Replica()
        self.addCleanup(replica.close)
        answer = replica.enrol(sessions.server.url, f" {code.lower().replace('-', ' ')} ", "laptop")
        self.assertEqual(answer["officer"], sessions.people["Wang"])
        self.assertEqual(answer["roles"], ["registrar"])
        self.assertNotIn(answer["token"], sessions.server.log_text())
        other = Replica()
        self.addCleanup(other.close)
        self.refused(401, "code_invalid", lambda: other.enrol(sessions.server.url, code, "thief"))

    def test_only_a_token_opens_and_only_for_its_replica(self):
        device = self.device("Wang")
        body = wire.write_json(device.request())
        self.refused(401, "unauthorized", lambda: call(f"{sessions.server.url}/v1/sync", "POST", body))
        stranger = "roost_" + "0" * 64
        self.refused(401, "unauthorized", lambda: call(f"{sessions.server.url}/v1/sync", "POST", body, stranger))
        stranger = wire.make_request("00000000000000ff", device.now())
        self.refused(403, "forbidden", lambda: device.send(stranger))

    def test_what_the_server_takes_and_keeps_is_told_to_anybody(self):
        limits = json.loads(call(f"{sessions.server.url}/v1/limits"))
        self.assertEqual(limits["protocol"], wire.PROTOCOL)
        self.assertEqual((limits["mutations"], limits["body_bytes"]), (5000, 8388608))
        schema = json.loads(call(f"{sessions.server.url}/v1/schema"))
        classes = {entry["name"]: entry["class"] for entry in schema["collections"]}
        self.assertEqual(classes["student"], "register")
        self.assertEqual(classes["liaison"], "authoritative")
        self.assertEqual(classes["consent"], "append_only")

    def test_a_revoked_device_is_told_and_may_say_that_it_is_wiped(self):
        one, other = self.device("Wen"), self.device("Wen")
        call(f"{sessions.server.url}/v1/devices/{other['replica']}/revoke", "POST", b"{}", one["token"])
        self.refused(403, "device_revoked", other.sync)
        path = f"{sessions.server.url}/v1/devices/{other['replica']}/purged"
        self.refused(409, "conflict", lambda: call(path, "POST", b"", one["token"]))
        call(path, "POST", b"", other["token"])
        listed = json.loads(call(f"{sessions.server.url}/v1/devices", "GET", None, one["token"]))["devices"]
        gone = next(device for device in listed if device["replica"] == other["replica"])
        self.assertIn("purged_at", gone)
        self.assertNotIn("unconfirmed", gone)
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
                    400, code, lambda: call(f"{sessions.server.url}/v1/sync", "POST", body, device["token"]))
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
