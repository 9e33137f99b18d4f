/* SPDX-License-Identifier: Apache-2.0 */

/*
 * HTTP out: libcurl's multi interface, told by the loop which socket is ready
 * and when time is up.
 *
 * curl forbids to be called from its own callbacks, and `piece` runs in one.
 * So a request is handed to curl by the kick timer only, one that is cancelled
 * in there is buried once curl has returned, and `done` is called by the kick
 * timer as its last act, which leaves the callee free to do anything.
 */

#include "sys/fetch.h"
#include "util/text.h"

#include <assert.h>
#include <stdio.h>
#include <sys/queue.h>

#include <curl/curl.h>

/* Per host, so that a burst of questions to the engine queues here instead of in its accept backlog. */
#define CONNECTIONS_MAX 64L

TAILQ_HEAD(op_queue, fetch_op);
LIST_HEAD(socket_list, fetch_socket);

struct fetch_socket {
        LIST_ENTRY(fetch_socket) link;
        struct fetch *fetch;
        struct watch *watch;
        curl_socket_t fd;
};

struct fetch {
        struct loop *loop;
        CURLM *multi;
        struct timer *curl_timer;
        struct timer *kick; /* something waits in `starting` or `finished` */
        bool inside;        /* a function of curl's that calls us back is on the stack */
        struct socket_list sockets;
        struct op_queue starting, running, finished, dead;
};

static_assert(sizeof((struct fetch_answer *) NULL)->reason >= CURL_ERROR_SIZE,
              "curl writes its error there");

struct fetch_op {
        TAILQ_ENTRY(fetch_op) link;
        struct op_queue *queue;
        struct fetch *fetch;
        CURL *easy;
        bool attached; /* curl works on it */
        struct curl_slist *headers;
        struct text body;
        size_t answer_max;
        struct timer *silence;
        uint64_t silence_usec, heard_usec;
        int refused; /* why take_bytes() ended the transfer; 0 if it did not */
        struct fetch_answer answer;
        void (*head)(void *arg, int status);
        bool (*piece)(void *arg, int status, const char *bytes, size_t len);
        void (*done)(void *arg, const struct fetch_answer *answer);
        void *arg;
};

static void op_move(struct fetch_op *op, struct op_queue *queue)
{
        if (op->queue)
                TAILQ_REMOVE(op->queue, op, link);
        op->queue = queue;
        if (queue)
                TAILQ_INSERT_TAIL(queue, op, link);
}

static void op_detach(struct fetch_op *op)
{
        if (op->attached)
                (void) curl_multi_remove_handle(op->fetch->multi, op->easy);
        op->attached = false;
}

static struct fetch_op *op_free(struct fetch_op *op)
{
        op_detach(op);
        op_move(op, NULL);
        (void) timer_free(op->silence);
        curl_easy_cleanup(op->easy);
        curl_slist_free_all(op->headers);
        text_reset(&op->body);
        free(op);
        return NULL;
}
DEFINE_CLEANUP(struct fetch_op, op_free);

/* --- the end of a transfer ------------------------------------------------ */

static int errno_of(CURL *easy, CURLcode code)
{
        long os = 0;

        switch (code) {
        case CURLE_OK:
                return 0;
        case CURLE_OPERATION_TIMEDOUT:
                return -ETIMEDOUT;
        case CURLE_OUT_OF_MEMORY:
                return -ENOMEM;
        case CURLE_URL_MALFORMAT:
                return -EINVAL;
        case CURLE_UNSUPPORTED_PROTOCOL: /* in the URL, or an answer that is not HTTP/1 */
                return -EPROTONOSUPPORT;
        case CURLE_COULDNT_RESOLVE_HOST:
                return -EHOSTUNREACH;
        case CURLE_COULDNT_CONNECT:
                (void) curl_easy_getinfo(easy, CURLINFO_OS_ERRNO, &os);
                return os > 0 ? (int) -os : -ECONNREFUSED;
        case CURLE_GOT_NOTHING:
        case CURLE_PARTIAL_FILE:
        case CURLE_RECV_ERROR:
        case CURLE_SEND_ERROR:
                return -ECONNRESET;
        default:
                return -EPROTO;
        }
}

static int status_of(const struct fetch_op *op)
{
        long status = 0;

        (void) curl_easy_getinfo(op->easy, CURLINFO_RESPONSE_CODE, &status);
        return (int) status;
}

