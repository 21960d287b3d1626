-- What did each goal earn since inception: by its managers (time-weighted) and for its owner
-- (money-weighted)? Where a return is missing, issue says why.
select
    owner_id as goal_id,
    start_session_date,
    days,
    net_flow_cents / 100 as net_flow_usd,
    end_worth_cents / 100 as end_worth_usd,
    time_weighted_return,
    money_weighted_return,
    money_weighted_return_annual,
    issue
from performance
where owner_kind = 'goal' and period = 'since_inception'
order by end_worth_usd desc nulls last, goal_id;
