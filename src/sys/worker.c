/* SPDX-License-Identifier: Apache-2.0 */

#include "sys/worker.h"

#include <pthread.h>
#include <signal.h>
#include <sys/eventfd.h>
#include <sys/queue.h>

struct job {
        STAILQ_ENTRY(job) link;
        int (*run)(void *arg);
        void (*done)(void *arg, int r);
        void *arg;
        int result;
};
STAILQ_HEAD(jobs, job);

struct worker {
        pthread_t thread;
        pthread_mutex_t lock;
        pthread_cond_t more;
        struct jobs waiting, finished; /* both under the lock */
        bool ending;
        int wake;                      /* eventfd: something is finished */
        struct watch *watch;
};

static void wake_loop(struct worker *w)
{
        uint64_t one = 1;

        while (write(w->wake, &one, sizeof one) < 0 && errno == EINTR)
                ;
}

static void *thread_main(void *arg)
{
        struct worker *w = arg;

        (void) pthread_mutex_lock(&w->lock);
        for (;;) {
                struct job *job;

                while (!w->ending && STAILQ_EMPTY(&w->waiting))
                        (void) pthread_cond_wait(&w->more, &w->lock);
                if (w->ending)
                        break;
                job = STAILQ_FIRST(&w->waiting);
                STAILQ_REMOVE_HEAD(&w->waiting, link);
                (void) pthread_mutex_unlock(&w->lock);
                job->result = job->run(job->arg);
                (void) pthread_mutex_lock(&w->lock);
                STAILQ_INSERT_TAIL(&w->finished, job, link);
                wake_loop(w);
        }
        (void) pthread_mutex_unlock(&w->lock);
        return NULL;
}

static void deliver(void *arg, unsigned what _unused_)
{
        struct worker *w = arg;
        struct jobs finished = STAILQ_HEAD_INITIALIZER(finished);
        struct job *job;
        uint64_t count;

        if (read(w->wake, &count, sizeof count) < 0)
                return;
        (void) pthread_mutex_lock(&w->lock);
        STAILQ_CONCAT(&finished, &w->finished);
        (void) pthread_mutex_unlock(&w->lock);
        while ((job = STAILQ_FIRST(&finished))) {
                STAILQ_REMOVE_HEAD(&finished, link);
                job->done(job->arg, job->result);
                free(job);
        }
}

/* Signals are for the loop. */
static int start_thread(struct worker *w)
{
        sigset_t all, before;
        int r;

        (void) sigfillset(&all);
        (void) sigdelset(&all, SIGBUS); /* sys/mapped: blocked, it would end geard */
        (void) pthread_sigmask(SIG_SETMASK, &all, &before);
        r = pthread_create(&w->thread, NULL, thread_main, w);
        (void) pthread_sigmask(SIG_SETMASK, &before, NULL);
        return -r;
}

struct worker *worker_new(struct loop *l)
{
        struct worker *w = calloc(1, sizeof *w);

        if (!w)
                return NULL;
        STAILQ_INIT(&w->waiting);
        STAILQ_INIT(&w->finished);
        (void) pthread_mutex_init(&w->lock, NULL);
        (void) pthread_cond_init(&w->more, NULL);
        w->wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
        w->watch = w->wake >= 0 ? watch_new(l, w->wake, WATCH_READ, deliver, w) : NULL;
        if (!w->watch || start_thread(w) < 0) {
                (void) watch_free(w->watch);
                closep(&w->wake);
                free(w);
                return NULL;
        }
        return w;
}

static void drop_jobs(struct jobs *jobs)
{
        struct job *job;

        while ((job = STAILQ_FIRST(jobs))) {
                STAILQ_REMOVE_HEAD(jobs, link);
                free(job);
        }
}

struct worker *worker_free(struct worker *w)
{
        if (!w)
                return NULL;
        (void) pthread_mutex_lock(&w->lock);
        w->ending = true;
        (void) pthread_cond_signal(&w->more);
        (void) pthread_mutex_unlock(&w->lock);
        (void) pthread_join(w->thread, NULL);
        drop_jobs(&w->waiting);
        drop_jobs(&w->finished);
        (void) watch_free(w->watch);
        closep(&w->wake);
        (void) pthread_cond_destroy(&w->more);
        (void) pthread_mutex_destroy(&w->lock);
        free(w);
        return NULL;
}

int worker_run(struct worker *w, int (*job)(void *arg), void (*done)(void *arg, int r), void *arg)
{
        struct job *j = calloc(1, sizeof *j);

        if (!j)
                return -ENOMEM;
        *j = (struct job){ .run = job, .done = done, .arg = arg };
        (void) pthread_mutex_lock(&w->lock);
        STAILQ_INSERT_TAIL(&w->waiting, j, link);
        (void) pthread_cond_signal(&w->more);
        (void) pthread_mutex_unlock(&w->lock);
        return 0;
}
