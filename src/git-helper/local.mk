helper_PROGRAMS += gear-git
gear_git_SOURCES = \
	src/git-helper/gear-git.c \
	src/git-helper/git.c src/git-helper/git.h \
	src/git-helper/relay.c src/git-helper/relay.h \
	src/git-helper/remote.c src/git-helper/remote.h \
	src/git-helper/show.c src/git-helper/show.h \
	src/core/clone-url.c src/core/git-ref.c src/core/ip-scope.c src/util/fault.c src/util/text.c
# Names its objects differently from those of the library, which has two of them as well.
gear_git_CFLAGS = $(AM_CFLAGS)
