/* SPDX-License-Identifier: Apache-2.0 */

/*
 * The sys layer by hand: what geard sees of a host, without geard.  Built with
 * `make tests/host/tools/sys-probe`, never installed.
 *
 *   sys-probe events                        the engine up and down, and its events, until ^C
 *   sys-probe list | inspect NAME | image REFERENCE | volumes GEAR
 *   sys-probe remove NAME | remove-volume NAME
 *   sys-probe pull REFERENCE [SILENCE-SECONDS]
 *   sys-probe follow UNIT [TAIL]            its journal, until ^C
 *   sys-probe log UNIT [TAIL]               the same, to the end
 *   sys-probe tcp ADDRESS PORT | http ADDRESS PORT PATH
 *   sys-probe port ADDRESS PORT [udp]       is it free?
 *
 * DOCKER_SOCKET names another socket than /run/docker.sock.
 */

#include "sys/docker.h"
#include "sys/journal.h"
#include "sys/port.h"
#include "sys/probe.h"

#include <inttypes.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>

struct tool {
        struct loop *loop;
        struct fetch *fetch;
        struct docker *docker;
        char **argv;
        bool asked;
        int result;
};

static void _printf_(1, 2) out(const char *format, ...)
{
        static uint64_t start;
        uint64_t now = now_usec();
        va_list ap;

        if (!start)
                start = now;
        (void) printf("%10.3f  ", (double) (now - start) / 1e6);
        va_start(ap, format);
        (void) vprintf(format, ap);
        va_end(ap);
        (void) putchar('\n');
        (void) fflush(stdout);
}

static void finish(struct tool *t, const struct fault *fault)
{
        if (fault) {
                out("fault %d%s%s: %s", (int) fault->kind, *fault->field ? " on " : "", fault->field,
                    fault->text);
                t->result = 1;
        } else {
                out("done");
        }
        loop_stop(t->loop);
}

/* --- the engine ----------------------------------------------------------- */

static void on_done(void *arg, const struct fault *fault)
{
        finish(arg, fault);
}

static void print_container(const struct docker_container *c)
{
        out("%.12s %s gear=%s image=%s %s %s pid=%d exit=%d oom=%d address=%s started=%" PRIu64 " %s", c->id,
            c->name, c->gear, c->image, c->state, c->health, (int) c->pid, c->exit_code, c->oom_killed,
            c->address, c->started_usec, c->error);
}

static void on_inspected(void *arg, const struct docker_container *c, const struct fault *fault)
{
        if (c)
                print_container(c);
        finish(arg, fault);
}

static void on_listed(void *arg, const struct docker_container *c, size_t n, const struct fault *fault)
{
        for (size_t i = 0; i < n; i++)
                print_container(&c[i]);
        finish(arg, fault);
}

static void on_image(void *arg, const struct docker_image *image, const struct fault *fault)
{
        if (image)
                out("%s %" PRIu64 " bytes user=%s health=%d", image->id, image->size, image->user,
                    image->has_health);
        finish(arg, fault);
}

static void on_volumes(void *arg, char *const *names, const struct fault *fault)
{
        for (; names && *names; names++)
                out("%s", *names);
        finish(arg, fault);
}

static void on_progress(_unused_ void *arg, const struct docker_progress *p)
{
        out("%s %" PRIu64 "/%" PRIu64, p->text, p->current, p->total);
}

static void ask(struct tool *t)
{
        const char *verb = t->argv[1], *what = t->argv[2];

        if (streq(verb, "events"))
                return;
        if (streq(verb, "list"))
                (void) docker_list(t->docker, on_listed, t);
        else if (!what)
                finish(t, NULL);
        else if (streq(verb, "inspect"))
                (void) docker_inspect(t->docker, what, on_inspected, t);
        else if (streq(verb, "image"))
                (void) docker_inspect_image(t->docker, what, on_image, t);
        else if (streq(verb, "volumes"))
                (void) docker_list_volumes(t->docker, what, on_volumes, t);
        else if (streq(verb, "remove"))
                (void) docker_remove(t->docker, what, on_done, t);
        else if (streq(verb, "remove-volume"))
                (void) docker_remove_volume(t->docker, what, on_done, t);
        else
                (void) docker_pull(t->docker, what, NULL,
                                   (uint64_t) atoi(t->argv[3] ? t->argv[3] : "60") * USEC_PER_SEC,
                                   on_progress, on_done, t);
}

