"""Figures, verdict and tables composed into one self-contained HTML file."""
