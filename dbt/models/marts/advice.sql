with runs as (

    select run_id, session_date
    from {{ ref('stg_advice_runs') }}
    where status = 'published'

),

outcomes as (

    select * from {{ ref('stg_outcomes') }}

),

trades as (

    select run_id, account_id, count(*) as trade_count
    from {{ ref('stg_trades') }}
    group by run_id, account_id

)

select
    outcomes.run_id,
    runs.session_date,
    outcomes.account_id,
    outcomes.client_id,
    outcomes.outcome,
    outcomes.trigger,
    outcomes.allocation_run_id,
    outcomes.risk_score,
    outcomes.drift,
    outcomes.relaxed_constraints,
    outcomes.wealth_cents,
    outcomes.cash_before_cents,
    outcomes.sells_cents,
    outcomes.buys_cents,
    outcomes.fees_cents,
    outcomes.cash_after_cents,
    coalesce(trades.trade_count, 0) as trade_count,
    case when outcomes.wealth_cents > 0
        then (outcomes.sells_cents + outcomes.buys_cents)::double / (2 * outcomes.wealth_cents)
    end as turnover,
    outcomes.sentence
from outcomes
inner join runs using (run_id)
left join trades using (run_id, account_id)
order by runs.session_date, outcomes.account_id
