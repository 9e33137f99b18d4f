/* SPDX-License-Identifier: Apache-2.0 */

#include "git-helper/git.h"

#include "core/git-ref.h"

#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <sys/wait.h>

#define GIT "/usr/bin/git"
#define SSH "ssh -oBatchMode=yes -oStrictHostKeyChecking=yes -oConnectTimeout=30"

void git_add(struct git_words *w, const char *word)
{
        if (w->n == 0)
                w->at[w->n++] = GIT;
        if (w->n < GIT_WORDS_MAX)
                w->at[w->n++] = word;
}

void git_add_in(struct git_words *w, const char *dir)
{
        git_add(w, "-C");
        git_add(w, dir);
}

/* A repository of this host may be anybody's: this is said where its server's side reads it, too. */
static const char *own_config(const char *protocols)
{
        static const char path[] = "/tmp/gitconfig";
        FILE *file = streq(protocols, "file") ? fopen(path, "we") : NULL;
        bool good;

        if (!file)
                return "/dev/null";
        good = fputs("[safe]\n\tdirectory = *\n", file) >= 0;
        return fclose(file) == 0 && good ? path : "/dev/null";
}

/* How it is called, with more options behind: no questions, and only hosts that are known. */
static int set_ssh(const char *more)
{
        char command[2048];
        int n = snprintf(command, sizeof command, "%s%s", SSH, more);

        return n >= (int) sizeof command || setenv("GIT_SSH_COMMAND", command, 1) < 0 ? -E2BIG : 0;
}

static int set_key(const char *directory, const char *key)
{
        char option[1024];

        (void) snprintf(option, sizeof option, " -oIdentitiesOnly=yes -i '%s/%s'", directory, key);
        return set_ssh(option);
}

int git_set_environment(const char *protocols, const char *key)
{
        const char *directory = getenv("CREDENTIALS_DIRECTORY");
        _cleanup_free_ char *credentials = directory ? strdup(directory) : NULL;
        const struct {
                const char *name, *value;
        } variables[] = {
                { "PATH", "/usr/bin:/bin" },
                { "LC_ALL", "C.UTF-8" },
                { "HOME", "/nonexistent" },
                { "GIT_CONFIG_NOSYSTEM", "1" },
                { "GIT_CONFIG_GLOBAL", own_config(protocols) },
                { "GIT_TERMINAL_PROMPT", "0" },
                { "GIT_LITERAL_PATHSPECS", "1" },
                { "GIT_ALLOW_PROTOCOL", protocols },
        };

        if (clearenv() != 0)
                return -errno;
        for (size_t i = 0; i < ARRAY_SIZE(variables); i++)
                if (setenv(variables[i].name, variables[i].value, 1) < 0)
                        return -errno;
        return key && credentials ? set_key(credentials, key) : set_ssh("");
}

int git_hold_ssh(const char *host, const char *address)
{
        const char *command = getenv("GIT_SSH_COMMAND");
        char options[1536];

        (void) snprintf(options, sizeof options, "%s -oHostKeyAlias='%s' -oHostName='%s'", command ? command + strlen(SSH) : "",
                        host, address);
        return set_ssh(options);
}

static int no_git(int error)
{
        fprintf(stderr, GIT ": %s\n", strerror(error));
        return GIT_NOT_THERE;
}

int git_find(void)
{
        return access(GIT, X_OK) < 0 ? no_git(errno) : 0;
}

/* Started with this descriptor of its in our pipe; the side to read from, or -errno. */
static int start(const struct git_words *w, int of_its, pid_t *ret)
{
        posix_spawn_file_actions_t actions;
        int fds[2], r;

        if (pipe2(fds, O_CLOEXEC) < 0)
                return -errno;
        (void) posix_spawn_file_actions_init(&actions);
        (void) posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
        (void) posix_spawn_file_actions_adddup2(&actions, fds[1], of_its);
        r = posix_spawn(ret, GIT, &actions, NULL, (char *const *) (uintptr_t) w->at, environ);
        (void) posix_spawn_file_actions_destroy(&actions);
        (void) close(fds[1]);
        if (r == 0)
                return fds[0];
        (void) close(fds[0]);
        return -r;
}

static int wait_for(pid_t pid)
{
        int status = 0;

        while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
                ;
        return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

int git_run(const struct git_words *w)
{
        return git_run_watched(w, NULL);
}

int git_run_watched(const struct git_words *w, const struct relay_watch *watch)
{
        pid_t pid;
        int fd = start(w, STDERR_FILENO, &pid);

        if (fd < 0)
                return no_git(-fd);
        if (!relay(fd, STDERR_FILENO, watch))
                (void) kill(pid, SIGKILL);
        (void) close(fd);
        return wait_for(pid);
}

int git_capture(const struct git_words *w, char *ret, size_t size)
{
        pid_t pid;
        int fd = start(w, STDOUT_FILENO, &pid);
        size_t n = 0;
        ssize_t r;

        if (fd < 0)
                return no_git(-fd);
        while (n + 1 < size && ((r = read(fd, ret + n, size - 1 - n)) > 0 || (r < 0 && errno == EINTR)))
                n += r > 0 ? (size_t) r : 0;
        (void) close(fd);
        ret[n] = '\0';
        ret[strcspn(ret, "\n")] = '\0';
        return wait_for(pid);
}

int git_become(const struct git_words *w)
{
        (void) execv(GIT, (char *const *) (uintptr_t) w->at);
        return no_git(errno);
}
