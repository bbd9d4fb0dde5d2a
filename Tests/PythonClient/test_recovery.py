"""Servers put back from old copies, and copies of devices."""

import os
import pathlib

import wire
from roost_client import Replica
from server import Server
from sessions import Session, setUpModule, tearDownModule


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
