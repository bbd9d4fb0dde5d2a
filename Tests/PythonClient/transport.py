"""Requests to a server, and its streams of events."""

import contextlib
import json
import urllib.error
import urllib.request


class Refused(Exception):
    """A request that the server refused as a whole."""

    def __init__(self, status, code, message):
        super().__init__(f"{status} {code}: {message}")
        self.status = status
        self.code = code
        self.message = message


@contextlib.contextmanager
def _opened(request, timeout):
    try:
        with urllib.request.urlopen(request, timeout=timeout) as response:
            yield response
    except urllib.error.HTTPError as problem:
        with problem:
            error = json.loads(problem.read())["error"]
        raise Refused(problem.code, error["code"], error["message"]) from None


def call(url, method="GET", body=None, token=None, timeout=30, **more):
    """The bytes of an answer; `more` are headers of the request.

    Raises Refused for what the server refuses, and OSError where no answer came.
    """
    headers = {"Accept": "application/json", **more}
    if body is not None:
        headers["Content-Type"] = "application/json"
    if token is not None:
        headers["Authorization"] = f"Bearer {token}"
    request = urllib.request.Request(url, data=body, method=method, headers=headers)
    with _opened(request, timeout) as response:
        return response.read()


def events(url, token, timeout=30):
    """The events of a stream, one after another, as (name, data); comments are passed over.

    Raises Refused for what the server refuses, and OSError where the line breaks or stays silent for too long.
    """
    request = urllib.request.Request(
        f"{url}/v1/events", headers={"Accept": "text/event-stream", "Authorization": f"Bearer {token}"})
    with _opened(request, timeout) as stream:
        name, data = "", []
        for line in stream:
            line = line.decode("utf-8").rstrip("\r\n")
            field, _, value = line.partition(":")
            value = value.removeprefix(" ")
            if field == "event":
                name = value
            elif field == "data":
                data.append(value)
            elif not line:
                if data:
                    yield name, json.loads("\n".join(data))
                name, data = "", []
