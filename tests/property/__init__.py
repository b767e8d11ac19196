"""Statements that hold for every input the machine can think of."""
