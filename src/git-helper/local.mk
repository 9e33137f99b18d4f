git_helper_sources = \
	src/git-helper/gear-git.c \
	src/git-helper/clone.c src/git-helper/clone.h \
	src/git-helper/git.c src/git-helper/git.h \
	src/git-helper/quarantine.c src/git-helper/quarantine.h \
	src/git-helper/relay.c src/git-helper/relay.h \
	src/git-helper/remote.c src/git-helper/remote.h \
	src/git-helper/show.c src/git-helper/show.h \
	src/git-helper/size.c src/git-helper/size.h \
	src/core/clone-url.c src/core/git-ref.c src/core/ip-scope.c src/util/fault.c src/util/text.c

helper_PROGRAMS += gear-git
gear_git_SOURCES = $(git_helper_sources)
# Names its objects differently from those of the library, which has some of them as well.
gear_git_CFLAGS = $(AM_CFLAGS)
gear_git_LDADD =

# The same for the containers of GitImage=, which have another libc, or none; without sanitizers, which need theirs.
if STATIC_HELPER
helper_PROGRAMS += gear-git-static
gear_git_static_SOURCES = $(git_helper_sources)
gear_git_static_CFLAGS = -std=gnu11 -DLINKED_STATICALLY $(WARN_CFLAGS) $(HARDEN_CFLAGS) -fPIE
gear_git_static_LDADD =
gear_git_static_LDFLAGS = $(HARDEN_LDFLAGS) -static-pie $(STATIC_LDFLAGS)
endif
