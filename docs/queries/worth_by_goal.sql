-- What is a client's money worth, split by goal, and how much of each goal is there?
-- Here the client who has most.
with worth as (
    select client_id, sum(wealth_cents) as wealth_cents from goal group by client_id
)

select
    goal.client_id,
    goal.kind,
    goal.priority,
    goal.target_date,
    goal.account_count,
    goal.wealth_cents / 100 as wealth_usd,
    goal.target_cents / 100 as target_usd,
    goal.funded_share,
    goal.planned_net_flow_1y_cents / 100 as planned_net_flow_1y_usd,
    goal.asset_classes
from goal
where client_id = (select arg_max(client_id, (wealth_cents, client_id)) from worth)
order by goal.priority, goal.goal_id;
