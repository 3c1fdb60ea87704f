"""A Hypothesis profile for those who have time: ``pytest --hypothesis-profile=long``."""

from hypothesis import settings

settings.register_profile("long", deadline=None)
