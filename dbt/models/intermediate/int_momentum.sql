{#-
  Highs are compared by what a share held since the first bar, with all that it paid, is worth.
  Where it changed within the window, in whole numbers of 1e-15 in logs.
-#}
with prices as (

    select
        symbol,
        session_date,
        close,
        max(close) over last_252 as high_252,
        action_count = first_value(action_count) over last_252 as is_steady,
        round(ln(close) * 1e15, 0)::bigint + growth_femtos as worth_femtos,
        max(round(ln(close) * 1e15, 0)::bigint + growth_femtos) over last_252 as highest_femtos,
        count(*) over last_252 as count_252
    from {{ ref('int_adjustment') }}
    window last_252 as (
        partition by symbol order by session_date
        rows between 251 preceding and current row
    )

),

ranked as (

    select
        symbol,
        session_date,
        momentum_12_1,
        -log_return_21d as reversal_21d,
        count(momentum_12_1) over (partition by session_date) as symbols_with_momentum,
        rank() over (partition by session_date order by momentum_12_1 nulls last) as momentum_place
    from {{ ref('int_returns') }}

),

momentum as (

    select
        ranked.symbol,
        ranked.session_date,
        ranked.momentum_12_1,
        ranked.reversal_21d,
        case
            when prices.count_252 < 252 then null
            when prices.is_steady then prices.close / prices.high_252 - 1
            else {{ growth_between('prices.worth_femtos', 'prices.highest_femtos') }} - 1
        end as drawdown_252d,
        case when ranked.momentum_12_1 is not null and ranked.symbols_with_momentum > 1
            then (ranked.momentum_place - 1)::double / (ranked.symbols_with_momentum - 1)
        end as momentum_rank
    from ranked
    inner join prices using (symbol, session_date)

)

select * from momentum
order by symbol, session_date
