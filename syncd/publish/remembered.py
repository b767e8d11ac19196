"""Answers remembered until a commit, other people or time alone change them."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass
from datetime import datetime
from threading import Lock

from syncd.model.directory import Directory
from syncd.model.offer import Answer
from syncd.publish.asking import Question

ANSWERS = 1024
"""Answers remembered while nothing changes."""


@dataclass(frozen=True, slots=True)
class Remembered:
    """An answer and what it was made from."""

    answer: Answer
    directory: Directory
    made: datetime


class Answers:
    """The answers of one publisher; thread-safe."""

    def __init__(self) -> None:
        self._answers: OrderedDict[Question, Remembered] = OrderedDict()
        self._lock = Lock()

    def kept(self, question: Question, generation: int, directory: Directory, now: datetime) -> Answer | None:
        """The answer, as long as nothing can have changed."""
        with self._lock:
            kept = self._answers.get(question)
        if kept is None or kept.answer.generation != generation or kept.directory is not directory:
            return None
        return kept.answer if kept.made <= now < kept.answer.valid_until else None

    def keep(self, question: Question, remembered: Remembered) -> None:
        """Remember an answer; the ones that nobody asked for longest are forgotten."""
        with self._lock:
            self._answers[question] = remembered
            self._answers.move_to_end(question)
            while len(self._answers) > ANSWERS:
                self._answers.popitem(last=False)
