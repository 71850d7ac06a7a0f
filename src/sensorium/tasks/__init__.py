"""ONE FILE PER TASK: labels → arrays, loss, scores → labels as the user wrote them."""

from sensorium.tasks._base import EncodedTarget, Task
from sensorium.tasks._classes import label_cells
from sensorium.tasks._learn import learn_task

__all__ = ["EncodedTarget", "Task", "label_cells", "learn_task"]
