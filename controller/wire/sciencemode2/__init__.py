"""ScienceMode 2: the serial protocol of the HASOMED RehaStim2, both roles of one codec."""
