"""The rule that active claims of one person or room never overlap, in each database's own words.

Both refuse with an integrity error, so the code above is the same for both.
"""

from __future__ import annotations

SQLITE = (
    """
    CREATE TRIGGER claims_no_overlap_insert BEFORE INSERT ON claims WHEN NEW.active
    BEGIN
        SELECT RAISE(ABORT, 'claims overlap') WHERE EXISTS (
            SELECT 1 FROM claims AS other WHERE other.mailbox = NEW.mailbox AND other.active
            AND other."end" > NEW.start AND other.start < NEW."end");
    END
    """,
    """
    CREATE TRIGGER claims_no_overlap_update BEFORE UPDATE ON claims WHEN NEW.active
    BEGIN
        SELECT RAISE(ABORT, 'claims overlap') WHERE EXISTS (
            SELECT 1 FROM claims AS other WHERE other.mailbox = NEW.mailbox AND other.active
            AND other.id <> OLD.id
            AND other."end" > NEW.start AND other.start < NEW."end");
    END
    """,
)

POSTGRESQL = (
    "CREATE EXTENSION IF NOT EXISTS btree_gist",
    """
    ALTER TABLE claims ADD CONSTRAINT ex_claims_no_overlap
    EXCLUDE USING gist (mailbox WITH =, int8range(start, "end") WITH &&) WHERE (active)
    """,
)
