# SPDX-License-Identifier: Apache-2.0
"""Who writes to the database behind geard's back is found out: by the chain, or
by the heads of it in the journal."""

import json
import subprocess
import threading
import time

import pytest

from lib import trail
from lib.gear import JSON, delete, knows_all, made
from lib.host import TESTHOST, URL, call
from lib.trail import opened
from lib.wait import wait_until

RECORDS = 12
DAY_USEC = 86400 * 10**6


class Trail:
    """One that began just now, and what gear says of it."""

    def __init__(self, host):
        self.host = host
        self.since = 0

    def begin(self):
        """The heads of the trails before are passed over by their time."""
        self.stop()
        self.host.sh(f"rm -f /{trail.DATABASE}*; sleep 1.1")
        self.since = int(self.host.sh("date +%s"))
        self.start()

    def stop(self):
        self.host.systemctl("stop", "geard.service")

    def start(self):
        self.host.sh("systemctl reset-failed geard.service; systemctl start geard.service")

    def change(self, n):
        """So many changes of a gear's environment."""
        for i in range(n):
            answer = self.host.peer("PATCH", "/container/1/env", {"A": str(i)}, JSON)
            assert answer.status == 200, answer

    def tamper(self, how):
        self.stop()
        with opened(self.host) as database:
            how(database)
        self.start()

    def verify(self):
        """Its exit status, and what it says as JSON."""
        self.host.sh("journalctl --sync")
        done = self.host.run("gear", "audit", "verify", "-o", "json", f"--journal-since=@{self.since}", check=False)
        said = json.loads(done.stdout) if done.stdout else done.stderr.decode()
        return done.returncode, said

    def is_whole(self, *ranges):
        """Nothing is wrong, and these are the ranges: (who vouches, first, last)."""
        status, said = self.verify()
        assert status == 0 and said["wrong"] == [], said
        assert [tuple(r.values()) for r in said["ranges"]] == list(ranges), said

    def is_wrong(self, *expected):
        """This is what is wrong with it: (what, first, last)."""
        status, said = self.verify()
        assert status == 1, said
        assert [(w["what"], w["first"], w["last"]) for w in said["wrong"]] == list(expected), said
        return said


@pytest.fixture
def the_trail(file_host):
    """Twelve records: a gear that came into being, and changes of its environment."""
    t = Trail(file_host)
    t.begin()
    made(file_host, "1", started=False)
    t.change(RECORDS - 1)
    wait_until(lambda: t.verify()[1]["heads"] == RECORDS, 10, "all heads are in the journal")
    yield t
    t.start()
    delete(file_host, "1")


def say(t):
    return t.host.run("gear", "audit", "verify", f"--journal-since=@{t.since}", check=False).stdout.decode()


def test_an_untouched_trail_is_whole(the_trail):
    the_trail.is_whole(("journal", 1, RECORDS))
    assert f"Records 1 to {RECORDS} are vouched for by the chain and the journal.\n" in say(the_trail)
    the_trail.stop()
    the_trail.start()
    the_trail.change(2)
    wait_until(lambda: the_trail.is_whole(("journal", 1, RECORDS + 2)) is None, 10, "the new ones are vouched for")


def test_hashes_are_those_that_the_manual_describes(the_trail):
    the_trail.stop()
    with opened(the_trail.host) as database:
        previous = own = trail.trail_id(database)
        found = trail.rows(database)
        assert len(found) == RECORDS
        for row in found:
            previous = trail.hash_of(previous, own, row)
            assert row["hash"] == previous, row
    the_trail.start()


def altered(database):
    database.execute("UPDATE audit SET resource = 'other' WHERE number = 5")


def altered_with_hash(database):
    altered(database)
    row = trail.rows(database)[4]
    anew = trail.hash_of(trail.rows(database)[3]["hash"], trail.trail_id(database), row)
    database.execute("UPDATE audit SET hash = ? WHERE number = 5", (anew,))


def user_altered(database):
    database.execute("UPDATE audit SET user = '' WHERE number = 5")


def rewritten(database):
    altered(database)
    trail.chain_anew(database, 5)


def removed(database):
    database.execute("DELETE FROM audit WHERE number IN (5, 6, 9)")


def removed_and_numbered_anew(database):
    database.execute("DELETE FROM audit WHERE number = 5")
    for number in range(6, RECORDS + 1):
        database.execute("UPDATE audit SET number = ? WHERE number = ?", (number - 1, number))
    trail.chain_anew(database, 5)


