"""Words from which the made-up people and their talk are put together."""

from __future__ import annotations

__all__ = ["BIOS", "CHATTERS", "CREATORS", "CREATOR_LINES", "FAN_FIRST", "FAN_LAST", "FAN_LINES"]

CREATORS = (
    ("Mia Hart", "miahart"),
    ("Luca Moreno", "lucamoreno"),
    ("Zoë Lindqvist", "zoelindqvist"),
    ("Ayo Bankole", "ayobankole"),
)

BIOS = (
    "Yoga at sunrise, stories at midnight. New posts every Tuesday.",
    "Travel, film cameras and far too much coffee.",
    "Singer. Painter. Professional overthinker.",
    "Strength coach. I answer every message, promise.",
)

CHATTERS = ("Nina", "Theo")

FAN_FIRST = (
    "Alex", "Robin", "Sam", "Jamie", "Noor", "Kim", "Taylor", "Morgan", "Jules", "Sasha", "Emre", "Ines",
    "Toni", "Marlon", "Priya", "Renee", "Hugo", "Billie", "Quinn", "Dana",
)  # fmt: skip

FAN_LAST = (
    "Berg", "Silva", "Okafor", "Novak", "Rossi", "Dubois", "Khan", "Meyer", "Costa", "Larsen", "Ito", "Walsh",
    "Petrov", "Santos", "Young", "Haddad",
)  # fmt: skip

FAN_LINES = (
    "Loved the last set!",
    "Good morning, how was the trip?",
    "When does the next post go up?",
    "You made my day, thank you.",
    "Could you do a video about cameras?",
    "I finally tried that recipe.",
    "Is the live stream still on for Friday?",
    "Greetings from rainy Hamburg.",
    "Just subscribed, hello!",
    "That song has been in my head all week.",
)

CREATOR_LINES = (
    "Thank you so much!",
    "Friday at eight, see you there.",
    "Ha, told you it works.",
    "New post tonight, stay tuned.",
    "Glad you like it.",
    "Welcome in!",
)
