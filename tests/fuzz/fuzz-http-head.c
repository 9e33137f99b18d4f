/* SPDX-License-Identifier: Apache-2.0 */

/*
 * The request head: whatever comes in, what is accepted keeps the promises of
 * parse.h, and the bytes beyond head and scratch stay untouched.
 */

#include "http/origin.h"
#include "http/parse.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool held)
{
        if (!held)
                abort();
}

static bool lies_within(const char *s, const char *memory, size_t size)
{
        return s >= memory && s < memory + size && memchr(s, '\0', (size_t) (memory + size - s));
}

static void check_accepted(const struct http_request *r, const struct http_framing *f, const char *memory,
                           size_t size)
{
        require(r->method != HTTP_OTHER && r->minor_version >= 0 && r->minor_version <= 1);
        require(r->target[0] == '/' && lies_within(r->target, memory, size));
        require(r->n_segments <= HTTP_SEGMENTS_MAX && !r->segments[r->n_segments]);
        require(r->n_headers <= HTTP_HEADERS_MAX && r->n_params <= HTTP_PARAMS_MAX);
        require(f->content_length <= UINT64_C(9999999999) && !(f->chunked && f->content_length > 0));
        for (size_t i = 0; i < r->n_segments; i++)
                require(lies_within(r->segments[i], memory, size) && r->segments[i][0] &&
                        !streq(r->segments[i], ".") && !streq(r->segments[i], ".."));
        for (size_t i = 0; i < r->n_headers; i++)
                require(lies_within(r->headers[i].name, memory, size) && r->headers[i].name[0] &&
                        lies_within(r->headers[i].value, memory, size) &&
                        !strpbrk(r->headers[i].value, "\r\n"));
        for (size_t i = 0; i < r->n_params; i++)
                require(r->params[i].name[0] && http_param(r, r->params[i].name) == r->params[i].value);
}

static void check_origin(const struct http_request *r)
{
        const struct origin_policy policy = { .guard_host = true, .guard_origin = true };
        const char *origin;

        (void) origin_check(&policy, r, &origin);
        (void) origin_is_preflight(r);
        (void) http_prefers_json(r);
}

/* The end of the head must not depend on how the bytes were cut into pieces. */
static enum http_refusal find_in_pieces(const char *bytes, size_t size, size_t *ret_len)
{
        enum http_refusal why = HTTP_FINE;
        size_t scanned = 0;

        *ret_len = 0;
        for (size_t n = 1; n <= size && why == HTTP_FINE && *ret_len == 0; n++)
                why = http_head_find(bytes, n, &scanned, ret_len);
        return why;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        const char *bytes = (const char *) data;
        size_t scanned = 0, len, piecewise, whole;
        struct http_framing framing;
        struct http_request request;
        enum http_refusal why;
        char *memory;

        why = http_head_find(bytes, size, &scanned, &len);
        require(find_in_pieces(bytes, size, &piecewise) == why && piecewise == len);
        if (why != HTTP_FINE || len == 0)
                return 0;

        whole = len + http_head_scratch(len);
        memory = malloc(whole);
        require(memory);
        memcpy(memory, bytes, len);
        why = http_head_parse(memory, len, &request, &framing);
        require(http_refusal_name(why) && http_refusal_sentence(why));
        if (why == HTTP_FINE || why == HTTP_CHUNKED) {
                check_accepted(&request, &framing, memory, whole);
                check_origin(&request);
        }
        free(memory);
        return 0;
}
