"""What webhooks say: a topic, and the body that Fanvue would send for it."""

from fankeep.sandbox.payloads.scene import Scene, sample_scene
from fankeep.sandbox.payloads.topics import TOPICS, Family, Topic

__all__ = ["TOPICS", "Family", "Scene", "Topic", "sample_scene"]
