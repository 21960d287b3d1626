-- How far is each account from its last advised target, and which holding is furthest off?
select
    account.account_id,
    account.target_run_id,
    account.drift,
    arg_max(holding.symbol, abs(holding.drift_weight)) as furthest_symbol,
    max(abs(holding.drift_weight)) as furthest_drift_weight
from account
inner join account_holding as holding using (account_id)
where account.drift is not null
group by all
order by account.drift desc, account.account_id
limit 20;
