dist_man_MANS = man/gear.1 man/gear-token.7 man/geard.8 man/geard.conf.5

# What geard.conf(5) says, in the form of a file; read before /etc/geard.
dist_vendor_DATA = units/geard.conf
