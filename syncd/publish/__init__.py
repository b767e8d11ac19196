"""What is on offer now: everything the database knows, put through the steps of `syncd.slots`."""

from syncd.publish.inforce import RulesInForce
from syncd.publish.publisher import Publisher, PublishSettings

__all__ = ["PublishSettings", "Publisher", "RulesInForce"]
