"""Vocabulary of the planted scenes: social actions with known affect, and neutral people and places."""

from __future__ import annotations

from typing import NamedTuple

#: Latents that determine simulated judgments, each in −1 to 1.
LATENTS = ("valence", "dominance", "intimacy", "arousal")


class Action(NamedTuple):
    """A social action: its latents in the order of ``LATENTS``, and several wordings."""

    name: str
    latents: tuple[float, float, float, float]
    wordings: tuple[str, str, str]


ACTIONS = (
    Action("hug", (0.9, -0.4, 0.9, 0.0), ("hug each other", "embrace", "hold each other tight")),
    Action("kiss", (0.9, -0.3, 1.0, 0.3), ("kiss", "give each other a kiss", "kiss on the cheek")),
    Action(
        "comfort", (0.3, -0.1, 0.8, -0.5), ("comfort each other", "console one another", "wipe away tears")
    ),
    Action(
        "dance", (0.9, -0.3, 0.5, 0.8), ("dance together", "twirl to the music", "swing each other around")
    ),
    Action("laugh", (1.0, -0.6, 0.5, 0.6), ("laugh at a joke", "giggle together", "crack up laughing")),
    Action("cheer", (0.9, -0.2, 0.1, 1.0), ("cheer and clap", "celebrate a win", "jump and shout for joy")),
    Action(
        "play",
        (0.8, -0.4, 0.3, 0.6),
        ("play a game", "chase each other for fun", "toss a ball back and forth"),
    ),
    Action("greet", (0.6, -0.3, -0.1, 0.1), ("greet each other", "wave hello", "say hello with a nod")),
    Action("handshake", (0.4, 0.1, -0.5, -0.1), ("shake hands", "seal a deal", "exchange a handshake")),
    Action("chat", (0.4, -0.4, 0.1, -0.5), ("chat quietly", "have a conversation", "talk about their day")),
    Action("teach", (0.4, 0.6, 0.0, -0.4), ("give a lesson", "explain how it works", "teach and listen")),
    Action("help", (0.7, 0.2, 0.2, -0.1), ("help carry a box", "lift something together", "lend a hand")),
    Action("share", (0.7, -0.2, 0.4, -0.5), ("share a snack", "split a sandwich", "offer each other food")),
    Action(
        "sleep",
        (0.4, -0.6, 0.8, -1.0),
        ("nap side by side", "doze on one another", "fall asleep leaning close"),
    ),
    Action(
        "ignore",
        (-0.4, 0.0, -0.9, -0.8),
        ("ignore each other", "look away in silence", "stare at their phones"),
    ),
    Action(
        "wait", (-0.1, -0.2, -0.8, -0.9), ("wait in line", "stand around waiting", "queue without a word")
    ),
    Action(
        "order", (-0.3, 1.0, -0.7, 0.2), ("bark orders", "give commands and obey", "march to instructions")
    ),
    Action(
        "scold",
        (-0.7, 0.8, 0.0, 0.4),
        ("scold and sulk", "tell off and look down", "wag a finger in reproach"),
    ),
    Action("argue", (-0.8, 0.4, 0.1, 0.8), ("argue", "shout at each other", "quarrel loudly")),
    Action("fight", (-1.0, 0.8, -0.4, 1.0), ("fight", "throw punches", "hit and kick each other")),
    Action("bully", (-1.0, 1.0, -0.6, 0.5), ("taunt and shove", "bully and cower", "mock and push around")),
    Action(
        "threaten",
        (-1.0, 0.9, -0.8, 0.7),
        ("threaten and back off", "raise a fist in warning", "corner with menace"),
    ),
    Action("steal", (-0.8, 0.5, -0.8, 0.5), ("snatch a bag", "steal and run", "grab a purse in a scuffle")),
    Action("weep", (-0.8, -0.7, 0.4, 0.0), ("weep", "cry in despair", "sob with bowed heads")),
)

PEOPLE = (
    "two women", "two men", "a man and a woman", "two nurses", "two students", "two farmers",
    "two cooks", "three cyclists", "an old couple", "two soldiers",
)  # fmt: skip

PLACES = (
    ("in a kitchen", "beside the stove"), ("on a beach", "on the sand by the sea"),
    ("in an office", "between desks and screens"), ("in a park", "on the grass under the trees"),
    ("on a city street", "on the pavement among cars"), ("in a gym", "among the weights"),
    ("in a classroom", "in front of the blackboard"), ("on a train", "in a railway carriage"),
    ("in a hospital", "in the ward beside a bed"), ("in a snowy field", "in the deep snow"),
    ("in a restaurant", "at a table with plates and glasses"), ("on a boat", "on the deck out on the water"),
)  # fmt: skip

TEMPLATES = (
    "{people} {action} {place}.",
    "{place}, {people} {action}.",
    "We see {people} {place}: they {action}.",
    "{people}, {place}, {action} while the camera moves.",
)
