-- Which symbols lead by 12-1 momentum on the newest session, and how risky was the ride?
-- The rank is among the session's members, 0 lowest to 1 highest.
select
    symbol,
    momentum_rank,
    exp(momentum_12_1) - 1 as return_12_1,
    vol_63d_annual,
    drawdown_252d
from features
where session_date = (select session_date from build)
    and momentum_rank is not null
order by momentum_rank desc, symbol
limit 10;
