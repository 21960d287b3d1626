"""Yahoo and FRED on loopback: their wire formats, our own numbers, every way to fail.

certificates    a certificate authority that lives as long as the test
internet        a proxy that is the whole internet: it answers for known hosts and no other
network         sends all clients there, and fails whatever tries to get past it
yahoo           Yahoo's chart, cookie, crumb and consent pages
fred            FRED's CSV files and API
spoilers        ways to spoil an answer
scenarios       the list: what is asked, answered and stored
__main__        prints that list: ``PYTHONPATH=tests python -m loopback``
"""
