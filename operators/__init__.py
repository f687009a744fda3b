"""The operators' door: the dashboard, the menu, and pages that put what all stations know together.

It must never change a row: actions live in each app's admin, and call that app's services.
"""
