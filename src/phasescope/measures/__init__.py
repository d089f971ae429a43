"""Pure functions: arrays in, `Result` out. No model, file or figure is seen here."""
