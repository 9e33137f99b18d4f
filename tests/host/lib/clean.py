# SPDX-License-Identifier: Apache-2.0
"""Brings a host that cases share back to where it was, and tells what a case
left that geard should have taken away."""

from lib.wait import wait_until

# One line per thing that does not belong on a host without gears.
LEFTOVERS = r"""
systemctl list-units --all --plain --no-legend 'gear-*' 'job-*' | grep -v '^[^ ]*\.slice ' | sed 's/^/unit /'
docker ps -aq --no-trunc | sed 's/^/container /'
find /var/lib/gears/units /var/lib/gears/env /var/lib/gears/wanted /var/lib/gears/previous -type f 2>/dev/null |
        sed 's/^/file /'
find /var/lib/gears/jobs -type f 2>/dev/null | sed 's/^/file /'
find /sys/fs/cgroup -type d -name 'gear-jobs-*' | sed 's/^/group /'
find /var/lib/gears/git -mindepth 1 -maxdepth 1 2>/dev/null | sed 's/^/repository /'
find /etc/systemd/system /run/systemd/system \( -name 'gear-*' -o -name 'job-*' \) \
        ! -name '*.slice' ! -name '*.d' 2>/dev/null | sed 's/^/link /'
"""

# Whatever state geard is in: nothing of any gear remains, and geard runs anew.
WIPE = r"""
systemctl stop --quiet 'gear-*' 'job-*' 2>/dev/null
systemctl is-active --quiet docker || systemctl start docker
docker ps -aq | xargs -r docker rm -f -v >/dev/null
systemctl stop geard.service
rm -rf /var/lib/gears/{units,env,wanted,previous,jobs}/* /var/lib/geard/*
find /var/lib/gears/git -mindepth 1 -delete
find /etc/systemd/system /run/systemd/system \( -name 'gear-*' -o -name 'job-*' \) ! -name '*.slice' -exec rm -rf {} +
systemctl daemon-reload
systemctl reset-failed
systemctl restart geard.socket
systemctl restart geard.service
"""


def leftovers(host):
    return host.sh(LEFTOVERS).splitlines()


def remove_all(host):
    """Deletes every gear and job through geard; the leftovers after it, [] when all is well."""
    left = []
    try:
        page = host.peer("GET", "/containers?limit=10000", headers={"Accept": "application/json"})
        for gear in page.json["containers"]:
            answer = host.peer("DELETE", f"/container/{gear['id']}?volumes=yes")
            if answer.status != 204:
                left.append(f"DELETE of {gear['id']}: {answer}")
        for job in host.peer("GET", "/jobs", headers={"Accept": "application/json"}).json["jobs"]:
            while host.peer("GET", f"/jobs/{job['id']}").status == 200: # canceled, and then forgotten
                answer = host.peer("DELETE", f"/jobs/{job['id']}")
                assert answer.status == 204, answer
        wait_until(lambda: not leftovers(host), 30, "nothing of any gear is left")
    except (AssertionError, ValueError, KeyError, TypeError) as error:
        left.append(str(error))
    left += leftovers(host)
    if left:
        host.sh(WIPE, check=False)
    return left
