# SPDX-License-Identifier: Apache-2.0
"""What a browser's EventSource does, by the HTML standard's 9.2: it takes a stream
apart, dispatches events, and connects again with the last id it has seen."""

import http.client
import time

from lib.stream import connect


class EventSource:
    def __init__(self, host, target, origin, port=2223):
        self.host, self.target, self.origin, self.port = host, target, origin, port
        self.last_id, self.connections, self.retry = "", 0, 0.5

    def open(self):
        headers = {"Accept": "text/event-stream", "Cache-Control": "no-cache", "Origin": self.origin, "Sec-Fetch-Mode": "cors",
                   "Sec-Fetch-Site": "cross-site", **({"Last-Event-ID": self.last_id} if self.last_id else {})}
        connection = http.client.HTTPConnection("localhost")
        connection.sock = connect(self.host, self.port)
        connection.request("GET", self.target, headers=headers)
        answer = connection.getresponse()
        self.connections += 1
        assert answer.status == 200, (answer.status, answer.read())
        assert answer.getheader("Content-Type").partition(";")[0] == "text/event-stream"
        assert answer.getheader("Access-Control-Allow-Origin") == self.origin, "a page may not read it otherwise"
        return connection, answer

    def dispatched(self, answer):
        """The data of each event, as onmessage has it."""
        held, data, last_id = b"", [], self.last_id
        while piece := answer.read1(1 << 16):
            *lines, held = (held + piece).split(b"\n")
            for line in lines:
                line = line.decode()
                if not line:
                    self.last_id = last_id
                    if data:
                        yield "\n".join(data)
                    data = []
                    continue
                field, _, value = line.partition(":")
                value = value.removeprefix(" ")
                if field == "data":
                    data.append(value)
                elif field == "id" and "\0" not in value:
                    last_id = value
                elif field == "retry" and value.isdecimal():
                    self.retry = int(value) / 1000

    def events(self):
        """For ever, over as many connections as it takes."""
        while True:
            try:
                connection, answer = self.open()
                try:
                    yield from self.dispatched(answer)
                finally:
                    connection.close()
            except (OSError, http.client.HTTPException):
                pass
            time.sleep(self.retry)
