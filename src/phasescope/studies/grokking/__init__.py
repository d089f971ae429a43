"""Delayed generalization: train many seeds, locate both transitions, show the circuit."""
