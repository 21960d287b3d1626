-- Where is the money: what is held of each asset class, over all accounts?
-- The exposure of one goal is the sum of goal_weight over its accounts.
select
    asset_class,
    sum(value_cents) / 100 as value_usd,
    sum(value_cents) / sum(sum(value_cents)) over () as weight,
    count(distinct account_id) as accounts,
    sum(unpriced_count) as unpriced_holdings
from account_exposure
group by asset_class
order by value_usd desc, asset_class;
