"""Programmes that feed the program bytes nobody would write, for as long as they are told."""
