with returns as (

    select * from {{ ref('int_returns') }}

),

averages as (

    select * from {{ ref('int_moving_averages') }}

),

volatility as (

    select * from {{ ref('int_volatility') }}

),

momentum as (

    select * from {{ ref('int_momentum') }}

),

features as (

    select
        symbol,
        session_date,
        averages.close,
        returns.log_return_1d,
        returns.log_return_5d,
        returns.log_return_21d,
        returns.log_return_63d,
        returns.log_return_252d,
        {%- for span in [5, 10, 21, 50, 200] %}
        averages.sma_{{ span }},
        {%- endfor %}
        {%- for span in [5, 10, 21, 50, 200] %}
        averages.close / averages.sma_{{ span }} - 1 as close_to_sma_{{ span }},
        {%- endfor %}
        {%- for span in [10, 21, 50] %}
        averages.ema_{{ span }},
        {%- endfor %}
        {%- for span in [10, 21, 50] %}
        averages.close / averages.ema_{{ span }} - 1 as close_to_ema_{{ span }},
        {%- endfor %}
        averages.sma_10 / averages.sma_50 - 1 as sma_cross_10_50,
        averages.sma_50 / averages.sma_200 - 1 as sma_cross_50_200,
        averages.ema_10 / averages.ema_50 - 1 as ema_cross_10_50,
        volatility.vol_21d_annual,
        volatility.vol_63d_annual,
        momentum.momentum_12_1,
        momentum.reversal_21d,
        momentum.drawdown_252d,
        momentum.momentum_rank
    from returns
    inner join averages using (symbol, session_date)
    inner join volatility using (symbol, session_date)
    inner join momentum using (symbol, session_date)

)

select * from features
order by symbol, session_date
