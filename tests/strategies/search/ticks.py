"""Clock and reporter of tests of the search."""

from sensorium.runtime.progress import Silent


class Ticks:
    """A clock that advances by one each time it is read, so that the search is the same on every machine."""

    def __init__(self):
        self.now = 0.0

    def __call__(self):
        self.now += 1
        return self.now


class Told(Silent):
    """Reporter that keeps its messages and steps."""

    def __init__(self):
        self.lines = []

    def log(self, text, *, once=""):
        self.lines.append(text)

    def step(self, text):
        self.lines.append(text)

    def __contains__(self, words):
        return any(words in line for line in self.lines)
