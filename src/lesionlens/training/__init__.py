"""Training, export and conversion of networks; needs the `train` extra."""
