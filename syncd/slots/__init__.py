"""Arithmetic of free time: pure steps on whole epoch seconds, each in a module of its own.

Time is cut into equal cells and a set of cells is one integer (`grid`), so that a month of a hundred people is
added up in microseconds. Cells are chosen such that nothing is rounded: see `grid.cell_minutes`.
"""
