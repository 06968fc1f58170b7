"""What is fitted after training, on pictures that were not trained on: probabilities, prediction sets, thresholds.

Needs the `evaluate` extra and no torch. `fit.calibrate` fits everything; the other modules each hold one part of it.
"""
