"""A real roostd on a free port of the loopback, for the sessions."""

import json
import os
import pathlib
import signal
import subprocess
import tempfile

import roost_client

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent


def binary():
    """The server's binary: ROOST_ROOSTD, or what a build left behind."""
    named = os.environ.get("ROOST_ROOSTD")
    return pathlib.Path(named) if named else ROOT / ".build" / "debug" / "roostd"


class Server:
    """A server with its own data directory; `with` starts and stops it."""

    def __init__(self, demo=False):
        self.demo = demo
        self.folder = tempfile.TemporaryDirectory(prefix="roost-python-")
        self.data = os.path.join(self.folder.name, "data")
        self.process = None

    def __enter__(self):
        self.run("init")
        self.start()
        return self

    def __exit__(self, *_):
        if self.process:
            self.stop()
        self.folder.cleanup()

    def start(self):
        """Starts, and waits for the line that tells the address."""
        self.log = open(os.path.join(self.folder.name, "log"), "a", encoding="utf-8")
        self.process = subprocess.Popen(
            [binary(), "serve", "--data", self.data, "--port", "0", "--demo" if self.demo else "--no-demo", "--json"],
            stdout=subprocess.PIPE, stderr=self.log, env=self.environment(), text=True)
        line = self.process.stdout.readline()
        if not line:
            self.process.wait(timeout=10)
            raise RuntimeError("the server did not start: " + self.log_text())
        welcome = json.loads(line)
        self.url = welcome["url"]
        self.codes = welcome["codes"]

    def stop(self, kill=False):
        """Ends the server; a graceful stop must end well."""
        process, self.process = self.process, None
        process.send_signal(signal.SIGKILL if kill else signal.SIGTERM)
        status = process.wait(timeout=30)
        process.stdout.close()
        self.log.close()
        if not kill and status != 0:
            raise RuntimeError(f"the server ended with {status}: {self.log_text()}")

    def log_text(self):
        return pathlib.Path(self.folder.name, "log").read_text(encoding="utf-8")

    def environment(self):
        # Many devices of one address enrol within a minute here.
        limits = {
            "ROOST_LIMITS_REQUESTS_PER_MINUTE_PER_DEVICE": "100000",
            "ROOST_LIMITS_REQUESTS_PER_MINUTE_PER_ADDRESS": "100000",
            "ROOST_ENROLMENT_ATTEMPTS_PER_MINUTE": "1000",
            # The schools alone are a large scope.
            "ROOST_SNAPSHOTS_MINIMUM_ROWS": "1000",
        }
        return {**os.environ, **limits}

    def run(self, *arguments):
        """What a command of roostd prints as JSON."""
        finished = subprocess.run(
            [binary(), *arguments, "--data", self.data, "--json"], env=self.environment(), capture_output=True,
            text=True, timeout=60, check=False)
        if finished.returncode != 0:
            raise RuntimeError(f"roostd {arguments[0]} failed: {finished.stderr}")
        return json.loads(finished.stdout)

    def officer(self, name, role, target=None):
        """A new officer's row."""
        more = ["--target", target] if target else []
        return self.run("account", "add", "--name", name, "--role", role, *more)["officer"]

    def code(self, officer):
        return self.run("enrol-code", officer)["code"]

    def device(self, officer, skew=0):
        """A newly enrolled replica of an officer, after its first exchange."""
        replica = roost_client.Replica(skew=skew)
        replica.enrol(self.url, self.code(officer), "test device")
        replica.sync()
        return replica
