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

struct zone {
        bool local;
        int daylight; /* of the local one: 1, 0, or -1 for what counts at that time */
        int seconds;  /* otherwise: ahead of UTC */
};

/* "", "Z", " UTC", "+01:00", or a name of the host's own. unescaped: a + has become a blank on the way. */
static bool take_zone(const char *s, bool unescaped, struct zone *ret)
{
        int hours, minutes, sign;

        *ret = (struct zone){ .local = !*s, .daylight = -1 };
        if (!*s || strcasecmp(s, "z") == 0 || streq(s, " UTC"))
                return true;
        for (int i = 0; i < 2; i++)
                if (*s == ' ' && streq(s + 1, tzname[i])) {
                        *ret = (struct zone){ .local = true, .daylight = i };
                        return true;
                }
        sign = *s == '-' ? -1 : 1;
        if (!take_char(&s, unescaped ? "+- " : "+-") || !take_number(&s, 2, &hours))
                return false;
        (void) take_char(&s, ":");
        if (!take_number(&s, 2, &minutes) || *s || hours > 23 || minutes > 59)
                return false;
        ret->seconds = sign * (hours * 3600 + minutes * 60);
        return true;
}

static bool to_usec(struct tm *tm, const struct zone *zone, uint64_t usec, uint64_t *ret)
{
        const int day = tm->tm_mday;
        time_t seconds;

        if (tm->tm_sec == 60) { /* a leap second is the one behind it */
                tm->tm_sec = 59;
                usec += USEC;
        }
        tm->tm_isdst = zone->daylight;
        seconds = (zone->local ? mktime(tm) : timegm(tm)) - zone->seconds;
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

/* "Thu ", "Thursday, ": the day of the week, 0 for Sunday; -1 where there is none. */
static int take_weekday(const char **s)
{
        static const char *const days[] = { "sunday", "monday", "tuesday", "wednesday", "thursday", "friday", "saturday" };

        for (int i = 0; i < (int) ARRAY_SIZE(days); i++) {
                size_t n = strlen(days[i]);

                if (strncasecmp(*s, days[i], n) != 0)
                        n = strncasecmp(*s, days[i], 3) == 0 ? 3 : 0;
                if (n == 0)
                        continue;
                n += (*s)[n] == ',';
                if ((*s)[n] != ' ')
                        return -1;
                *s += n + 1;
                return i;
        }
        return -1;
}

static bool is_weekday(const struct tm *date, int day)
{
        struct tm tm = *date;

        return timegm(&tm) != -1 && tm.tm_wday == day;
}

static bool parse_calendar(const char *s, uint64_t now_usec, uint64_t *ret)
{
        struct tm tm = today(now_usec), date = { 0 };
        int weekday = take_weekday(&s);
        const char *from = s;
        bool rfc_3339 = false;
        uint64_t usec = 0;
        struct zone zone;

        if (take_date(&s, &date)) {
                if (weekday >= 0 && !is_weekday(&date, weekday))
                        return false;
                tm = date;
                rfc_3339 = *s == 'T' || *s == 't';
                if ((rfc_3339 || (*s == ' ' && s[1] >= '0' && s[1] <= '9')) && (!take_char(&s, "Tt ") || !take_time(&s, &tm, &usec)))
                        return false;
        } else {
                s = from;
                if (weekday >= 0 || !take_time(&s, &tm, &usec))
                        return false;
        }
        return take_zone(s, rfc_3339, &zone) && to_usec(&tm, &zone, usec, ret);
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
