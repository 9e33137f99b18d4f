/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Remembers many requests as geard does, then says what that costs: bytes on
 * the disk, the time of a start, of one lookup, and memory.
 *
 *     remember DIRECTORY NUMBER
 */

#include "api/answer.h"
#include "api/gear-json.h"
#include "sys/database.h"
#include "util/file.h"

#include <inttypes.h>
#include <stdio.h>
#include <time.h>

#define TOGETHER 512
#define LOOKUPS 20000
#define CACHE (2 << 20) /* as DatabaseCache= */
#define SPREAD UINT64_C(0x9e3779b97f4a7c15) /* makes numbers in a row look like random ones */

struct run {
        struct loop *loop;
        struct database *db;
        uint64_t next, end;  /* to be written, or looked up */
        uint64_t under_way;
        uint64_t total, found;
        bool failed;
};

static void fill_in(uint64_t number, struct database_request *q)
{
        *q = (struct database_request){ .began_usec = wall_usec() };
        (void) snprintf(q->principal, sizeof q->principal, "uid:0");
        /* Ids are random: their order must not help. */
        (void) snprintf(q->id, sizeof q->id, "%016" PRIx64 "%016" PRIx64, number * SPREAD, number);
        (void) snprintf(q->digest, sizeof q->digest, "%064" PRIx64, number * UINT64_C(0xbf58476d1ce4e5b9));
        (void) snprintf(q->resource, sizeof q->resource, "web-%" PRIu64, number);
        q->keep_until_sec = wall_usec() / USEC_PER_SEC + 86400;
}

/* What PUT /container answers, in the words of the daemon. */
static struct outcome answer(uint64_t number)
{
        char id[GEAR_ID_MAX + 1], image[64], line[128];
        uint64_t began = UINT64_C(1795240800000000) + number * 100 * USEC_PER_MSEC;
        struct gear_port port = { .internal = 80, .external = (uint16_t) (4000 + number * SPREAD % 1000) };
        struct gear gear = { .id = id, .image = image, .user = (char *) "alice", .ports = &port, .n_ports = 1,
                             .phase = GEAR_STARTED, .active = "active", .sub = "running", .load = "loaded",
                             .result = "success", .container_state = "running", .health = "",
                             .created_usec = began, .since_usec = began + 300 * USEC_PER_MSEC };
        struct outcome outcome;
        struct text json = { 0 };

        (void) snprintf(id, sizeof id, "web-%" PRIu64, number);
        (void) snprintf(image, sizeof image, "registry.example.org/shop/web:2.%u", (unsigned) (number % 100));
        (void) snprintf(gear.container, sizeof gear.container, "%012" PRIx64, number * SPREAD >> 16);
        (void) snprintf(line, sizeof line, "Gear %s is running\n", id);
        gear_to_json(&gear, &json);
        text_addc(&json, '\n');
        free(gear.row);
        outcome_of(&outcome, 201, line, &json);
        outcome_header(&outcome, "Location", "/container/%s/status", id);
        gear_port_header(&gear, &outcome);
        return outcome;
}

static void step(struct run *run);

static void ended(struct run *run, const struct fault *fault)
{
        if (fault) {
                fprintf(stderr, "%s\n", fault->text);
                run->failed = true;
        }
        run->under_way--;
        if (run->under_way == 0 && (run->failed || run->next == run->end))
                loop_stop(run->loop);
        else if (run->under_way == 0)
                step(run);
}

static void written(void *arg, const struct fault *fault)
{
        ended(arg, fault);
}

static void write_one(struct run *run, uint64_t number)
{
        struct database_request q;

        fill_in(number, &q);
        q.outcome = answer(number);
        run->under_way++;
        if (!database_conclude(run->db, &q, written, run))
                abort();
        database_request_reset(&q);
}

static void found(void *arg, struct database_request *rows _unused_, size_t n, const struct fault *fault)
{
        struct run *run = arg;

        run->found += n;
        ended(run, fault);
}

static void look_up(struct run *run, uint64_t number)
{
        struct database_request q;

        fill_in(number * UINT64_C(2654435761) % run->total, &q);
        run->under_way++;
        if (!database_find(run->db, q.principal, q.id, found, run))
                abort();
}

static void step(struct run *run)
{
        for (int i = 0; i < TOGETHER && run->next < run->end; i++, run->next++) {
                if (run->end == run->total)
                        write_one(run, run->next);
                else
                        look_up(run, run->next);
        }
}

/* Seconds that it took. */
static double go(struct run *run, uint64_t end)
{
        uint64_t began = now_usec();

        run->next = 0;
        run->end = end;
        step(run);
        if (loop_run(run->loop) < 0 || run->failed)
                exit(1);
        return (double) (now_usec() - began) / 1e6;
}

static void told(void *arg, struct database_request *rows _unused_, size_t n _unused_, const struct fault *fault _unused_)
{
        loop_stop(((struct run *) arg)->loop);
}

static double start(struct run *run, const char *path)
{
        const struct database_options options = { .cache_bytes = CACHE, .audit_usec = USEC_NEVER, .audit_bytes = UINT64_MAX };
        uint64_t began = now_usec();

        run->db = database_new(run->loop, path, &options);
        if (!run->db || !database_unfinished(run->db, told, run) || loop_run(run->loop) < 0)
                exit(1);
        return (double) (now_usec() - began) / 1e3;
}

/* Of all threads, in seconds: on a machine that does other things it means more than the clock. */
static double processor(void)
{
        struct timespec t;

        (void) clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
        return (double) t.tv_sec + (double) t.tv_nsec / 1e9;
}

static unsigned long private_kib(void)
{
        _cleanup_free_ char *status = NULL;
        const char *line;

        if (file_read("/proc/self/status", 1 << 16, &status, NULL) < 0 || !(line = strstr(status, "RssAnon:")))
                return 0;
        return strtoul(line + strlen("RssAnon:"), NULL, 10);
}

int main(int argc, char **argv)
{
        struct run run = { .loop = loop_new() };
        double filling, starting, looking, worked;
        char path[4096];
        struct stat st;

        if (argc != 3 || !run.loop || !parse_u64(argv[2], 100000000, &run.total) || run.total < 2 * LOOKUPS)
                return 2;
        (void) snprintf(path, sizeof path, "%s/geard.db", argv[1]);
        (void) start(&run, path);
        filling = go(&run, run.total);
        run.db = database_free(run.db);
        starting = start(&run, path);
        worked = processor();
        looking = go(&run, LOOKUPS);
        worked = processor() - worked;
        if (stat(path, &st) < 0 || run.found != LOOKUPS)
                return 1;
        printf("written %.0f /s\nstart %.1f ms\nlookup %.1f us\nprocessor of a lookup %.1f us\ndisk %.0f MB\n"
               "private memory %.1f MB\n",
               (double) run.total / filling, starting, looking * 1e6 / LOOKUPS, worked * 1e6 / LOOKUPS,
               (double) st.st_size / 1e6, (double) private_kib() / 1024);
        (void) database_free(run.db);
        (void) loop_free(run.loop);
        return 0;
}
