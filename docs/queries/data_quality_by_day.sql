-- How good is the market data of the last two weeks: accepted, rejected, late, missing?
-- Naming sessions keeps the view from reading the whole panel.
select *
from data_quality_day
where session_date > (select session_date - 14 from build)
order by session_date desc;
