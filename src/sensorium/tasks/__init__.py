"""ONE FILE PER TASK: labels → arrays, loss, scores → labels as the user wrote them."""

from sensorium.tasks._base import EncodedTarget, Task

__all__ = ["EncodedTarget", "Task"]
