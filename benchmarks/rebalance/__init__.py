"""``smartinvest bench rebalance``: many accounts solved beside three libraries, and end to end."""
