-- Which rules reject what, and when last?
select
    dataset,
    rule,
    sum(rejected_count) as rejected_versions,
    count(*) as days,
    max(day) as last_day
from quarantine_day
group by all
order by rejected_versions desc, dataset, rule;
