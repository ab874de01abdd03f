"""Dynamixel Protocol 2.0: the half-duplex bus of Robotis servos, both roles of one codec."""
