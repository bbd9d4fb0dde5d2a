"""Edits that are refused, and what their author learns by it."""

import uuid

import wire
from sessions import Session, setUpModule, tearDownModule


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
