"""What is on offer now: everything the database knows, put through the steps of `syncd.slots`."""

from syncd.publish.inforce import Proposed, RulesInForce
from syncd.publish.preview import Change, preview
from syncd.publish.publisher import Publisher, PublishSettings

__all__ = ["Change", "Proposed", "PublishSettings", "Publisher", "RulesInForce", "preview"]
