"""Services of the running process: progress, signals, worker processes, time and memory."""
