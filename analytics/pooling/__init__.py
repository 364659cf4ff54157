"""Figures of many firms as one: what may be said of a pool without saying what is one firm's."""