def beginning_removed(database):
    database.execute("DELETE FROM audit WHERE number <= 3")


def end_removed(database):
    database.execute("DELETE FROM audit WHERE number > ?", (RECORDS - 2,))


def exchanged(database):
    database.execute("UPDATE audit SET number = -number WHERE number IN (5, 6)")
    database.execute("UPDATE audit SET number = 11 + number WHERE number < 0")


def last_altered(database):
    database.execute("UPDATE audit SET code = 403 WHERE number = ?", (RECORDS,))


@pytest.mark.parametrize("how, wrong", [
    (altered, [("altered", 5, 5)]),
    (altered_with_hash, [("rewritten", 5, 5), ("altered", 6, 6)]),
    (user_altered, [("altered", 5, 5)]),
    (rewritten, [("rewritten", 5, RECORDS)]),
    (removed, [("missing", 5, 6), ("missing", 9, 9)]),
    (removed_and_numbered_anew, [("rewritten", 5, RECORDS - 1), ("cut", RECORDS, RECORDS)]),
    (beginning_removed, [("missing", 1, 3)]),
    (end_removed, [("cut", RECORDS - 1, RECORDS)]),
    (exchanged, [("altered", 5, 5), ("rewritten", 5, 5), ("altered", 6, 6), ("rewritten", 6, 6), ("altered", 7, 7)]),
    (last_altered, [("altered", RECORDS, RECORDS)]),
], ids=lambda value: getattr(value, "__name__", ""))
def test_tampering_is_told(the_trail, how, wrong):
    the_trail.tamper(how)
    the_trail.is_wrong(*wrong)
    for line in say(the_trail).splitlines():
        assert "WRONG" not in line or line.startswith("WRONG: Record"), line


def test_a_cut_end_is_told_when_geard_wrote_on(the_trail):
    the_trail.tamper(end_removed)
    the_trail.change(1)
    the_trail.is_wrong(("rewritten", RECORDS - 1, RECORDS - 1), ("cut", RECORDS, RECORDS))
    the_trail.change(3)
    the_trail.is_wrong(("rewritten", RECORDS - 1, RECORDS))


def run_of(t):
    return f"_SYSTEMD_INVOCATION_ID={t.host.show('geard.service')['InvocationID']}"


def looked(t, run):
    """What that run of geard said of the newest record that it found: (priority, sentence)."""
    def said():
        entries = [(e["PRIORITY"], e["MESSAGE"]) for e in t.host.journal_entries(run, "_SYSTEMD_UNIT=geard.service")]
        return [entry for entry in entries if "noted in the journal when" in entry[1]]

    entry, = wait_until(said, 15, "geard looked into the journal")
    return entry


@pytest.mark.parametrize("n", [1, 3])
def test_records_that_somebody_else_wrote_are_vouched_for_by_the_chain_alone(the_trail, n):
    first, last = RECORDS + 1, RECORDS + n
    the_trail.tamper(lambda database: trail.append(database, 10**15, n))
    run = run_of(the_trail)
    the_trail.change(1)
    wait_until(lambda: the_trail.verify()[1]["heads"] == RECORDS + 2, 10, "geard goes on behind them")
    whole = [("journal", 1, RECORDS), ("chain", first, last), ("journal", last + 1, last + 1)]
    the_trail.is_whole(*whole)
    said = say(the_trail)
    told = f"Record {first} is" if n == 1 else f"Records {first} to {last} are"
    assert f"{told} vouched for by the chain alone, not noted when written.\n" in said
    assert "somebody else wrote it" in said and "Nothing is wrong with the rest.\n" in said
    found, = the_trail.host.journal_entries(run, "GEARD_AUDIT_REPEATED=yes")
    assert found["GEARD_AUDIT_NUMBER"] == str(last) and found["_SYSTEMD_UNIT"] == "geard.service"
    priority, sentence = looked(the_trail, run)
    assert priority == "4" and sentence.startswith(f"records {first} to {last} of the audit trail were not"), sentence
    for _ in range(2):  # however often it is repeated
        the_trail.stop()
        the_trail.start()
    the_trail.is_whole(*whole)