static void op_finish(struct fetch_op *op, int error, const char *reason)
{
        op_detach(op);
        if (op->silence)
                timer_stop(op->silence);
        op->answer.status = status_of(op);
        op->answer.error = error;
        if (!error)
                *op->answer.reason = '\0';
        else if (reason)
                (void) snprintf(op->answer.reason, sizeof op->answer.reason, "%s", reason);
        op->answer.body = op->body.data ? op->body.data : "";
        op->answer.len = op->body.len;
        op_move(op, &op->fetch->finished);
        timer_set(op->fetch->kick, 0);
}

/* NULL where curl's own words, which stand in the answer already, say it best. */
static const char *reason_of(const struct fetch_op *op, CURLcode code, int error)
{
        if (error == -ECONNRESET)
                return "the connection was closed";
        /* For a unix socket curl tells of host and port. */
        if (code == CURLE_COULDNT_CONNECT)
                return strerror(-error);
        return *op->answer.reason ? NULL : curl_easy_strerror(code);
}

static void op_finish_as(struct fetch_op *op, CURLcode code)
{
        int error = op->refused ? op->refused : errno_of(op->easy, code);

        op_finish(op, error, op->refused ? strerror(-error) : reason_of(op, code, error));
}

static void collect_results(struct fetch *f)
{
        CURLMsg *message;
        int left;

        while ((message = curl_multi_info_read(f->multi, &left))) {
                CURLcode code = message->data.result;
                char *private = NULL;
                struct fetch_op *op;

                if (message->msg != CURLMSG_DONE)
                        continue;
                (void) curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, &private);
                op = (struct fetch_op *) (void *) private;
                if (op->queue == &f->running)
                        op_finish_as(op, code);
        }
}

static void drive(struct fetch *f, curl_socket_t fd, int ready)
{
        struct fetch_op *op;
        int running;

        f->inside = true;
        (void) curl_multi_socket_action(f->multi, fd, ready, &running);
        f->inside = false;
        collect_results(f);
        while ((op = TAILQ_FIRST(&f->dead)))
                (void) op_free(op);
}

static void on_kick(void *arg)
{
        struct fetch *f = arg;
        _cleanup_(op_freep) struct fetch_op *op = NULL;

        while ((op = TAILQ_FIRST(&f->starting))) {
                CURLMcode code = curl_multi_add_handle(f->multi, op->easy);

                op->attached = code == CURLM_OK;
                if (op->attached)
                        op_move(op, &f->running);
                else
                        op_finish(op, code == CURLM_OUT_OF_MEMORY ? -ENOMEM : -EPROTO,
                                  curl_multi_strerror(code));
        }
        op = TAILQ_FIRST(&f->finished);
        if (!op)
                return;
        op_move(op, NULL);
        if (!TAILQ_EMPTY(&f->finished))
                timer_set(f->kick, 0);
        op->done(op->arg, &op->answer);
}

/* --- what curl calls ------------------------------------------------------ */

static void on_ready(void *arg, unsigned what)
{
        struct fetch_socket *s = arg;

        drive(s->fetch, s->fd,
              (what & WATCH_READ ? CURL_CSELECT_IN : 0) | (what & WATCH_WRITE ? CURL_CSELECT_OUT : 0));
}

static void on_curl_timer(void *arg)
{
        drive(arg, CURL_SOCKET_TIMEOUT, 0);
}

static int set_curl_timer(_unused_ CURLM *multi, long msec, void *arg)
{
        struct fetch *f = arg;

        if (msec < 0)
                timer_stop(f->curl_timer);
        else
                timer_set(f->curl_timer, (uint64_t) msec * USEC_PER_MSEC);
        return 0;
}

static void socket_free(struct fetch_socket *s)
{
        LIST_REMOVE(s, link);
        (void) watch_free(s->watch);
        free(s);
}

static int watch_socket(_unused_ CURL *easy, curl_socket_t fd, int what, void *arg, void *socket)
{
        struct fetch *f = arg;
        struct fetch_socket *s = socket;
        unsigned bits = (what & CURL_POLL_IN ? WATCH_READ : 0u) | (what & CURL_POLL_OUT ? WATCH_WRITE : 0u);

        if (what == CURL_POLL_REMOVE) {
                if (s)
                        socket_free(s);
                return 0;
        }
        if (s) {
                watch_set(s->watch, bits);
                return 0;
        }
        s = calloc(1, sizeof *s);
        if (!s)
                return -1;
        *s = (struct fetch_socket){ .fetch = f, .fd = fd };
        LIST_INSERT_HEAD(&f->sockets, s, link);
        s->watch = watch_new(f->loop, fd, bits, on_ready, s);
        if (!s->watch || curl_multi_assign(f->multi, fd, s) != CURLM_OK) {
                socket_free(s);
                return -1;
        }
        return 0;
}

