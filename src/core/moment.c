/* SPDX-License-Identifier: Apache-2.0 */

#include "core/moment.h"

#include "util/text.h"

#include <stdio.h>
#include <time.h>

#define USEC UINT64_C(1000000)
#define YEAR_9999_SEC UINT64_C(253402300799)

static bool take_number(const char **s, unsigned digits, int *ret)
{
        int n = 0;

        for (unsigned i = 0; i < digits; i++, (*s)++) {
                if (**s < '0' || **s > '9')
                        return false;
                n = 10 * n + (**s - '0');
        }
        *ret = n;
        return true;
}

static bool take_char(const char **s, const char *set)
{
        if (!**s || !strchr(set, **s))
                return false;
        (*s)++;
        return true;
}

/* Digits behind the point; those behind the sixth count for nothing. */
static bool take_fraction(const char **s, uint64_t *ret_usec)
{
        uint64_t usec = 0, scale = USEC / 10;

        *ret_usec = 0;
        if (!take_char(s, "."))
                return true;
        if (**s < '0' || **s > '9')
                return false;
        for (; **s >= '0' && **s <= '9'; (*s)++, scale /= 10)
                usec += scale * (uint64_t) (**s - '0');
        *ret_usec = usec;
        return true;
}

static bool take_date(const char **s, struct tm *tm)
{
        if (!take_number(s, 4, &tm->tm_year) || !take_char(s, "-") || !take_number(s, 2, &tm->tm_mon) ||
            !take_char(s, "-") || !take_number(s, 2, &tm->tm_mday))
                return false;
        tm->tm_year -= 1900;
        tm->tm_mon--;
        return tm->tm_mon >= 0 && tm->tm_mon < 12 && tm->tm_mday > 0 && tm->tm_mday <= 31;
}

static bool take_time(const char **s, struct tm *tm, uint64_t *ret_usec)
{
        *ret_usec = 0;
        if (!take_number(s, 2, &tm->tm_hour) || !take_char(s, ":") || !take_number(s, 2, &tm->tm_min))
                return false;
        if (take_char(s, ":") && (!take_number(s, 2, &tm->tm_sec) || !take_fraction(s, ret_usec)))
                return false;
        return tm->tm_hour < 24 && tm->tm_min < 60 && tm->tm_sec <= 60;
}

/* "", "Z", " UTC", "+01:00": *ret_local when it says nothing. */
static bool take_zone(const char *s, int *ret_seconds, bool *ret_local)
{
        int hours, minutes, sign;

        *ret_seconds = 0;
        *ret_local = !*s;
        if (!*s || strcasecmp(s, "z") == 0 || streq(s, " UTC"))
                return true;
        sign = *s == '-' ? -1 : 1;
        if (!take_char(&s, "+-") || !take_number(&s, 2, &hours))
                return false;
        (void) take_char(&s, ":");
        if (!take_number(&s, 2, &minutes) || *s || hours > 23 || minutes > 59)
                return false;
        *ret_seconds = sign * (hours * 3600 + minutes * 60);
        return true;
}

static bool to_usec(struct tm *tm, int zone_seconds, bool local, uint64_t usec, uint64_t *ret)
{
        const int day = tm->tm_mday;
        time_t seconds;

        if (tm->tm_sec == 60) { /* a leap second is the one behind it */
                tm->tm_sec = 59;
                usec += USEC;
        }
        tm->tm_isdst = -1;
        seconds = (local ? mktime(tm) : timegm(tm)) - zone_seconds;
        /* The 30th of February would have become another day. */
        if (tm->tm_mday != day || seconds < 0 || (uint64_t) seconds > YEAR_9999_SEC)
                return false;
        *ret = (uint64_t) seconds * USEC + usec;
        return true;
}

static struct tm today(uint64_t now_usec)
{
        time_t seconds = (time_t) (now_usec / USEC);
        struct tm tm = { 0 };

        (void) localtime_r(&seconds, &tm);
        tm.tm_hour = tm.tm_min = tm.tm_sec = 0;
        return tm;
}

static bool parse_calendar(const char *s, uint64_t now_usec, uint64_t *ret)
{
        struct tm tm = today(now_usec), date = { 0 };
        const char *from = s;
        uint64_t usec = 0;
        int zone_seconds;
        bool local;

        if (take_date(&s, &date)) {
                tm = date;
                if (!starts_with(s, " UTC") && take_char(&s, "Tt ") && !take_time(&s, &tm, &usec))
                        return false;
        } else {
                s = from;
                if (!take_time(&s, &tm, &usec))
                        return false;
        }
        return take_zone(s, &zone_seconds, &local) && to_usec(&tm, zone_seconds, local, usec, ret);
}

static bool parse_word(const char *s, uint64_t now_usec, uint64_t *ret)
{
        static const struct {
                const char *word;
                int days;
        } words[] = { { "yesterday", -1 }, { "today", 0 }, { "tomorrow", 1 } };
        struct tm tm = today(now_usec);

        if (streq(s, "now")) {
                *ret = now_usec;
                return true;
        }
        for (size_t i = 0; i < ARRAY_SIZE(words); i++)
                if (streq(s, words[i].word)) {
                        time_t seconds;

                        tm.tm_mday += words[i].days;
                        tm.tm_isdst = -1;
                        seconds = mktime(&tm);
                        *ret = (uint64_t) seconds * USEC;
                        return seconds >= 0;
                }
        return false;
}

static bool parse_distance(const char *s, uint64_t now_usec, uint64_t *ret)
{
        _cleanup_free_ char *span = NULL;
        bool ahead = *s == '+', sign = ahead || *s == '-';
        uint64_t usec;

        span = strdup(s + sign);
        if (!span)
                return false;
        if (!sign && ends_with(span, " ago"))
                span[strlen(span) - strlen(" ago")] = '\0';
        if (!parse_duration(span, &usec))
                return false;
        if (ahead ? usec > YEAR_9999_SEC * USEC - now_usec : usec > now_usec)
                return false;
        *ret = ahead ? now_usec + usec : now_usec - usec;
        return true;
}

static bool parse_epoch(const char *s, uint64_t *ret)
{
        bool marked = take_char(&s, "@");
        uint64_t seconds = 0, usec = 0;
        size_t n = strspn(s, "0123456789");
        char digits[16];

        if (n == 0 || n >= sizeof digits)
                return false;
        memcpy(digits, s, n);
        digits[n] = '\0';
        s += n;
        if (!parse_u64(digits, YEAR_9999_SEC, &seconds) || (marked && !take_fraction(&s, &usec)) || *s)
                return false;
        *ret = seconds * USEC + usec;
        return true;
}

bool moment_parse(const char *s, uint64_t now_usec, uint64_t *ret_usec)
{
        return parse_epoch(s, ret_usec) || parse_word(s, now_usec, ret_usec) ||
               parse_calendar(s, now_usec, ret_usec) || parse_distance(s, now_usec, ret_usec);
}

void moment_add(struct text *t, uint64_t usec, int digits)
{
        time_t seconds = (time_t) (usec / USEC);
        char date[32] = "", fraction[8] = "";
        struct tm tm;

        if (gmtime_r(&seconds, &tm))
                (void) strftime(date, sizeof date, "%Y-%m-%dT%H:%M:%S", &tm);
        if (digits > 0)
                (void) snprintf(fraction, sizeof fraction, ".%06u", (unsigned) (usec % USEC));
        text_addf(t, "%s%.*sZ", date, digits > 0 ? digits + 1 : 0, fraction);
}
