"""Runs the JSON vectors of the engine's tests against this client."""

import json
import pathlib
import unittest

import merge_rules
import values
import wire

VECTORS = pathlib.Path(__file__).resolve().parent.parent / "RoostSyncTests" / "Vectors"


class VectorTests(unittest.TestCase):
    maxDiff = None

    def cases(self, name):
        document = json.loads((VECTORS / f"{name}.json").read_text(encoding="utf-8"))
        self.assertTrue(document["cases"])
        for case in document["cases"]:
            self.case = f"{name}: {case['description']}"
            yield case["input"], case["expected"]

    def _formatMessage(self, msg, standard):
        return super()._formatMessage(f"{getattr(self, 'case', '')} {msg or ''}", standard)

    def test_every_file_is_run(self):
        run = {
            "stamps", "stamp-order", "clock", "effective-time", "clock-correction", "merge", "requests", "verdicts",
            "answers", "malformed", "masks", "values",
        }
        self.assertEqual({path.stem for path in VECTORS.glob("*.json")}, run)

    def test_stamps(self):
        for given, expected in self.cases("stamps"):
            stamp = wire.parse_stamp(given["text"])
            if "invalid" in expected:
                self.assertIsNone(stamp)
            else:
                self.assertEqual(stamp, (expected["milliseconds"], expected["counter"], expected["replica"]))

    def test_stamp_order(self):
        for given, expected in self.cases("stamp-order"):
            self.assertEqual(sorted(given["stamps"]), expected["sorted"])
            self.assertEqual(sorted(given["stamps"], key=wire.parse_stamp), expected["sorted"])

    def test_clock(self):
        for given, expected in self.cases("clock"):
            last, times = int(given["last"], 16), []
            for wall in given["walls"]:
                last = wire.tick(last, wall)
                times.append(format(last, "016x"))
            self.assertEqual(times, expected["times"])

    def test_effective_time(self):
        for given, expected in self.cases("effective-time"):
            self.assertEqual(merge_rules.effective_time(**given), expected["time"])

    def test_clock_correction(self):
        for given, expected in self.cases("clock-correction"):
            offset, time = merge_rules.correct(**given)
            self.assertEqual({"offset": offset, "time": time}, expected)

    def test_merge(self):
        for given, expected in self.cases("merge"):
            stored = given["row"]
            row = merge_rules.Row(
                stored["fields"], stored["stamp"], stored.get("stamps", {}), stored.get("deleted", False),
                stored.get("deletion"))
            losses = []
            for mutation in given["mutations"]:
                losses += row.merge(given["declared"], mutation)
            self.assertEqual(losses, expected["losses"])
            self.assertEqual(
                {field: value for field, value in row.values.items() if value is not None}, expected["fields"])
            self.assertEqual(row.stamps, expected["stamps"])
            self.assertEqual(row.deleted, expected["deleted"])
            if "deletion" in expected:
                self.assertEqual(row.deletion, expected["deletion"])

    def test_requests(self):
        for given, expected in self.cases("requests"):
            read = wire.read_json(given["text"].encode("utf-8"))
            known = {"replica", "now", "catalogue", "incarnation", "epoch", "mark", "mutations", "scopes", "page_bytes",
                     "answered", "unrecovered", "snapshots", "boots", "run", "purged", "owed"}
            made = wire.make_request(**{name: value for name, value in read.items() if name in known})
            self.assertEqual(wire.write_json(made).decode("utf-8"), self.respelled(expected["text"]))
            self.assertEqual(made, json.loads(expected["text"]))

    def respelled(self, text):
        """The same JSON as this client's writer spells it: Python escapes U+0001 in another way than it must."""
        return json.dumps(json.loads(text), ensure_ascii=False, separators=(",", ":"))

    def test_verdicts(self):
        for given, expected in self.cases("verdicts"):
            answer = {"protocol": 1, "now": 0, "epoch": "e", "expected": 1, "verdicts": [json.loads(expected["text"])]}
            self.assertEqual(wire.read_answer(wire.write_json(answer))["verdicts"], [given])

    def test_answers(self):
        for given, expected in self.cases("answers"):
            self.assertEqual(wire.read_answer(given["text"].encode("utf-8")), expected)

    def test_malformed_answers(self):
        for given, expected in self.cases("malformed"):
            if given["kind"] != "answer":
                continue  # Requests are sent to a server in the sessions.
            with self.assertRaises(wire.WireError) as raised:
                wire.read_answer(given["text"].encode("utf-8"))
            self.assertEqual(raised.exception.code, expected["code"])
            if "member" in expected:
                self.assertEqual(raised.exception.member, expected["member"])

    def test_masks(self):
        for given, expected in self.cases("masks"):
            self.assertEqual(values.masked(given["mask"], given["value"]), expected["value"])

    def test_values(self):
        for given, expected in self.cases("values"):
            self.assertEqual(values.problem(given["kind"], given["value"]), expected["problem"])


if __name__ == "__main__":
    unittest.main()