static int store_bytes(struct fetch_op *op, const char *bytes, size_t len)
{
        if (len > op->answer_max - op->body.len)
                return -EFBIG;
        text_addn(&op->body, bytes, len);
        return text_ok(&op->body) ? 0 : -ENOMEM;
}

static bool is_dead(const struct fetch_op *op)
{
        return op->queue == &op->fetch->dead;
}

static size_t take_bytes(char *bytes, size_t size, size_t n, void *arg)
{
        struct fetch_op *op = arg;

        if (is_dead(op))
                return 0;
        op->heard_usec = now_usec();
        if (op->piece)
                op->refused = op->piece(op->arg, status_of(op), bytes, size * n) ? 0 : -ECANCELED;
        else
                op->refused = store_bytes(op, bytes, size * n);
        return op->refused || is_dead(op) ? 0 : size * n;
}

static size_t take_header(char *bytes, size_t size, size_t n, void *arg)
{
        struct fetch_op *op = arg;
        bool ends_head = *bytes == '\r' || *bytes == '\n';

        if (is_dead(op))
                return 0;
        op->heard_usec = now_usec();
        if (op->head && ends_head && status_of(op) >= 200)
                op->head(op->arg, status_of(op));
        return is_dead(op) ? 0 : size * n;
}

static void on_silence(void *arg)
{
        struct fetch_op *op = arg;
        uint64_t quiet = now_usec() - op->heard_usec;

        if (quiet < op->silence_usec)
                timer_set(op->silence, op->silence_usec - quiet);
        else
                op_finish(op, -ETIMEDOUT, "nothing was received for too long");
}

/* --- starting ------------------------------------------------------------- */

static long msec_of(uint64_t usec)
{
        return (long) ((usec + USEC_PER_MSEC - 1) / USEC_PER_MSEC);
}

static bool add_header(struct fetch_op *op, const char *line)
{
        struct curl_slist *longer = curl_slist_append(op->headers, line);

        if (longer)
                op->headers = longer;
        return longer;
}

static bool set_headers(struct fetch_op *op, const struct fetch_request *request)
{
        _cleanup_text_ struct text type = { 0 };
        /* A name without a value takes away the header that curl would add. */
        bool ok = add_header(op, "Expect:");

        text_addf(&type, "Content-Type:%s%s", request->content_type ? " " : "",
                  request->content_type ? request->content_type : "");
        ok = ok && text_ok(&type) && add_header(op, type.data);
        for (const char *const *h = request->headers; h && *h; h++)
                ok = ok && add_header(op, *h);
        return ok && curl_easy_setopt(op->easy, CURLOPT_HTTPHEADER, op->headers) == CURLE_OK;
}

static bool set_body(struct fetch_op *op, const struct fetch_request *request)
{
        bool expects_body = streq(request->method, "POST") || streq(request->method, "PUT");

        if (streq(request->method, "HEAD"))
                return curl_easy_setopt(op->easy, CURLOPT_NOBODY, 1L) == CURLE_OK;
        if (!request->body_len && !expects_body)
                return true;
        return curl_easy_setopt(op->easy, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t) request->body_len) ==
                       CURLE_OK &&
               curl_easy_setopt(op->easy, CURLOPT_COPYPOSTFIELDS, request->body_len ? request->body : "") ==
                       CURLE_OK;
}

static bool set_target(struct fetch_op *op, const struct fetch_request *request)
{
        uint64_t connect_usec = request->connect_usec ? request->connect_usec : 5 * USEC_PER_SEC;
        CURL *e = op->easy;

        return curl_easy_setopt(e, CURLOPT_URL, request->url) == CURLE_OK &&
               curl_easy_setopt(e, CURLOPT_UNIX_SOCKET_PATH, request->unix_socket) == CURLE_OK &&
               curl_easy_setopt(e, CURLOPT_PROTOCOLS_STR, "http,https") == CURLE_OK &&
               curl_easy_setopt(e, CURLOPT_HTTP_VERSION, (long) CURL_HTTP_VERSION_1_1) == CURLE_OK &&
               curl_easy_setopt(e, CURLOPT_FOLLOWLOCATION, 0L) == CURLE_OK &&
               curl_easy_setopt(e, CURLOPT_NOPROXY, "*") == CURLE_OK &&
               curl_easy_setopt(e, CURLOPT_NOSIGNAL, 1L) == CURLE_OK &&
               curl_easy_setopt(e, CURLOPT_CONNECTTIMEOUT_MS, msec_of(connect_usec)) == CURLE_OK &&
               curl_easy_setopt(e, CURLOPT_TIMEOUT_MS, msec_of(request->total_usec)) == CURLE_OK;
}

