"""Files of events that TensorBoard reads, written with the package ``tensorboard`` and without TensorFlow."""

from __future__ import annotations

import io
import time
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

_BINS = 30


class EventFile:
    """A file of events in a folder.

    Raises:
        ImportError: the package tensorboard is not installed.
    """

    def __init__(self, folder: Path) -> None:
        try:
            from tensorboard.compat.proto import event_pb2, graph_pb2, summary_pb2
            from tensorboard.summary.writer.event_file_writer import EventFileWriter
        except ImportError as error:
            raise ImportError(
                f"TensorBoard needs the package tensorboard: pip install 'kbackend[tensorboard]' ({error})"
            ) from error
        self._events, self._graphs, self._summaries = event_pb2, graph_pb2, summary_pb2
        folder.mkdir(parents=True, exist_ok=True)
        self._file = EventFileWriter(str(folder))

    def scalars(self, values: Mapping[str, float], step: int) -> None:
        """Write numbers by tag."""
        self._write([self._summaries.Summary.Value(tag=tag, simple_value=v) for tag, v in values.items()], step)

    def histograms(self, values: Mapping[str, np.ndarray], step: int) -> None:
        """Write how the numbers of arrays are distributed; those that are not finite are left out."""
        self._write([self._summaries.Summary.Value(tag=t, histo=self._histogram(v)) for t, v in values.items()], step)

    def _histogram(self, array: np.ndarray) -> Any:
        numbers = np.asarray(array, np.float64).ravel()
        numbers = numbers[np.isfinite(numbers)]
        counts, edges = np.histogram(numbers, bins=_BINS)
        return self._summaries.HistogramProto(
            min=numbers.min(initial=np.inf) if numbers.size else 0.0,
            max=numbers.max(initial=-np.inf) if numbers.size else 0.0,
            num=numbers.size,
            sum=numbers.sum(),
            sum_squares=np.square(numbers).sum(),
            bucket_limit=[edges[0], *edges[1:]],
            bucket=[0, *counts],
        )

    def images(self, values: Mapping[str, np.ndarray], step: int) -> None:
        """Write pictures, arrays of bytes (height, width)."""
        from PIL import Image

        found = []
        for tag, pixels in values.items():
            text = io.BytesIO()
            Image.fromarray(pixels).save(text, "PNG")
            height, width = pixels.shape
            image = self._summaries.Summary.Image(
                height=height, width=width, colorspace=1, encoded_image_string=text.getvalue()
            )
            found.append(self._summaries.Summary.Value(tag=tag, image=image))
        self._write(found, step)

    def graph(self, nodes: Iterable[tuple[str, str, Sequence[str], Mapping[str, str]]]) -> None:
        """Write a graph of nodes (name, what it does, names of its inputs, other facts)."""
        graph = self._graphs.GraphDef()
        graph.versions.producer = 22
        for name, op, inputs, facts in nodes:
            node = graph.node.add(name=name, op=op, input=list(inputs))
            for key, value in facts.items():
                node.attr[key].s = value.encode()
        event = self._events.Event(wall_time=time.time(), graph_def=graph.SerializeToString())
        self._file.add_event(event)

    def _write(self, values: list[Any], step: int) -> None:
        if values:
            summary = self._summaries.Summary(value=values)
            self._file.add_event(self._events.Event(wall_time=time.time(), step=step, summary=summary))

    def flush(self) -> None:
        """Let readers see what was written."""
        self._file.flush()

    def close(self) -> None:
        self._file.close()
