"""What a platform's own receiver of webhooks must stand, tried against it while it runs.

It must never be pointed at a platform in live mode: it orders, pays and moves the test clock.
"""