static void on_up(void *arg)
{
        struct tool *t = arg;

        out("up, cgroup driver %s", docker_cgroup_driver(t->docker));
        if (!t->asked)
                ask(t);
        t->asked = true;
}

static void on_down(_unused_ void *arg, const char *reason)
{
        out("down: %s", reason);
}

static void on_event(_unused_ void *arg, const struct docker_event *e)
{
        out("%s %.12s %s gear=%s health=%s exit=%d at=%" PRIu64, e->action, e->container, e->name, e->gear,
            e->health, e->exit_code, e->usec);
}

static int run_docker(struct tool *t)
{
        const struct docker_watch watch = { .up = on_up, .down = on_down, .event = on_event, .arg = t };
        const char *socket = getenv("DOCKER_SOCKET");

        t->docker = docker_new(t->loop, t->fetch, socket ? socket : "/run/docker.sock", &watch);
        docker_allow(t->docker, true);
        (void) loop_run(t->loop);
        t->docker = docker_free(t->docker);
        return t->result;
}

/* --- the journal ---------------------------------------------------------- */

static bool on_entry(_unused_ void *arg, const struct journal_entry *e)
{
        (void) printf("%s<%d> %.*s\n", e->identifier, e->priority, (int) e->message_len, e->message);
        (void) fflush(stdout);
        return true;
}

static void on_end(void *arg, int error)
{
        struct tool *t = arg;

        out("end: %s", strerror(-error));
        loop_stop(t->loop);
}

static int run_journal(struct tool *t)
{
        const struct journal_options options = { .unit = t->argv[2],
                                                 .tail = t->argv[2] && t->argv[3] ? atoll(t->argv[3]) : -1,
                                                 .follow = streq(t->argv[1], "follow") };
        const struct journal_hooks hooks = { .entry = on_entry, .end = on_end, .arg = t };
        _cleanup_(journal_reader_freep) struct journal_reader *reader = NULL;
        int r = journal_read(t->loop, &options, &hooks, &reader);

        if (r < 0) {
                out("cannot read the journal: %s", strerror(-r));
                return 1;
        }
        (void) loop_run(t->loop);
        return 0;
}

/* --- ports ---------------------------------------------------------------- */

static void on_probed(void *arg, bool good, const char *why)
{
        struct tool *t = arg;

        out("%s: %s", good ? "good" : "bad", why);
        t->result = !good;
        loop_stop(t->loop);
}

static int run_probe(struct tool *t)
{
        (void) probe_start(t->loop, t->fetch, t->argv[2], (uint16_t) atoi(t->argv[3]), t->argv[4],
                           2 * USEC_PER_SEC, on_probed, t);
        (void) loop_run(t->loop);
        return t->result;
}

static int run_port(struct tool *t)
{
        int r = port_try(t->argv[2], (uint16_t) atoi(t->argv[3]), t->argv[4]);

        out("%s", r == 0 ? "free" : strerror(-r));
        return r != 0;
}

static void on_interrupt(void *arg, _unused_ int signo)
{
        loop_stop(((struct tool *) arg)->loop);
}

int main(int argc, char **argv)
{
        _cleanup_(loop_freep) struct loop *loop = loop_new();
        _cleanup_(fetch_freep) struct fetch *fetch = fetch_new(loop);
        struct tool t = { .loop = loop, .fetch = fetch, .argv = argv };

        if (argc < 2) {
                (void) fputs("see the head of sys-probe.c\n", stderr);
                return 2;
        }
        (void) loop_on_signal(loop, SIGINT, on_interrupt, &t);
        (void) loop_on_signal(loop, SIGTERM, on_interrupt, &t);
        if (argc >= 3 && (streq(argv[1], "follow") || streq(argv[1], "log")))
                return run_journal(&t);
        if (argc >= 4 && (streq(argv[1], "tcp") || streq(argv[1], "http")))
                return run_probe(&t);
        if (argc >= 4 && streq(argv[1], "port"))
                return run_port(&t);
        return run_docker(&t);
}