def test_what_was_not_noted_for_another_reason_is_told_in_the_same_words(the_trail):
    """As if geard had been killed behind the commit: here it has no journal to note it in."""
    host, dropin = the_trail.host, "/run/systemd/system/geard.service.d/mute.conf"
    host.sh(f"mkdir -p $(dirname {dropin}); printf '[Service]\\nStandardError=null\\n' > {dropin}; "
            "systemctl daemon-reload; systemctl restart geard")
    try:
        the_trail.change(2)
        host.sh("systemctl kill -s KILL geard.service")
    finally:
        host.sh(f"systemctl stop geard.service; rm {dropin}; systemctl daemon-reload")
    the_trail.start()
    assert looked(the_trail, run_of(the_trail))[0] == "4"
    the_trail.is_whole(("journal", 1, RECORDS), ("chain", RECORDS + 1, RECORDS + 2))
    assert f"Records {RECORDS + 1} to {RECORDS + 2} are vouched for by the chain alone, not noted" in say(the_trail)


def test_an_ordinary_start_warns_of_nothing(the_trail):
    """Nor of what geard wrote last, when it was stopped: refusals that it had counted until then."""
    the_trail.host.sh(f"for n in 1 2 3; do curl -s -o /dev/null {URL}/containers; done")
    the_trail.stop()
    the_trail.start()
    the_trail.change(1)
    assert looked(the_trail, run_of(the_trail))[0] == "6"
    wait_until(lambda: the_trail.is_whole(("journal", 1, RECORDS + 2)) is None, 10, "all of them are vouched for")


def test_another_database_is_told(the_trail):
    the_trail.stop()
    with opened(the_trail.host) as database:
        before = trail.trail_id(database)
    the_trail.host.sh(f"rm -f /{trail.DATABASE}*")
    the_trail.start()
    the_trail.change(1)
    said = the_trail.is_wrong(("replaced", 1, RECORDS))
    assert said["wrong"][0]["trail"] == before != said["trail"]


def test_a_damaged_database_begins_another_trail(the_trail):
    the_trail.stop()
    (the_trail.host.root / trail.DATABASE).write_bytes(b"no database" * 100)
    the_trail.start()
    the_trail.change(1)
    said = the_trail.is_wrong(("replaced", 1, RECORDS))
    assert said["records"] >= 1


def test_heads_that_others_claim_do_not_count(the_trail):
    with_it = the_trail.host.journal_entries("_SYSTEMD_UNIT=geard.service", f"GEARD_AUDIT_NUMBER={RECORDS}")[-1]
    claim = "\n".join(["MESSAGE=a forged head", f"MESSAGE_ID={with_it['MESSAGE_ID']}",
                       f"GEARD_AUDIT_TRAIL={with_it['GEARD_AUDIT_TRAIL']}", "GEARD_AUDIT_NUMBER=999",
                       f"GEARD_AUDIT_HASH={'0' * 64}", "_SYSTEMD_UNIT=geard.service"])
    the_trail.host.run("logger", "--journald", stdin=claim + "\n")
    wait_until(lambda: the_trail.host.journal_entries("GEARD_AUDIT_NUMBER=999"), 10, "the claim is in the journal")
    the_trail.is_whole(("journal", 1, RECORDS))


def test_a_trail_is_whole_while_it_grows_and_after_kill_9(the_trail):
    stop = threading.Event()

    def keep_changing():
        i = 0
        while not stop.is_set():
            i += 1
            the_trail.host.peer("PATCH", "/container/1/env", {"B": str(i)}, JSON, timeout=10)

    def checks():
        for _ in range(3):
            status, said = the_trail.verify()
            assert status == 0, said

    writer = threading.Thread(target=keep_changing)
    writer.start()
    try:
        checks()
    finally:
        stop.set()
        writer.join()
    for _ in range(3):
        the_trail.change(2)
        the_trail.host.sh("systemctl kill -s KILL geard.service")
        wait_until(lambda: knows_all(the_trail.host), 30, "geard is back")
        status, said = the_trail.verify()
        assert status == 0, said


def test_without_geard_or_its_journal_nothing_is_claimed(the_trail):
    the_trail.since = int(the_trail.host.sh("sleep 1.1; date +%s"))
    status, said = the_trail.verify()
    assert status == 2 and said["heads"] == 0 and said["ranges"][0]["vouched_by"] == "chain", said
    assert "made anew" in say(the_trail)
    the_trail.host.sh("systemctl stop geard.socket geard.service")
    try:
        status, said = the_trail.verify()
        assert status == 2 and "geard does not answer" in said, said
    finally:
        the_trail.host.sh("systemctl start geard.socket")


