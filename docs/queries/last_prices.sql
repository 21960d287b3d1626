-- What did each instrument close at last, and how old is that price?
-- A price that is no longer fresh values nothing and is traded by nobody.
select
    symbol,
    name,
    asset_class,
    price_micros / 1e6 as price_usd,
    price_session_date,
    build.session_date - price_session_date as age_days,
    price_is_fresh
from instrument
cross join build
where price_micros is not null
order by age_days desc, symbol;
