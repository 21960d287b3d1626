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

),

fills as (

    select trades.run_id, trades.account_id, count(distinct trades.trade_id) as filled_trade_count
    from {{ ref('stg_transactions') }} as transactions
    inner join {{ ref('stg_trades') }} as trades using (trade_id)
    anti join {{ ref('stg_transactions') }} as reversals
        on transactions.transaction_id = reversals.reverses
    where transactions.reverses is null
    group by trades.run_id, trades.account_id

),

answers as (

    select
        run_id,
        account_id,
        arg_max(
            {'verdict': verdict, 'reason': reason, 'rating': rating}, (given_at, feedback_id)
        ) filter (where trade_id is null) as newest,
        count(distinct trade_id) filter (where verdict = 'declined') as declined_trade_count
    from {{ ref('stg_feedback') }}
    group by run_id, account_id

),

final as (

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
        coalesce(fills.filled_trade_count, 0) as filled_trade_count,
        coalesce(answers.declined_trade_count, 0) as declined_trade_count,
        answers.newest.verdict as client_verdict,
        answers.newest.reason as client_reason,
        answers.newest.rating as client_rating,
        outcomes.sentence
    from outcomes
    inner join runs using (run_id)
    left join trades using (run_id, account_id)
    left join fills using (run_id, account_id)
    left join answers using (run_id, account_id)

)

select * from final
order by session_date, account_id
