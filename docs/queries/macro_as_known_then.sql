-- What did each macro series say on the build's session, as it was known then, and how old was it?
-- A later revision does not show in the sessions before it.
select
    series_id,
    session_date,
    observation_date,
    value,
    known_at,
    observation_age_days
from macro
where session_date = (select session_date from build)
order by series_id;
