"""The outside world of money: payment channels and bank rails, behind one contract."""
