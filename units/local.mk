dist_systemdsystemunit_DATA = units/geard.socket units/gear.slice units/gear-jobs.slice
nodist_systemdsystemunit_DATA = units/geard.service
EXTRA_DIST += units/geard.service.in units/geard.sysusers units/geard.tmpfiles contrib/geard.service
CLEANFILES += units/geard.service

units/geard.service: units/geard.service.in Makefile
	$(AM_V_GEN)$(MKDIR_P) units && $(SED) -e 's,@sbindir\@,$(sbindir),g' $(srcdir)/units/geard.service.in > $@

# Both of these name the package, not the file in our tree.
install-data-hook:
	$(MKDIR_P) "$(DESTDIR)$(sysusersdir)" "$(DESTDIR)$(tmpfilesdir)" "$(DESTDIR)$(gearddir)/geard.conf.d" \
		"$(DESTDIR)$(gearddir)/keys.d"
	$(INSTALL_DATA) $(srcdir)/units/geard.sysusers "$(DESTDIR)$(sysusersdir)/geard.conf"
	$(INSTALL_DATA) $(srcdir)/units/geard.tmpfiles "$(DESTDIR)$(tmpfilesdir)/geard.conf"

uninstall-hook:
	rm -f "$(DESTDIR)$(sysusersdir)/geard.conf" "$(DESTDIR)$(tmpfilesdir)/geard.conf"
