"""What is answered about the sandbox: the test clock and the shortcut at the cashier."""

from api.v1.answers.fields import Answer, instant, text, truth


class ClockAnswer(Answer):
    """Your platform's clock."""

    now = instant("What time it is on your platform's clock.")
    moved = truth("Whether it is ahead of the real time.")


class FiredAnswer(Answer):
    event = text("Id of the event, evt_….", source="event_id")
    type = text("What happened.")
    subject = text("Id of what it happened to.", source="subject_id")
    at = instant("When, on your platform's clock.")


class LeftBehindAnswer(Answer):
    station = text("orders, escrow or payouts.")
    due_at = instant("Since when it is due.")


class AdvanceAnswer(Answer):
    """How far the clock went and what happened on the way."""

    started_at = instant("What it showed before.")
    target_at = instant("Where it was to go.")
    reached_at = instant("Where it stands now.")
    complete = truth("false: there was more to do than one call does; call again.")
    fired = FiredAnswer(many=True, help_text="Every event on the way, in order.")
    left_behind = LeftBehindAnswer(
        many=True, help_text="What was due and could not be worked off yet."
    )
