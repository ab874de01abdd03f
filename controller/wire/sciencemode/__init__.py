"""ScienceMode 3 and 4, the serial protocols of the HASOMED RehaMove3 and P24: one codec, both roles, two catalogues."""
