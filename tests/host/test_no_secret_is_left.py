# SPDX-License-Identifier: Apache-2.0
"""Nothing that the host wrote during all cases so far holds a token, or a value
that was given as an environment.  The fixture of the host asks the same again
when all cases are over."""

import uuid

from lib import secrets
from lib.gear import HOLD, JSON, made
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


PASSWORDS = ["https://user:{}@localhost/x", "https://{}@localhost/x", "http://{}:x-oauth-basic@localhost/x", "ssh://user:{}@localhost/x",
             "git://user:{}@localhost/x", "git+ssh://user:{}@localhost/x", "user:{}@localhost:x", "https://localhost/x?access_token={}",
             "https://localhost/x#{}", "https://user:{}%40@localhost/x", "file://user:{}@/srv/x", "https://user:{}@localhost/x\n"]


def test_a_password_in_the_url_of_a_clone_is_kept_by_nobody(host):
    """Wherever a URL may stand it is refused for it, and by a 400 that says where it stood."""
    told = host.cursor()
    for url in PASSWORDS:
        secret = uuid.uuid4().hex
        secrets.remember(secret)
        url = url.format(secret)
        for form in JSON, {"Accept": "text/plain"}, {"Accept": "text/plain;stream=true"}:
            for field, answer in (("url", host.peer("PUT", "/repository/r", {"url": url}, form)),
                                  ("url", host.token("PUT", "repository", {"url": url}, form, r="r")),
                                  ("t", host.token("PUT", "repository", headers=form, r="r", t=url))):
                assert answer.status == 400 and f"{field}: " in answer.text, (url, answer)
                assert secret not in answer.text + str(answer.headers)
        assert secret not in str(host.show("job-r")) + host.peer("GET", "/audit?limit=100", headers=JSON).text
        assert host.sh(f"grep -rl {secret} /var/lib/gears /var/lib/geard /run/systemd /run/geard || true") == ""
    assert "/repository" in host.said_since(told), "there is something in which it could stand"
    assert not secrets.found_in(host)
