"""What a citizen sees, for staff who help: the times on offer, why an hour has none, and a card to take home."""

from syncd.web.pages.citizen import card, view

ROUTERS = (view.router, card.router)
