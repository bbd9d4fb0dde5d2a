"""A replica of Roost in Python: takes edits offline, syncs, and shows the server's rows with its own edits over them.

Written from Sources/RoostSync/Documentation.docc/WireFormat.md alone; the standard library alone.
"""

import contextlib
import json
import secrets
import sqlite3
import time
import uuid

import values
import wire
from transport import call

SCHEMA = """
CREATE TABLE meta (name TEXT PRIMARY KEY, value) WITHOUT ROWID;
CREATE TABLE scope (scope TEXT PRIMARY KEY, epoch INTEGER NOT NULL, cursor INTEGER NOT NULL) WITHOUT ROWID;
-- Rows as each scope shows them.
CREATE TABLE image (
    scope TEXT NOT NULL, collection TEXT NOT NULL, row TEXT NOT NULL, body TEXT NOT NULL,
    PRIMARY KEY (collection, row, scope)
) WITHOUT ROWID;
CREATE INDEX image_by_scope ON image (scope);
-- Mutations without a verdict, exactly as they are sent.
CREATE TABLE pending (number INTEGER PRIMARY KEY, body TEXT NOT NULL);
-- What was refused, until its author edits, exports or discards it.
CREATE TABLE rejected (number INTEGER PRIMARY KEY, body TEXT NOT NULL, verdict TEXT NOT NULL);
-- What has another verdict, for a server that loses it.
CREATE TABLE journal (
    incarnation INTEGER NOT NULL, number INTEGER NOT NULL, body TEXT NOT NULL, stamp TEXT NOT NULL,
    PRIMARY KEY (incarnation, number)
) WITHOUT ROWID;
"""

DATED_BACK = 86_400_000


