"""The pages of buyers: no account, a link is the right to one order or one payment."""