static bool set_callbacks(struct fetch_op *op)
{
        CURL *e = op->easy;

        return curl_easy_setopt(e, CURLOPT_PRIVATE, (void *) op) == CURLE_OK &&
               curl_easy_setopt(e, CURLOPT_ERRORBUFFER, op->answer.reason) == CURLE_OK &&
               curl_easy_setopt(e, CURLOPT_WRITEFUNCTION, take_bytes) == CURLE_OK &&
               curl_easy_setopt(e, CURLOPT_WRITEDATA, (void *) op) == CURLE_OK &&
               curl_easy_setopt(e, CURLOPT_HEADERFUNCTION, take_header) == CURLE_OK &&
               curl_easy_setopt(e, CURLOPT_HEADERDATA, (void *) op) == CURLE_OK;
}

struct fetch_op *fetch_start(struct fetch *f, const struct fetch_request *request,
                             void (*done)(void *arg, const struct fetch_answer *answer), void *arg)
{
        _cleanup_(op_freep) struct fetch_op *op = calloc(1, sizeof *op);

        if (!op)
                return NULL;
        *op = (struct fetch_op){ .fetch = f,
                                 .easy = curl_easy_init(),
                                 .answer_max = request->answer_max,
                                 .silence_usec = request->silence_usec,
                                 .heard_usec = now_usec(),
                                 .head = request->head,
                                 .piece = request->piece,
                                 .done = done,
                                 .arg = arg };
        if (!op->easy || !set_target(op, request) || !set_body(op, request) || !set_headers(op, request) ||
            !set_callbacks(op) ||
            curl_easy_setopt(op->easy, CURLOPT_CUSTOMREQUEST, request->method) != CURLE_OK)
                return NULL;
        if (op->silence_usec) {
                op->silence = timer_new(f->loop, on_silence, op);
                if (!op->silence)
                        return NULL;
                timer_set(op->silence, op->silence_usec);
        }
        op_move(op, &f->starting);
        timer_set(f->kick, 0);
        return TAKE(op);
}

struct fetch_op *fetch_cancel(struct fetch_op *op)
{
        if (!op)
                return NULL;
        if (op->fetch->inside && op->queue == &op->fetch->running)
                op_move(op, &op->fetch->dead);
        else
                (void) op_free(op);
        return NULL;
}

const char *fetch_header(const struct fetch_op *op, const char *name)
{
        struct curl_header *header;

        return curl_easy_header(op->easy, name, 0, CURLH_HEADER, -1, &header) == CURLHE_OK ? header->value : NULL;
}

/* --- the whole ------------------------------------------------------------ */

struct fetch *fetch_new(struct loop *l)
{
        _cleanup_(fetch_freep) struct fetch *f = NULL;

        if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK)
                return NULL;
        f = calloc(1, sizeof *f);
        if (!f) {
                curl_global_cleanup();
                return NULL;
        }
        f->loop = l;
        LIST_INIT(&f->sockets);
        TAILQ_INIT(&f->starting);
        TAILQ_INIT(&f->running);
        TAILQ_INIT(&f->finished);
        TAILQ_INIT(&f->dead);
        f->multi = curl_multi_init();
        f->curl_timer = timer_new(l, on_curl_timer, f);
        f->kick = timer_new(l, on_kick, f);
        if (!f->multi || !f->curl_timer || !f->kick ||
            curl_multi_setopt(f->multi, CURLMOPT_MAX_HOST_CONNECTIONS, CONNECTIONS_MAX) != CURLM_OK ||
            curl_multi_setopt(f->multi, CURLMOPT_SOCKETFUNCTION, watch_socket) != CURLM_OK ||
            curl_multi_setopt(f->multi, CURLMOPT_SOCKETDATA, f) != CURLM_OK ||
            curl_multi_setopt(f->multi, CURLMOPT_TIMERFUNCTION, set_curl_timer) != CURLM_OK ||
            curl_multi_setopt(f->multi, CURLMOPT_TIMERDATA, f) != CURLM_OK)
                return NULL;
        return TAKE(f);
}

static void empty_queue(struct op_queue *queue)
{
        struct fetch_op *op;

        while ((op = TAILQ_FIRST(queue)))
                (void) op_free(op);
}

struct fetch *fetch_free(struct fetch *f)
{
        struct fetch_socket *s;

        if (!f)
                return NULL;
        empty_queue(&f->starting);
        empty_queue(&f->running);
        empty_queue(&f->finished);
        empty_queue(&f->dead);
        (void) curl_multi_cleanup(f->multi);
        while ((s = LIST_FIRST(&f->sockets)))
                socket_free(s);
        (void) timer_free(f->curl_timer);
        (void) timer_free(f->kick);
        free(f);
        curl_global_cleanup();
        return NULL;
}
