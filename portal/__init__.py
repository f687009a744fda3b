"""The door for people: sellers, shopping platforms, and buyers who confirm receipt."""
