"""Studies of criticality: sandpiles, branching, the neural sandpile, and the calibration of all estimators."""