class Replica:
    """One device's database, in memory unless a path is given."""

    def __init__(self, path=":memory:", skew=0):
        """`skew`: milliseconds by which this device's wall clock is ahead."""
        self.skew = skew
        # Milliseconds by which edits are dated back, as if they had been made earlier offline.
        self.ago = 0
        # Whether large scopes are taken as files.
        self.snapshots = False
        self.boot = secrets.token_hex(8)
        self.schema = None
        self.database = sqlite3.connect(path, isolation_level=None)
        if not self.database.execute("SELECT 1 FROM sqlite_master WHERE name = 'meta'").fetchone():
            self.database.executescript(SCHEMA)
            self["replica"] = secrets.token_hex(8)
            self["incarnation"] = 1
            self["number"] = 0
            self["clock"] = "0" * 16

    def close(self):
        self.database.close()

    def __getitem__(self, name):
        found = self.database.execute("SELECT value FROM meta WHERE name = ?", (name,)).fetchone()
        return found[0] if found else None

    def __setitem__(self, name, value):
        self.database.execute("INSERT OR REPLACE INTO meta VALUES (?, ?)", (name, value))

    @contextlib.contextmanager
    def transaction(self):
        self.database.execute("BEGIN IMMEDIATE")
        try:
            yield
        except BaseException:
            self.database.execute("ROLLBACK")
            raise
        self.database.execute("COMMIT")

    # Clocks

    def now(self):
        return int(time.time() * 1000) + self.skew

    def mark(self):
        # Counted from long before the boot, so that edits can be dated back on a machine that has just started.
        return {"monotonic": time.monotonic_ns() // 1_000_000 + DATED_BACK, "boot": self.boot}

    # Enrolment

    def enrol(self, url, code, label):
        """Brings the device in, for the first time or again over its data."""
        body = {"code": code, "label": label, "replica": self["replica"]}
        if self["officer"]:
            body["officer"] = self["officer"]
        answer = json.loads(call(f"{url}/v1/enrol", "POST", wire.write_json(body)))
        with self.transaction():
            if not self["officer"]:
                self["epoch"] = answer["epoch"]
            for name in ("token", "officer"):
                self[name] = answer[name]
            self["url"] = url
        self.schema = json.loads(call(f"{url}/v1/schema"))
        return answer

    def declared(self, collection):
        """A collection as the server declares it, or None."""
        return next((entry for entry in self.schema["collections"] if entry["name"] == collection), None)

    # Edits

    def create(self, collection, fields, row=None, group=None):
        row = row or str(uuid.uuid4())
        self._write("create", collection, row, fields, group)
        return row

    def edit(self, collection, row, fields, group=None):
        return self._write("edit", collection, row, fields, group)

    def delete(self, collection, row, group=None):
        return self._write("delete", collection, row, None, group)

    def restore(self, collection, row, group=None):
        return self._write("restore", collection, row, None, group)

    def problems(self, collection, fields):
        """What the declaration says against values; a courtesy, for the server checks them anyway."""
        declared = self.declared(collection)
        kinds = {field["name"]: field for field in declared["fields"]} if declared else {}
        found = {
            name: values.problem(kinds[name], value) for name, value in fields.items()
            if name in kinds and value is not None
        }
        return {name: problem for name, problem in found.items() if problem}

    def _write(self, action, collection, row, fields, group):
        with self.transaction():
            number = self["number"] + 1
            clock = wire.tick(int(self["clock"], 16), self.now() - self.ago)
            mark = self.mark()
            mark["monotonic"] -= self.ago
            mutation = wire.make_mutation(
                number, collection, row, action, format(clock, "016x"), group=group, mark=mark,
                base=self.base(action, collection, row, fields or {}), fields=fields,
                seen=self.seen(action, collection, row))
            self["number"], self["clock"] = number, format(clock, "016x")
            self.database.execute("INSERT INTO pending VALUES (?, ?)", (number, json.dumps(mutation)))
        return number

    def base(self, action, collection, row, fields):
        """The greatest stamp among the values an edit replaces, as the server showed them."""
        images = self._images(collection, row)
        if action == "create" or not images:
            return None
        declared = self.declared(collection)
        if declared and declared["class"] == "authoritative":
            stamps = [
                stamp for image in images
                for stamp in [image["stamp"], image["deleted"], image["version"], *image["stamps"].values()]
            ]
        elif action == "edit":
            stamps = [image["stamps"].get(field, image["stamp"]) for image in images for field in fields]
        else:
            stamps = [image["deleted"] or image["stamp"] for image in images]
        return max((stamp for stamp in stamps if stamp), default=None)

    def seen(self, action, collection, row):
        """The greatest stamp the server showed anywhere in a row that merges; decides nothing."""
        declared = self.declared(collection)
        if action != "edit" or not declared or declared["class"] != "register":
            return None
        images = self._images(collection, row)
        return max((stamp for image in images for stamp in [image["stamp"], *image["stamps"].values()]), default=None)

    # The exchange

    def pending(self):
        bodies = self.database.execute("SELECT body FROM pending ORDER BY number").fetchall()
        return [json.loads(body) for (body,) in bodies]

    def rejected(self):
        """(mutation, verdict) of what was refused."""
        found = self.database.execute("SELECT body, verdict FROM rejected ORDER BY number").fetchall()
        return [(json.loads(body), json.loads(verdict)) for body, verdict in found]

    def request(self, mutations=None, page_bytes=None):
        scopes = self.database.execute("SELECT scope, epoch, cursor FROM scope ORDER BY scope").fetchall()
        waiting = self.database.execute("SELECT min(number) FROM pending").fetchone()[0]
        return wire.make_request(
            self["replica"], self.now(), catalogue=self.schema["version"], incarnation=self["incarnation"],
            epoch=self["epoch"], mark=self.mark(), mutations=self.pending() if mutations is None else mutations,
            scopes=[{"scope": scope, "epoch": epoch, "cursor": cursor} for scope, epoch, cursor in scopes],
            page_bytes=page_bytes, answered=(waiting or self["number"] + 1) - 1, snapshots=self.snapshots,
            run=self["run"] or None, purged=self._purged() if self["owes"] else None)

    def _purged(self):
        """Word that what was taken away is gone, which it is at once: this database is in memory, or overwrites nothing."""
        held = self.database.execute("SELECT scope, collection, row, body FROM image").fetchall()
        alive = [(scope, collection, row) for scope, collection, row, body in held if not json.loads(body)["deleted"]]
        return {"rows": 0, "digest": wire.holding_digest(alive)}

    def send(self, request):
        """The answer's bytes; nothing is applied."""
        return call(f"{self['url']}/v1/sync", "POST", wire.write_json(request), self["token"])

    def sync(self, page_bytes=None):
        """Exchanges until there is nothing more either way; returns all verdicts and how many exchanges it took."""
        verdicts, rounds = [], 0
        while True:
            waiting = self.pending()[:5000]
            answer = wire.read_answer(self.send(self.request(waiting, page_bytes)))
            self.apply(answer)
            for page in answer["scopes"]:
                if page["snapshot"]:
                    self.take(page)
                elif page["wait"]:
                    time.sleep(page["wait"] / 1000)
            verdicts += answer["verdicts"]
            rounds += 1
            progressed = bool(answer["verdicts"]) or "known" in answer
            again = "known" in answer or any(page["more"] for page in answer["scopes"])
            if not again and not self["owes"] and not (self.pending() and progressed):
                return verdicts, rounds

    def apply(self, answer):
        with self.transaction():
            self["offset"] = answer["offset"]
            for verdict in answer["verdicts"]:
                self._settle(verdict)
            # Answers of earlier runs may come late.
            run = answer.get("run")
            if run and (answer["epoch"] != self["epoch"] or wire.number_of_run(run) > wire.number_of_run(self["run"])):
                self["run"] = run
            if answer["epoch"] != self["epoch"]:
                self._begin_anew(answer)
            for scope in answer["lost"]:
                self._forget(scope)
            for page in answer["scopes"]:
                if not page["snapshot"] and not page["wait"]:
                    self._put(page)
            more = "known" in answer or any(page["more"] for page in answer["scopes"])
            self["owes"] = 1 if answer.get("owed") and not more else 0

    def take(self, page, piece=10_000):
        """Fetches the file that a page offers, in pieces, and keeps what it holds."""
        snapshot = page["snapshot"]
        url, data = f"{self['url']}/v1/snapshots/{snapshot['id']}", b""
        while len(data) < snapshot["bytes"]:
            end = min(len(data) + piece, snapshot["bytes"]) - 1
            data += call(url, token=self["token"], Range=f"bytes={len(data)}-{end}")
        rows = wire.read_snapshot(data, snapshot)
        with self.transaction():
            self._forget(page["scope"])
            self._put({**page, "rows": rows, "cursor": snapshot["sequence"]})

    def _settle(self, verdict):
        number = verdict["number"]
        found = self.database.execute("SELECT body FROM pending WHERE number = ?", (number,)).fetchone()
        if found and verdict["verdict"] == "rejected":
            self.database.execute("INSERT INTO rejected VALUES (?, ?, ?)", (number, found[0], json.dumps(verdict)))
        elif found:
            self.database.execute(
                "INSERT INTO journal VALUES (?, ?, ?, ?)",
                (self["incarnation"], number, found[0], verdict["stamp"]))
        self.database.execute("DELETE FROM pending WHERE number = ?", (number,))

    def _begin_anew(self, answer):
        """Another history: read every scope again, and give again what it lost of this replica's edits."""
        self["epoch"] = answer["epoch"]
        self.database.execute("DELETE FROM scope")
        self.database.execute("DELETE FROM image")
        known = (answer["known"]["incarnation"], answer["known"]["number"])
        lost = self.database.execute(
            "SELECT body, stamp FROM journal WHERE (incarnation, number) > (?, ?) ORDER BY incarnation, number",
            known).fetchall()
        self.database.execute("DELETE FROM journal WHERE (incarnation, number) > (?, ?)", known)
        again = [{**json.loads(body), "recovered": stamp} for body, stamp in lost] + self.pending()
        self["incarnation"] = max(self["incarnation"], known[0]) + 1
        self["number"] = len(again)
        self.database.execute("DELETE FROM pending")
        self.database.executemany(
            "INSERT INTO pending VALUES (?, ?)",
            [(number, json.dumps({**mutation, "number": number})) for number, mutation in enumerate(again, 1)])

    def _forget(self, scope):
        self.database.execute("DELETE FROM scope WHERE scope = ?", (scope,))
        self.database.execute("DELETE FROM image WHERE scope = ?", (scope,))

    def _put(self, page):
        scope = page["scope"]
        held = self.database.execute("SELECT epoch FROM scope WHERE scope = ?", (scope,)).fetchone()
        if held and held[0] != page["epoch"]:
            self._forget(scope)
        for row in page["rows"]:
            self.database.execute(
                "INSERT OR REPLACE INTO image VALUES (?, ?, ?, ?)",
                (scope, row["collection"], row["row"], json.dumps(row)))
        for left in page["left"]:
            self.database.execute(
                "DELETE FROM image WHERE scope = ? AND collection = ? AND row = ?",
                (scope, left["collection"], left["row"]))
        self.database.execute(
            "INSERT OR REPLACE INTO scope VALUES (?, ?, ?)", (scope, page["epoch"], page["cursor"]))

    # What is shown

    def _images(self, collection, row):
        found = self.database.execute(
            "SELECT body FROM image WHERE collection = ? AND row = ? ORDER BY scope", (collection, row)).fetchall()
        return [json.loads(body) for (body,) in found]

    def scopes(self):
        return {scope for (scope,) in self.database.execute("SELECT scope FROM scope")}

    def server_view(self, collection, row):
        """Field to value as the held scopes show the row together, unmasked wins; None if there is no such row."""
        images = self._images(collection, row)
        if not images or any(image["deleted"] for image in images):
            return None
        best = {}
        for image in images:
            for field, value in image["fields"].items():
                # In full wins over masked; then the newer, for one scope's feed may be ahead of another's.
                rank = (field not in image["masked"], image["stamps"].get(field, image["stamp"]))
                if field not in best or rank > best[field][0]:
                    best[field] = (rank, value)
        return {field: value for field, (_, value) in best.items()}

    def view(self, collection, row):
        """The server's row with pending edits over it."""
        view = self.server_view(collection, row)
        for mutation in self.pending():
            if (mutation["collection"], mutation["row"]) != (collection, row):
                continue
            if mutation["action"] == "delete":
                view = None
            elif mutation["action"] != "restore":
                view = {**(view or {}), **mutation.get("fields", {})}
        return None if view is None else {field: value for field, value in view.items() if value is not None}

    def rows(self, collection):
        """The live rows of a collection, by identity."""
        keys = {row for (row,) in self.database.execute("SELECT row FROM image WHERE collection = ?", (collection,))}
        keys |= {mutation["row"] for mutation in self.pending() if mutation["collection"] == collection}
        views = {row: self.view(collection, row) for row in keys}
        return {row: view for row, view in sorted(views.items()) if view is not None}
