-- From when to when roots and steps start, from $since_ns to before $until_ns, and how many there are.
SELECT min(start_ns) AS oldest_ns, max(start_ns) AS newest_ns, count(*) AS starts
FROM readable_spans
WHERE role <> 'other' AND start_ns >= $since_ns AND start_ns < $until_ns
