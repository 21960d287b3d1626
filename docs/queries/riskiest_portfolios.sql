-- Which accounts are most volatile or most concentrated, beside the risk that suits their goal?
select
    analytics.account_id,
    analytics.position_count,
    analytics.risky_weight,
    profile.max_risky_weight,
    analytics.risky_weight > profile.max_risky_weight as is_above_limit,
    analytics.concentration,
    analytics.vol_annual,
    analytics.beta_252d,
    analytics.expense_ratio_bps
from portfolio_analytics as analytics
inner join client_profile as profile using (client_id, goal_id)
where analytics.risky_weight is not null
order by analytics.vol_annual desc nulls last, analytics.concentration desc, analytics.account_id
limit 20;
