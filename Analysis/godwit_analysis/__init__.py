"""Reads result folders of the seven experiments and draws every figure and table of them."""