@pytest.mark.takes(120)
def test_rotation_is_covered_and_what_was_altered_before_is_told(file_host):
    """Records of 200 days ago, in slices of 500; then some that somebody made look so old."""
    t = Trail(file_host)
    t.begin()
    made(file_host, "1", started=False)
    now = int(time.time()) * 10**6
    t.stop()
    file_host.sh(f"rm -f /{trail.DATABASE}*; sleep 1.1")
    t.since = int(file_host.sh("date +%s"))
    t.start()
    file_host.peer("GET", "/audit") # the file is there
    t.tamper(lambda database: trail.append(database, now - 200 * DAY_USEC, 700))
    t.change(5)

    def rotations():
        return file_host.peer("GET", "/audit?verb=rotate", headers=JSON).json["records"]

    wait_until(lambda: len(rotations()) == 2, 90, "geard removes what is older than 90 days", every=1)
    assert [r["resource"] for r in rotations()] == ["501-700", "1-500"]
    wait_until(lambda: t.is_whole(("rotation", 1, 700), ("journal", 701, 707)) is None, 10, "it is whole")
    t.tamper(lambda database: database.execute("UPDATE audit SET at = 1 WHERE number <= 703"))
    wait_until(lambda: len(rotations()) == 3, 90, "geard removes what seems to be as old", every=1)
    assert rotations()[0]["code"] == 500 and "3 of them" in rotations()[0]["said"], rotations()[0]
    t.is_wrong(("spoilt", 701, 703))
    delete(file_host, "1")


def test_the_file_of_a_stopped_geard_is_verified_and_left_as_it_is(the_trail):
    def verify(status):
        done = the_trail.host.run("gear", "audit", "verify", f"--database=/{trail.DATABASE}",
                                  f"--journal-since=@{the_trail.since}", check=False)
        assert done.returncode == status, done.stdout + done.stderr
        return (done.stdout + done.stderr).decode()

    def digests():
        return the_trail.host.sh(f"sha256sum /{trail.DATABASE}*")

    assert "let geard tell" in verify(2)
    # no other geard comes, which would leave its file in order when it is stopped
    once = "/run/systemd/system/geard.service.d/once.conf"
    the_trail.host.sh(f"mkdir -p $(dirname {once}); printf '[Service]\\nRestart=no\\n' > {once}; systemctl daemon-reload; "
                      "systemctl kill -s KILL geard.service; systemctl stop geard.socket geard.service; "
                      f"rm {once}; systemctl daemon-reload")
    before = digests()
    assert f"/{trail.DATABASE}-wal" in before, "a killed geard leaves its log, which holds the newest records"
    assert f"Records 1 to {RECORDS} are vouched for by the chain and the journal" in verify(0)
    assert digests() == before
    with opened(the_trail.host) as database:
        rewritten(database)
    assert f"Records 5 to {RECORDS} are not what geard wrote" in verify(1)
    assert the_trail.host.sh("ls -d /var/tmp/gear-audit.* 2>/dev/null || true") == ""
    the_trail.host.sh("systemctl start geard.socket")


def test_gear_audit_shows_what_get_audit_tells(the_trail):
    host = the_trail.host
    told = host.peer("GET", "/audit?after=0", headers=JSON).json["records"]
    shown = host.sh("gear audit -n all -o json").splitlines()
    assert [json.loads(line) for line in shown] == told and len(told) == RECORDS
    assert [line.split()[0] for line in host.sh("gear audit -n 3").splitlines()] == ["10", "11", "12"]
    assert host.sh("gear audit --resource=1 --code=400") == ""
    done = host.run("gear", "audit", "--since=someday", check=False)
    assert done.returncode == 64 and b"since" in done.stderr, done.stderr


def test_gear_audit_follows_over_a_restart(the_trail):
    host = the_trail.host
    following = subprocess.Popen([TESTHOST, "sh", host.name, "gear", "audit", "-f", "-n", "2"], stdout=subprocess.PIPE,
                                 stdin=subprocess.DEVNULL, text=True)
    try:
        assert [following.stdout.readline().split()[0] for _ in range(2)] == ["11", "12"]
        the_trail.change(1)
        assert following.stdout.readline().split()[0] == "13"
        the_trail.stop()
        the_trail.start()
        the_trail.change(2)
        assert [following.stdout.readline().split()[0] for _ in range(2)] == ["14", "15"]
    finally:
        call([TESTHOST, "sh", host.name, "pkill", "-x", "gear"], check=False)
        following.wait(timeout=10)
        following.stdout.close()
