/* SPDX-License-Identifier: Apache-2.0 */

/* What each refusal is called, which status it gets and what the client reads. */

#include "http/parse.h"

static const struct {
        int status;
        const char *name;
        const char *sentence;
} refusals[_HTTP_REFUSAL_MAX] = {
        [HTTP_FINE] = { 200, "fine", "nothing is wrong" },
        [HTTP_BAD_METHOD] = { 400, "bad-method", "this is not an HTTP request line" },
        [HTTP_UNKNOWN_METHOD] = { 501, "unknown-method", "this method is not served" },
        [HTTP_BAD_TARGET] = { 400, "bad-target",
                              "the request target must be a path of visible ASCII without # or a "
                              "backslash" },
        [HTTP_LONG_TARGET] = { 414, "long-target", "the request target is too long" },
        [HTTP_BAD_VERSION] = { 400, "bad-version", "the request line does not end in HTTP/1.1 or HTTP/1.0" },
        [HTTP_OTHER_VERSION] = { 505, "other-version", "only HTTP/1.1 and HTTP/1.0 are spoken here" },
        [HTTP_BAD_ESCAPE] = { 400, "bad-escape",
                              "a % in the target needs two hex digits behind it, and not 00" },
        [HTTP_BAD_SEGMENT] = { 400, "bad-segment", "the path has an empty, . or .. segment" },
        [HTTP_MANY_SEGMENTS] = { 400, "many-segments", "the path has too many segments" },
        [HTTP_BAD_QUERY] = { 400, "bad-query", "the query holds a value without a name" },
        [HTTP_DOUBLE_PARAM] = { 400, "double-param", "the query names the same parameter twice" },
        [HTTP_MANY_PARAMS] = { 400, "many-params", "the query has too many parameters" },
        [HTTP_BARE_LF] = { 400, "bare-lf", "every line of the head must end in CR LF" },
        [HTTP_BAD_HEADER_NAME] = { 400, "bad-header-name",
                                   "a header line has no proper name before its colon" },
        [HTTP_BAD_HEADER_VALUE] = { 400, "bad-header-value",
                                    "a header value holds a control character or ends in a tab" },
        [HTTP_FOLDED_HEADER] = { 400, "folded-header", "a header line starts with a blank" },
        [HTTP_DOUBLE_HEADER] = { 400, "double-header", "a header that may stand only once stands twice" },
        [HTTP_MANY_HEADERS] = { 431, "many-headers", "the request has too many headers" },
        [HTTP_LONG_HEAD] = { 431, "long-head", "the request line and the headers are too long" },
        [HTTP_NO_HOST] = { 400, "no-host", "an HTTP/1.1 request needs a Host header" },
        [HTTP_BAD_HOST] = { 400, "bad-host", "the Host header is not a name or an address with a port" },
        [HTTP_BAD_LENGTH] = { 400, "bad-length", "Content-Length is not a number of 1 to 10 digits" },
        [HTTP_LENGTH_AND_CODING] = { 400, "length-and-coding",
                                     "Content-Length and Transfer-Encoding exclude each other" },
        [HTTP_BAD_CODING] = { 400, "bad-coding", "this Transfer-Encoding has no single meaning" },
        [HTTP_UNKNOWN_CODING] = { 501, "unknown-coding", "this Transfer-Encoding is not known here" },
        [HTTP_CHUNKED] = { 411, "chunked", "a body must come with Content-Length, not chunked" },
        [HTTP_HEAD_WITH_BODY] = { 400, "head-with-body", "a HEAD request must not have a body" },
        [HTTP_BAD_EXPECT] = { 417, "bad-expect", "only Expect: 100-continue is understood" },
        [HTTP_LONG_BODY] = { 413, "long-body", "the body is too large" },
        [HTTP_CUT_SHORT] = { 400, "cut-short", "the request ended before it was complete" },
        [HTTP_SLOW_HEAD] = { 408, "slow-head", "the request head took too long to arrive" },
        [HTTP_SLOW_BODY] = { 408, "slow-body", "the body took too long to arrive" },
        [HTTP_FOREIGN_HOST] = { 421, "foreign-host",
                                "this Host is neither local, an address, nor one listed for this listener" },
        [HTTP_FOREIGN_ORIGIN] = { 403, "foreign-origin", "a page of another site may not do this" },
        [HTTP_MANY_BODIES] = { 503, "many-bodies", "too many bodies are being read; try again" },
        [HTTP_NO_MEMORY] = { 503, "no-memory", "out of memory" },
};

int http_refusal_status(enum http_refusal r)
{
        return refusals[r].status;
}

const char *http_refusal_sentence(enum http_refusal r)
{
        return refusals[r].sentence;
}

const char *http_refusal_name(enum http_refusal r)
{
        return refusals[r].name;
}
