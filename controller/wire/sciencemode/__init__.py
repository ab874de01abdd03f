"""ScienceMode 4: the serial protocol of the HASOMED P24 stimulators, both roles of one codec."""
