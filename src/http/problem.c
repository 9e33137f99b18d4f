/* SPDX-License-Identifier: Apache-2.0 */

#include "http/problem.h"

#include "util/json.h"

static const struct {
        int status;
        const char *phrase;
} phrases[] = {
        { 200, "OK" },
        { 201, "Created" },
        { 202, "Accepted" },
        { 204, "No Content" },
        { 206, "Partial Content" },
        { 301, "Moved Permanently" },
        { 302, "Found" },
        { 303, "See Other" },
        { 304, "Not Modified" },
        { 307, "Temporary Redirect" },
        { 308, "Permanent Redirect" },
        { 400, "Bad Request" },
        { 401, "Unauthorized" },
        { 403, "Forbidden" },
        { 404, "Not Found" },
        { 405, "Method Not Allowed" },
        { 406, "Not Acceptable" },
        { 408, "Request Timeout" },
        { 409, "Conflict" },
        { 410, "Gone" },
        { 411, "Length Required" },
        { 412, "Precondition Failed" },
        { 413, "Content Too Large" },
        { 414, "URI Too Long" },
        { 415, "Unsupported Media Type" },
        { 416, "Range Not Satisfiable" },
        { 417, "Expectation Failed" },
        { 421, "Misdirected Request" },
        { 422, "Unprocessable Content" },
        { 428, "Precondition Required" },
        { 429, "Too Many Requests" },
        { 431, "Request Header Fields Too Large" },
        { 500, "Internal Server Error" },
        { 501, "Not Implemented" },
        { 502, "Bad Gateway" },
        { 503, "Service Unavailable" },
        { 504, "Gateway Timeout" },
        { 505, "HTTP Version Not Supported" },
        { 507, "Insufficient Storage" },
};

const char *http_status_phrase(int status)
{
        for (size_t i = 0; i < ARRAY_SIZE(phrases); i++)
                if (phrases[i].status == status)
                        return phrases[i].phrase;
        return "Unknown";
}

void problem_write(struct text *t, bool json, int status, const char *field, const char *detail)
{
        if (!json) {
                text_add(t, detail);
                text_addc(t, '\n');
                return;
        }
        text_addc(t, '{');
        json_put(t, "type", "about:blank");
        /* RFC 9457 4.2.1: the title of about:blank is the status's own phrase. */
        json_put(t, "title", http_status_phrase(status));
        json_putu(t, "status", (uint64_t) status);
        json_put(t, "detail", detail);
        if (field && *field)
                json_put(t, "field", field);
        text_add(t, "}\n");
}

const char *problem_type(bool json)
{
        return json ? "application/problem+json" : "text/plain; charset=utf-8";
}
