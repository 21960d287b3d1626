"""What incoming data must satisfy: Great Expectations suites as pure functions.

One file per boundary table. Each expectation's ``meta`` names the rule, and says in words what a
row that fails it has wrong and what to do; quarantine stores those words.
"""
