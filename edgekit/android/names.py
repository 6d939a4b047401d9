"""What a model is called in an app: the same text gives the same names, another one others."""

from __future__ import annotations

from dataclasses import dataclass

from edgekit.exporters._names import JAVA, KOTLIN, pascal, snake

GROUP = "edgekit.models"
"""Of the packages and of the Maven coordinates."""


@dataclass(frozen=True)
class Names:
    """Legal names in Java, Kotlin, Android's packaging and Maven.

    Attributes:
        word: Of the archive, the assets and the last part of the package.
        type: The class that an app uses.
    """

    word: str
    type: str

    @property
    def package(self) -> str:
        """The Java package, and the namespace of the library."""
        return f"{GROUP}.{self.word}"

    @property
    def asset(self) -> str:
        """The model among the assets: an app may carry several."""
        return f"edgekit/{self.word}.tflite"

    @property
    def golden(self) -> str:
        """The golden vectors among the assets."""
        return f"edgekit/{self.word}.golden"


def names_of(model: str) -> Names:
    """The names of a model that is called `model`, which is any text."""
    return Names(snake(model, JAVA | KOTLIN), f"{pascal(model)}Model")
