# SPDX-License-Identifier: Apache-2.0
"""The audit trail as who has the disk sees it: rows of a file, and hashes that
are made here from what gear(1) says of them, without geard."""

import contextlib
import hashlib
import sqlite3

DATABASE = "var/lib/geard/geard.db"
WORDS = ["request", "principal", "token", "chain", "user", "peer", "right", "verb", "resource", "before", "after", "said"]


@contextlib.contextmanager
def opened(host):
    """The database of a stopped geard, to be tampered with."""
    database = sqlite3.connect(host.root / DATABASE)
    database.row_factory = sqlite3.Row
    try:
        with database:
            yield database
    finally:
        database.close()


def rows(database):
    return [dict(row) for row in database.execute("SELECT * FROM audit ORDER BY number")]


def trail_id(database):
    return database.execute("SELECT id FROM trail").fetchone()[0]


def hash_of(previous, trail, row):
    def field(value):
        return "-" if value is None else f"{len(value.encode())}:{value}"

    lines = ["geard audit record 1", field(previous), field(trail), row["number"], row["at"], row["took"], row["code"]]
    lines += [field(row[word]) for word in WORDS]
    return hashlib.sha256("".join(f"{line}\n" for line in lines).encode()).hexdigest()


def chain_anew(database, first):
    """As geard would have written them, from this number on."""
    trail, all_rows = trail_id(database), rows(database)
    previous = trail
    for row in all_rows:
        if row["number"] >= first:
            row["hash"] = hash_of(previous, trail, row)
            database.execute("UPDATE audit SET hash = ? WHERE number = ?", (row["hash"], row["number"]))
        previous = row["hash"]


def append(database, at_usec, n):
    """So many records more, chained as geard would have at that time."""
    all_rows, trail = rows(database), trail_id(database)
    last = all_rows[-1] if all_rows else {"number": 0, "hash": trail, "bytes": 0}
    for number in range(last["number"] + 1, last["number"] + 1 + n):
        row = {word: None for word in WORDS} | {"number": number, "at": at_usec, "took": 1, "code": 200,
                                                "verb": "created", "resource": "old", "bytes": last["bytes"] + 200}
        row["hash"] = hash_of(last["hash"], trail, row)
        names = ", ".join(f'"{name}"' for name in row)
        database.execute(f"INSERT INTO audit ({names}) VALUES ({', '.join('?' * len(row))})", list(row.values()))
        last = row
