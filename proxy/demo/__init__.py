"""The demonstration: made-up shoppers at a running proxy while it is moved up to phase 4 and back.

course   the legs in order: move, copy, compare, let the shoppers work; the full comparison at the end
traffic  shoppers that call as the shop's users do (workload) and know what must be answered (expected)
stage    what they are given beforehand, through the proxy too, and its deletion
tally    calls by operation and their times; meter: what the proxy itself has counted
screen   both, as a live table on a terminal and as lines elsewhere (table)
"""
