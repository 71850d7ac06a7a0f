"""The process that the work runs in: progress, signals, time and memory."""
