# SPDX-License-Identifier: Apache-2.0
"""Nothing that the host wrote during all cases so far holds a token, or a value
that was given as an environment.  The fixture of the host asks the same again
when all cases are over."""

import uuid

from lib import secrets
from lib.gear import HOLD, made
from lib.host import URL


def test_nothing_secret_was_written_anywhere(host):
    value, planted = uuid.uuid4().hex, uuid.uuid4().hex + ".planted"
    secrets.remember(value)
    made(host, command=HOLD, env={"PASSWORD": value})
    assert host.peer("GET", "/container/1/env").text == f"PASSWORD={value}\n"
    host.peer("PUT", "/container/1/env", {"PASSWORD": value, "1BAD": value})
    refused = f"{uuid.uuid4().hex}.{uuid.uuid4().hex}.{uuid.uuid4().hex}"
    assert host.curl("PUT", f"{URL}/token/{refused}/container/started").status == 403
    assert host.curl("GET", f"{URL}/containers", headers={"Authorization": f"Bearer {refused}"}).status == 403
    assert host.curl("GET", f"{URL}/token/{refused}/no/such/path").status == 404

    secrets.remember(planted)
    host.sh(f"logger {planted}")
    found = secrets.found_in(host)
    secrets.forget(planted)
    assert found == {planted}, f"{len(found)} secrets were written, the planted one {'among them' * (planted in found)}"
